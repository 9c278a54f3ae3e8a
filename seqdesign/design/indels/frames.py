"""Insertions and deletions for designers that only substitute: each start is offered in several frames.

A frame is a parent with some letters inserted or deleted. The best frames are found by a beam search, one
letter after the other, by what the members that design say; runs of deleted letters and repeated stretches
are tried at once. Then every designer, with a gradient or without, works within the best frames as it does
within the parent itself, and the best designs of all frames of a parent are taken.

Shapes: L letters of a frame; B frames.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from seqdesign.constraints.distinct import apart, distinct
from seqdesign.constraints.options import ConstraintOptions
from seqdesign.constraints.positions import ranges, spans
from seqdesign.constraints.starts import Starts
from seqdesign.design.brief import Brief
from seqdesign.design.evidence import MakeConstraint
from seqdesign.design.model import DesignModel
from seqdesign.design.plan import Batch
from seqdesign.design.starts import StartSet, more_rules
from seqdesign.errors import SeqDesignError, UsageError
from seqdesign.objectives.composite import Composite
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import decode

BEAM = 8
"""Frames of each number of indels from which the next letter is inserted or deleted."""
KEPT = 4
"""Frames of each number of indels in which designs are looked for."""
LOOKED_AT = 256
"""Frames that are asked whether they obey the rules, the best first, until enough do."""
TRIED = 4000
"""Frames that are scored for each parent and number of indels, at most; of more a part is drawn."""


@dataclass(frozen=True)
class Frame:
    """A sequence, and where its letters come from: positions of the parent from 0, -1 for inserted ones."""

    text: str
    origin: tuple[int, ...]
    indels: int = 0
    mended: int = 0
    """Letters of the parent that were exchanged because it broke a rule."""


@dataclass(frozen=True)
class Fixed:
    """Positions of a parent, from 0, that are neither deleted, nor, where two follow each other, parted."""

    kept: frozenset[int]
    named: frozenset[int]
    """Those for which letters are named: they are not deleted."""


def check_indels(brief: Brief, model: DesignModel) -> None:
    """Raises UsageError where insertions and deletions cannot be."""
    if brief.starts is None:
        raise UsageError(
            "refers to the sequences that designs are made from; give --start", option="--indels"
        )
    for name in ("template", "translate"):
        if getattr(brief.rules, name):
            raise UsageError(
                f"moves letters, and --{name} is about fixed places; leave one of them out", option="--indels"
            )
    if brief.pareto:
        raise UsageError("cannot be combined with --pareto; weigh the objectives instead", option="--indels")
    if model.generator is not None:
        raise UsageError(
            "cannot be combined with --generator, which writes one length; leave one of them out",
            option="--indels",
        )


def lengths_allowed(brief: Brief, model: DesignModel) -> Callable[[int], bool]:
    """Which lengths designs may have. Raises UsageError."""
    low, high = 1, 1 << 30
    if brief.lengths is not None:
        match = re.fullmatch(r"\s*(\d{1,9})(?:-(\d{1,9}))?\s*", brief.lengths, re.ASCII)
        low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not 1 <= low <= high:
            raise UsageError(
                f"must be one length or the fewest and most letters, such as 74-78, got {brief.lengths!r}",
                option="--lengths",
            )

    return lambda length: readable(model, length) and low <= length <= high


def readable(model: DesignModel, length: int) -> bool:
    """Whether the model predicts sequences so long."""
    try:
        model.check_length(length, partial(UsageError, option="--indels"))
    except SeqDesignError:
        return False
    return True


def framed(
    brief: Brief, model: DesignModel, whole: Sequence[StartSet], copies: int
) -> Iterator[tuple[Brief, StartSet]]:
    """The sets of starts ``whole``, each parent in further frames; with the brief that holds for each set.

    Sets hold frames of one length with the same rules. copies: runs of each parent, which its frames share.
    Raises UsageError where no other length is allowed.
    """
    fits = lengths_allowed(brief, model)
    composite = model.composite(brief.objective, brief.risk)
    groups: dict[tuple[object, ...], list[tuple[StartSet, int, Frame]]] = defaultdict(list)
    for given in whole:
        assert given.records is not None
        length = given.tokens.shape[1]
        if not any(fits(length + step) for step in range(-brief.indels, brief.indels + 1) if step):
            raise UsageError(
                f"the model or --lengths takes only designs of {length} letters here; train it on "
                "sequences of several lengths, or leave --indels out",
                option="--indels",
            )
        if fits(length):
            yield brief, given
        fixed, own = fixed_places(brief.rules, length, given.first), len(given.tokens) // _count(given)
        for parent in range(_count(given)):
            text = _text(given.tokens[parent * own], model.alphabet)
            search = _Search(brief, model, composite, given, parent, fixed, fits)
            mended = sum(a != b for a, b in zip(text, given.records.sequences[parent], strict=True))
            for frame in search.best(Frame(text, tuple(range(length)), mended=mended)):
                rules = moved_rules(brief.rules, frame, given.first)
                key = (length, len(frame.text), frame.indels, rules.keep, rules.allow, rules.max_edits)
                groups[key].append((given, parent, frame))
    for frames in groups.values():
        given, _, frame = frames[0]
        rules, more = moved_rules(brief.rules, frame, given.first), more_rules(brief, model, len(frame.text))
        yield replace(brief, rules=rules), _set_of(model, rules, frames, more, max(1, copies // KEPT))


def best_of_frames(batches: Sequence[Batch]) -> list[Batch]:
    """The best designs of each parent over all its frames, as many as are wanted and far enough apart."""
    plan = batches[0].plan
    strands = plan.oracle.alphabet if plan.both_strands else None
    mine: dict[int, list[tuple[float, int, int, str]]] = defaultdict(list)
    for b, batch in enumerate(batches):
        parents = batch.starts.parent_of(batch.chosen.groups).tolist()
        texts = decode(batch.chosen.tokens, plan.oracle.alphabet)
        for i, (parent, text) in enumerate(zip(parents, texts, strict=True)):
            mine[batch.starts.places[parent]].append((-float(batch.chosen.score[i]), b, i, text))
    taken: list[str] = []
    kept: dict[int, list[int]] = defaultdict(list)
    for place in sorted(mine):
        ranked = sorted(mine[place], key=lambda one: one[:3])
        texts = [text for _, _, _, text in ranked]
        order = apart(
            texts, range(len(texts)), taken, plan.min_distance if plan.strict else 1, alphabet=strands
        )
        distance = plan.min_distance
        best = distinct(texts, order, distance, alphabet=strands, limit=plan.num)
        while len(best) < plan.num and distance > 1 and not plan.strict:
            distance //= 2
            best = distinct(texts, order, distance, alphabet=strands, limit=plan.num)
        taken += [texts[i] for i in best]
        for i in best:
            kept[ranked[i][1]].append(ranked[i][2])
    parents_in_all = {place for batch in batches for place in batch.starts.places}
    short = plan.num * len(parents_in_all) - len(taken)
    found = []
    for b, batch in enumerate(batches):
        chosen = batch.chosen.take(torch.tensor(sorted(kept[b]), dtype=torch.long))
        found.append(replace(batch, chosen=replace(chosen, num_short=short if b == 0 else 0)))
    return found


def _count(starts: StartSet) -> int:
    return int(starts.groups.max()) + 1


def _text(tokens: Tensor, alphabet: Alphabet) -> str:
    return "".join(alphabet.letters[i] for i in tokens.tolist())


def _tokens(texts: Sequence[str], model: DesignModel) -> Tensor:
    """Texts of one length -> (B, L)."""
    index = {letter: i for i, letter in enumerate(model.alphabet.letters)}
    return torch.tensor([[index[c] for c in text] for text in texts], device=model.device)


def _set_of(
    model: DesignModel,
    rules: ConstraintOptions,
    frames: Sequence[tuple[StartSet, int, Frame]],
    more: tuple[MakeConstraint, ...],
    copies: int,
) -> StartSet:
    """Starts from frames that share length and rules; parents are the frames, origins what they come from."""
    given = frames[0][0]
    assert given.records is not None
    assert given.parents is not None
    rows = [parent for _, parent, _ in frames]
    tokens = _tokens([frame.text for _, _, frame in frames], model)
    groups = torch.arange(len(frames), device=tokens.device).repeat_interleave(copies)
    return replace(
        given,
        options=rules,
        tokens=tokens[groups],
        groups=groups,
        parents=tokens,
        origins=given.parents[rows],
        records=given.records.take(np.array(rows)),
        places=[given.places[i] for i in rows],
        more=more,
        indels=frames[0][2].indels,
    )


class _Search:
    """The beam search for frames of one parent."""

    def __init__(
        self,
        brief: Brief,
        model: DesignModel,
        composite: Composite,
        given: StartSet,
        parent: int,
        fixed: Fixed,
        fits: Callable[[int], bool],
    ) -> None:
        self.brief, self.model, self.composite, self.given, self.parent = (
            brief,
            model,
            composite,
            given,
            parent,
        )
        self.fixed, self.fits = fixed, fits

    def best(self, whole: Frame) -> list[Frame]:
        """The best frames of each number of indels."""
        most = self.brief.indels
        if self.brief.rules.max_edits is not None:
            most = min(most, self.brief.rules.max_edits - whole.mended)
        place = self.given.places[self.parent] if self.given.places else self.parent
        seen, beam, found = {whole.text}, [whole], list[Frame]()
        for indels in range(1, most + 1):
            rng = np.random.default_rng([self.brief.seed, place, indels])
            fresh: dict[str, Frame] = {}
            for one in (child for frame in beam for child in self._children(frame)):
                if one.text not in seen:
                    fresh.setdefault(one.text, one)
            for one in self._blocks(whole, indels) if indels > 1 else ():
                if one.text not in seen:
                    fresh.setdefault(one.text, one)
            seen |= fresh.keys()
            some = list(fresh.values())
            if len(some) > TRIED:
                some = [some[i] for i in np.sort(rng.permutation(len(some))[:TRIED]).tolist()]
            ranked = self._ranked(some)
            # A length that is not allowed may lead to one that is.
            beam = ranked[:BEAM]
            found += islice((one for one in ranked[:LOOKED_AT] if self._obeys(one)), KEPT)
            if not beam:
                break
        return found

    def _children(self, frame: Frame) -> Iterator[Frame]:
        """One letter more or less; none is put behind its like, which would give the same as before it."""
        for i, position in enumerate(frame.origin):
            if position >= 0 and self._may_go(position):
                yield _without(frame, i, 1)
        for i in range(len(frame.text) + 1):
            if self._may_part(frame, i):
                for letter in self.model.alphabet.letters:
                    if i == 0 or frame.text[i - 1] != letter:
                        yield _with(frame, i, letter)

    def _blocks(self, whole: Frame, size: int) -> Iterator[Frame]:
        """A stretch of the parent deleted, or repeated behind itself."""
        for i in range(len(whole.text) - size + 1):
            if all(self._may_go(j) for j in range(i, i + size)):
                yield _without(whole, i, size)
            if self._may_part(whole, i + size):
                yield _with(whole, i + size, whole.text[i : i + size])

    def _may_go(self, position: int) -> bool:
        return position not in self.fixed.kept and position not in self.fixed.named

    def _may_part(self, frame: Frame, i: int) -> bool:
        """Whether letters may be inserted in front of letter i."""
        before, behind = frame.origin[i - 1 : i], frame.origin[i : i + 1]
        beside = [one for one in (*before, *behind) if one in self.fixed.kept]
        return len(beside) < 2

    def _obeys(self, frame: Frame) -> bool:
        if not self.fits(len(frame.text)):
            return False
        tokens = _tokens([frame.text], self.model)
        rules = moved_rules(self.brief.rules, frame, self.given.first)
        probe = _set_of(self.model, rules, [(self.given, self.parent, frame)], (), 1)
        row = torch.zeros(1, dtype=torch.long, device=tokens.device)
        if not bool(probe.rules_of(row).is_feasible(tokens, row)[0]):
            return False
        return self._seen(tokens)

    def _seen(self, tokens: Tensor) -> bool:
        """Whether the words of a frame are those of its parent, or seen in training."""
        assert self.given.parents is not None
        parent = self.given.parents[self.parent][None]
        made = Starts(
            alphabet=self.model.alphabet,
            tokens=parent,
            lengths=torch.tensor([parent.shape[1]]),
            shortest=parent.shape[1],
        )
        row = torch.zeros(1, dtype=torch.long, device=tokens.device)
        rules = more_rules(self.brief, self.model, tokens.shape[1])
        return all(bool(make(made).is_feasible(tokens, row)[0]) for make in rules)

    def _ranked(self, frames: Sequence[Frame]) -> list[Frame]:
        """Those that the model can read, the best first by the members that design."""
        frames = [frame for frame in frames if readable(self.model, len(frame.text))]
        by_length: dict[int, list[int]] = defaultdict(list)
        for i, frame in enumerate(frames):
            by_length[len(frame.text)].append(i)
        scores = np.full(len(frames), -np.inf)
        mine = list(self.model.jury.design)
        for where in by_length.values():
            tokens = _tokens([frames[i].text for i in where], self.model)
            told = self.model.predict(tokens)[mine]
            zero = torch.zeros(len(where), dtype=torch.long, device=tokens.device)
            scores[where] = self.composite(told, zero).double().nan_to_num(nan=-torch.inf).cpu().numpy()
        return [frames[i] for i in np.argsort(-scores, kind="stable").tolist()]


def _without(frame: Frame, i: int, size: int) -> Frame:
    text, origin = frame.text, frame.origin
    return Frame(
        text[:i] + text[i + size :], origin[:i] + origin[i + size :], frame.indels + size, frame.mended
    )


def _with(frame: Frame, i: int, letters: str) -> Frame:
    text, origin = frame.text, frame.origin
    new = (-1,) * len(letters)
    return Frame(
        text[:i] + letters + text[i:],
        origin[:i] + new + origin[i:],
        frame.indels + len(letters),
        frame.mended,
    )


def fixed_places(rules: ConstraintOptions, length: int, first: int) -> Fixed:
    """Positions from 0 that ``--keep`` and ``--allow`` name, of a parent of so many letters."""

    def places(text: str | None) -> Iterator[int]:
        for start, end in ranges(text, "--keep") if text else ():
            yield from range(max(0, start - first), min(length, end - first + 1))

    named = [part.partition(":")[0] for part in rules.allow.split(",")] if rules.allow else []
    return Fixed(frozenset(places(rules.keep)), frozenset(places(",".join(named) or None)))


def moved_rules(rules: ConstraintOptions, frame: Frame, first: int) -> ConstraintOptions:
    """The same rules in the numbers of a frame, with the edits that it leaves."""
    keep, allow = rules.keep, rules.allow
    if keep:
        keep = ",".join(_spots(keep, frame, first)) or None
    if allow:
        parts = [part.partition(":") for part in allow.split(",")]
        moved = [(one, letters) for where, _, letters in parts for one in _spots(where, frame, first)]
        allow = ",".join(f"{one}:{letters}" for one, letters in moved) or None
    edits = None if rules.max_edits is None else rules.max_edits - frame.indels - frame.mended
    if edits == 0:  # no edit is left: the frame is the design
        keep, edits = f"{first}-{first + len(frame.text) - 1}", 1
    return replace(rules, keep=keep, allow=allow, max_edits=edits)


def _spots(text: str, frame: Frame, first: int) -> list[str]:
    """Positions as they are typed, where a frame has them."""
    at = {origin: i for i, origin in enumerate(frame.origin) if origin >= 0}
    return spans(
        sorted(
            at[place] + first
            for start, end in ranges(text, "--keep")
            for place in range(start - first, end - first + 1)
            if place in at
        )
    )
