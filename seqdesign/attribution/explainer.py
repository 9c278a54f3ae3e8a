"""The work behind ``seqdesign attribute``: the model asked about sequences, and its answers as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdesign.attribution.effects import Method, contributions, rows_at_once
from seqdesign.constraints.positions import spans
from seqdesign.design.model import DesignModel
from seqdesign.design.opening import load_folder
from seqdesign.errors import InputError, UsageError
from seqdesign.oracles.load import load_oracle
from seqdesign.registry import Registry
from seqdesign.runs.progress import phase
from seqdesign.sequences.alphabets import Alphabet, get_alphabet
from seqdesign.sequences.encoders import one_hot
from seqdesign.sequences.options import LetterPolicy, encode_with, normal_records
from seqdesign.sequences.reader import SequenceSet
from seqdesign.sequences.scope import left_out

REGISTRY = Registry("method", "seqdesign.attribution.methods", "seqdesign.attribution")
TOP = 5
KEPT = 500
"""Sequences whose contributions are remembered for a page."""
_BLOCK, _LETTERS = 256, 1 << 16
"""Most sequences, and letters of them all, that are explained at once."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Explained:
    """One sequence of L letters, by M members."""

    id: str
    text: str
    score: FloatArray
    """(M,)."""
    contribution: FloatArray
    """(M, L) of the letters that are there."""
    effects: FloatArray
    """(V, L), the mean over members of the effect of every letter."""


class Explainer:
    """A model, the score to explain, a method, and the sequences.

    method: the name of a member of ``attribution.methods``. outcome: which of the model's outcomes, its first
    when None. letters: how letters are read. keep: how many sequences are remembered for logos. Raises
    UsageError for a method that the model cannot be asked by and an outcome that it lacks, InputError for
    sequences that it cannot read.
    """

    def __init__(
        self,
        model: DesignModel,
        records: SequenceSet,
        *,
        method: str = "mutagenesis",
        outcome: str | None = None,
        letters: LetterPolicy = LetterPolicy(),  # noqa: B008 - frozen
        keep: int = 20,
    ) -> None:
        self.model, self.device, self.keep = model, model.device, keep
        self.method = find_method(method, model)
        self.place = _place_of(outcome, model)
        self.outcome = model.oracle.outcomes[self.place]
        array = encode_with(letters, records, model.alphabet)
        records = normal_records(letters, records, array)
        problems = {} if model.scope is None else model.scope.objections(array)
        self.left_out = {records.ids[row]: why for row, why in problems.items()}
        """Id -> why, of sequences that the model cannot judge."""
        if model.scope is not None:
            array, rows = model.scope.judged(array, problems)
            records = records.take(rows)
        self.records = records
        self.tokens, self.lengths = array.tokens, array.lengths
        self.num_members = 0
        self.num_rows = 0
        self.kept: list[Explained] = []
        """The first sequences, for logos and pages."""
        self._total: dict[int, FloatArray] = {}
        self._scores: list[float] = []
        if not len(self.records):
            name, why = next(iter(self.left_out.items()), (None, "no sequence is left to explain"))
            raise InputError(why, path=records.source, record=name)
        within = np.arange(self.tokens.shape[1]) < self.lengths[:, None]
        unknown = bool((within & (self.tokens >= model.alphabet.size)).any())
        if unknown and not model.oracle.differentiable:
            raise UsageError(
                f"{model.name} reads whole letters only; leave such records out with --on-unknown skip",
                option="--on-unknown",
            )

    @property
    def alphabet(self) -> Alphabet:
        """Of the model."""
        return self.model.alphabet

    @property
    def columns(self) -> list[str]:
        """Of the table."""
        return ["id", "position", "letter", "contribution", "sd", *self.alphabet.letters]

    def score(self, x: Tensor) -> Tensor:
        """The score to explain of one-hot (N, V, L), by each member, (M, N). Raises InputError."""
        try:
            return self.model.oracle(x)[..., self.place]
        except ValueError as error:  # lengths that a model cannot take
            raise InputError(f"{self.model.name}: {error}") from error

    @torch.no_grad()
    def scores(self, tokens: NDArray[np.uint8], lengths: NDArray[np.int64]) -> FloatArray:
        """Scores (M, N) of tokens (N, L)."""
        found: dict[int, FloatArray] = {}
        for rows, x in self._by_length(tokens, lengths):
            parts = [self.score(part) for part in x.split(rows_at_once(x.shape[2]))]
            found |= dict(zip(rows.tolist(), torch.cat(parts, 1).double().cpu().numpy().T, strict=True))
        return np.stack([found[i] for i in range(len(tokens))], 1)

    def _by_length(
        self, tokens: NDArray[np.uint8], lengths: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
        """Rows of one length and their one-hot sequences (N, V, L)."""
        for length in np.unique(lengths).tolist():
            rows = np.flatnonzero(lengths == length)
            chosen = torch.from_numpy(tokens[rows, :length].astype(np.int64)).to(self.device)
            yield rows, one_hot(chosen, self.alphabet).to(torch.get_default_dtype())

    def rows(self) -> Iterator[dict[str, Any]]:
        """The table: a row for each position of each sequence, in the order of the input."""
        for one in self.explained():
            letters = one.text
            mean, spread = one.contribution.mean(0), one.contribution.std(0)
            for i, letter in enumerate(letters):
                self.num_rows += 1
                effects = {v: cell(one.effects[j, i]) for j, v in enumerate(self.alphabet.letters)}
                yield {
                    "id": one.id,
                    "position": i + 1,
                    "letter": letter,
                    "contribution": cell(mean[i]),
                    "sd": cell(spread[i]) if self.num_members > 1 else None,
                    **effects,
                }

    def explained(self) -> Iterator[Explained]:
        """Every sequence, in the order of the input; sums for the summary are kept."""
        total = len(self.records)
        size = max(1, min(_BLOCK, _LETTERS // max(1, int(self.lengths.max()))))
        with phase("attributing") as shown:
            for start in range(0, total, size):
                block = slice(start, min(start + size, total))
                for one in self._block(block):
                    self._count(one)
                    yield one
                shown.update(block.stop, total)

    def _block(self, block: slice) -> list[Explained]:
        found: dict[int, Explained] = {}
        for rows, x in self._by_length(self.tokens[block], self.lengths[block]):
            effects = self.method(self.score, x)
            own = contributions(effects, x).double().cpu().numpy()
            with torch.no_grad():
                scores = torch.cat([self.score(part) for part in x.split(rows_at_once(x.shape[2]))], 1)
            if (same := self.model.constant(x.shape[2])) is not None:
                # The model has never seen another letter there, so what it says of one is made up.
                own[:, :, same] = np.nan
                effects[:, :, :, torch.from_numpy(same).to(effects.device)] = torch.nan
            every, score = effects.double().mean(0).cpu().numpy(), scores.double().cpu().numpy()
            for i, row in enumerate(rows.tolist()):
                name, text = self.records.ids[block.start + row], self.texts(block.start + row)
                found[row] = Explained(name, text, score[:, i], own[:, i], every[i])
        return [found[i] for i in sorted(found)]

    def texts(self, row: int) -> str:
        """The letters of a sequence, as the alphabet writes them; a masked one as in the input."""
        text = self.records.sequences[row]
        known = self.tokens[row, : self.lengths[row]]
        letters = self.alphabet.letters
        plain = text if len(text) == len(known) else "?" * len(known)
        return "".join(letters[t] if t < len(letters) else plain[i] for i, t in enumerate(known.tolist()))

    def _count(self, one: Explained) -> None:
        self.num_members = len(one.score)
        self._scores.append(float(one.score.mean()))
        size = np.abs(np.nan_to_num(one.contribution.mean(0)))
        self._total[len(size)] = self._total.get(len(size), 0.0) + size
        if len(self.kept) < max(self.keep, KEPT):
            self.kept.append(one)

    @property
    def shown(self) -> list[Explained]:
        """The first sequences, of which logos are drawn."""
        return self.kept[: self.keep]

    def mean_score(self) -> float | None:
        """Over the sequences whose score is finite."""
        finite = [s for s in self._scores if np.isfinite(s)]
        return float(np.mean(finite)) if finite else None

    def profile(self) -> FloatArray | None:
        """Mean absolute contribution (L,) of each position, where all sequences have one length."""
        if len(self._total) != 1:
            return None
        return next(iter(self._total.values())) / len(self._scores)

    def constant(self) -> list[int]:
        """Positions (from 1), masked in all sequences of their length, that were one letter in training."""
        same = [self.model.constant(length) for length in self._total]
        return sorted({int(i) + 1 for one in same if one is not None for i in np.flatnonzero(one)})

    def notes(self) -> list[str]:
        """What should be known of the input."""
        found = []
        if self.left_out:
            num = len(self.left_out) + len(self.records)
            found.append(f"{left_out(self.left_out, num)}; they are left out")
        if masked := self.constant():
            which = f"position {masked[0]}" if len(masked) == 1 else f"positions {', '.join(spans(masked))}"
            found.append(
                f"{which} had one letter in all training sequences, so nothing is known of what another "
                "would do; masked"
            )
        return found

    def top_positions(self) -> list[tuple[int, float]]:
        """The positions (from 1) that matter most, and their shares of all absolute contributions."""
        profile = self.profile()
        if profile is None or not profile.sum():
            return []
        order = np.argsort(-profile, kind="stable")[:TOP]
        return [(int(i) + 1, float(profile[i] / profile.sum())) for i in order]


def open_model(
    source: Path | str,
    device: torch.device,
    *,
    alphabet: str | None = None,
    length: int = 1,
    outcome: str | None = None,
    sequence: str | None = None,
    trust: bool = False,
) -> DesignModel:
    """A model to explain: a folder as a Path, or an oracle as ``--oracle`` names it, as a str.

    alphabet, length, outcome, sequence, trust are for oracles: the letters they read, those of a sequence to
    try them on, their columns, and whether code of others may run. Raises SeqDesignError.
    """
    if isinstance(source, Path):
        return load_folder(source, device)
    oracle = load_oracle(
        source,
        alphabet=get_alphabet(alphabet or "dna"),
        length=length,
        device=device,
        trust=trust,
        outcome=outcome,
        sequence=sequence,
        load_folder=lambda folder: load_folder(folder, device).oracle,
    )
    return DesignModel(source, oracle, device)


def find_method(name: str, model: DesignModel) -> Method:
    """The method of this name, if the model can be asked so. Raises UsageError."""
    try:
        method: Method = REGISTRY.load(name)
    except UsageError as error:
        raise UsageError(str(error), option="--method") from error
    if getattr(REGISTRY.module(name), "NEEDS_GRADIENT", False) and not model.oracle.differentiable:
        raise UsageError(
            f"{name} needs a gradient, and {model.name} has none; use mutagenesis", option="--method"
        )
    return method


def _place_of(outcome: str | None, model: DesignModel) -> int:
    names: Sequence[str] = model.oracle.outcomes
    if outcome is None or (len(names) == 1 and not model.own):
        return 0
    if outcome not in names:
        raise UsageError(
            f"the model has no outcome {outcome!r}; it has {', '.join(names)}", option="--outcome"
        )
    return names.index(outcome)


def cell(value: float) -> float | None:
    """A number for a table; what is unknown is empty."""
    return None if np.isnan(value) else float(f"{value:.6g}")
