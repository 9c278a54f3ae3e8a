"""From proteins to genes: the codons that a host prefers, as far as rules permit.

The score of a gene is the sum of log w over its codons, w the share of a codon among those of its amino acid
divided by that of the most frequent one (Sharp & Li 1987); methionine and tryptophan, which have one codon in
the standard code, and stops do not count. The search is a beam from left to right over letters, whose scores
add up to those of codons: after each letter the best codon that it can still become counts.

Shapes: N proteins, B of them at a time, C codons at most, L = 3C letters, W beams.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from seqdesign.constraints.build import build_rules
from seqdesign.constraints.builtin.gc import GC
from seqdesign.constraints.builtin.gc_difference import GCDifference
from seqdesign.constraints.builtin.gc_window import GCWindow
from seqdesign.constraints.constraint import Constraint
from seqdesign.constraints.context import InContext
from seqdesign.constraints.mask import MaskConstraint
from seqdesign.constraints.options import ConstraintOptions, LetterRules
from seqdesign.constraints.rules import Rules
from seqdesign.constraints.starts import Starts
from seqdesign.errors import InputError
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.lab.codon_usage import Codons

Usage = Literal["optimal", "match"]
BLOCK = 96
"""Proteins of similar length that are searched side by side."""
STAGES = (
    (((0, False),), 4 * BLOCK),
    (((16, False), (0, True)), BLOCK),
    (((16, True), (128, True)), 16),
)
"""Ways to look for genes, the best of which counts, and proteins at a time; each for what is left by those
before. A way: the width of the beam, 0 for the best codons; and whether codons at fault are changed first."""
NEVER = -1e9
SPARE = 4
"""G and C kept away from their limits, for what other rules ask of the search."""
STEP, ROUNDS = 0.1, 60
"""By how much prices rise at a time, in units of log w, and how often."""
LOSS, TINY = 0.003, 1e-6
"""Mean log w that a gene has lost from which better codons are looked for, and what is no gain."""
DEALT = 10.0
"""What a codon that was dealt is worth more than any other."""
_DNA = get_alphabet("dna")
_CODONS = [a + b + c for a in _DNA.letters for b in _DNA.letters for c in _DNA.letters]
_NUMBER = {codon: i for i, codon in enumerate(_CODONS)}


@dataclass(frozen=True)
class Gene:
    """The gene of one protein, with the score that it has and the best that it could have without rules."""

    sequence: str | None
    """None where nothing was found that obeys the rules."""
    cai: float
    best_cai: float

    @property
    def lost(self) -> float:
        """Share of the codon adaptation index that the rules cost."""
        return 1 - self.cai / self.best_cai


def back_translate(
    proteins: Sequence[str],
    codons: Codons,
    options: LetterRules,
    *,
    usage: Usage = "optimal",
    stop: bool = True,
    ids: Sequence[str] = (),
    source: str | None = None,
    seed: int = 0,
) -> list[Gene]:
    """A gene for each protein that obeys the rules, with as large a score as the search finds.

    usage: ``optimal`` takes the most frequent codons, ``match`` spreads codons in the proportions of the
    host. stop: end with a stop codon, unless a protein brings its own ``*``. Raises InputError for a residue
    without codons, UsageError for rules that cannot be read.
    """
    table = _table(codons)
    wanted = [_wish(p, i, codons, table, stop, ids, source) for i, p in enumerate(proteins)]
    if usage == "match":
        for i, wish in enumerate(wanted):
            _spread(wish, codons, table, np.random.default_rng((seed, i)))
    genes = _search(wanted, options)
    found = []
    for wish, gene in zip(wanted, genes, strict=True):
        best = float(np.exp(codons.log_cai(_best(wish))))
        cai = float("nan") if gene is None else float(np.exp(codons.log_cai(gene)))
        found.append(Gene(gene, cai, best))
    return found


def _table(codons: Codons) -> dict[str, Tensor]:
    """Scores (64,) of the codons of each amino acid, ``NEVER`` for others."""
    weights = codons.weights()
    table = {}
    for amino, own in codons.shares.items():
        table[amino] = torch.full((64,), NEVER)
        for codon in own:
            table[amino][_NUMBER[codon]] = float(np.log(weights[codon]))
    return table


def _wish(
    protein: str,
    row: int,
    codons: Codons,
    table: Mapping[str, Tensor],
    stop: bool,
    ids: Sequence[str],
    source: str | None,
) -> Tensor:
    """Scores (c, 64) of the codons at each place."""
    text = protein.upper()
    text += "*" if stop and not text.endswith("*") else ""
    for i, amino in enumerate(text):
        if amino not in codons.shares or (amino == "*" and i + 1 < len(text)):
            what = "a stop inside the protein" if amino == "*" else f"{amino!r}, for which there is no codon"
            record = ids[row] if ids else str(row + 1)
            raise InputError(f"position {i + 1} is {what}", path=source, record=record)
    return torch.stack([table[amino] for amino in text])


def _spread(wish: Tensor, codons: Codons, table: Mapping[str, Tensor], rng: np.random.Generator) -> None:
    """Prefer at each place the codon that it is dealt, so that a gene has the proportions of the host."""
    for amino, own in table.items():
        places = (wish == own).all(1).nonzero().flatten().numpy()
        names = list(codons.shares[amino])
        shares = np.array([codons.shares[amino][name] for name in names])
        if not len(places) or not shares.sum():
            continue
        exact = shares / shares.sum() * len(places)
        counts = np.floor(exact).astype(int)
        counts[np.argsort(counts - exact, kind="stable")[: len(places) - counts.sum()]] += 1
        dealt = rng.permutation(np.repeat(np.arange(len(names)), counts))
        for place, codon in zip(places, dealt, strict=True):
            wish[place, _NUMBER[names[int(codon)]]] += DEALT


def _best(wish: Tensor) -> str:
    """The gene that a wish (c, 64) asks for."""
    return "".join(_CODONS[i] for i in wish.argmax(1).tolist())


def _search(wanted: Sequence[Tensor], options: LetterRules) -> list[str | None]:
    """A gene for each wish (c, 64), or None: the best codons where they obey the rules, else a beam's."""
    texts: list[str | None] = [None] * len(wanted)
    open_ = sorted(range(len(wanted)), key=lambda i: len(wanted[i]))
    for ways, block in STAGES:
        left = []
        for first in range(0, len(open_), block):
            mine = open_[first : first + block]
            tried = [_block([wanted[i] for i in mine], options, *way) for way in ways]
            for i, genes in zip(mine, zip(*tried, strict=True), strict=True):
                found = [gene for gene in genes if gene is not None]
                texts[i] = max(found, key=partial(_score, wanted[i]), default=None)
                left += [] if found else [i]
        open_ = left
    for i in open_:
        texts[i] = _last_resort(wanted[i], options)
    by_length = sorted(range(len(wanted)), key=lambda i: len(wanted[i]))
    lossy = [(i, text) for i in by_length if (text := texts[i]) and _loses(wanted[i], text)]
    for first in range(0, len(lossy), BLOCK):
        places, genes = zip(*lossy[first : first + BLOCK], strict=True)
        for i, better in zip(places, _polished([wanted[i] for i in places], genes, options), strict=True):
            texts[i] = better
    return texts


def _loses(wish: Tensor, gene: str) -> bool:
    """Whether a gene has clearly less than the sum that it could have without rules."""
    return _score(wish, _best(wish)) - _score(wish, gene) > LOSS * len(wish)


def _polished(wanted: Sequence[Tensor], genes: Sequence[str], options: LetterRules) -> list[str]:
    """The genes with better codons wherever rules permit it, the most gain first.

    Prices that bring G and C within limits are those of whole windows, so that some codons pay for nothing.
    """
    wish, sizes = _stacked(wanted)
    rules, rows = _rules(wish, sizes, options), torch.arange(len(genes))
    codons = torch.zeros(wish.shape[:2], dtype=torch.long)
    for i, gene in enumerate(genes):
        codons[i, : len(gene) // 3] = torch.tensor([_NUMBER[gene[k : k + 3]] for k in range(0, len(gene), 3)])
    gain = (wish - wish.gather(2, codons.unsqueeze(2))).flatten(1)
    inside = (torch.arange(wish.shape[1]) < sizes.unsqueeze(1)).repeat_interleave(64, 1)
    gain, order = gain.masked_fill(~inside, 0.0).sort(dim=1, descending=True, stable=True)
    for k in range(int((gain > TINY).sum(1).max())):
        place, codon = order[:, k] // 64, order[:, k] % 64
        better = wish[rows, place, codon] > wish[rows, place, codons[rows, place]] + TINY
        tried = (better & (gain[:, k] > TINY)).nonzero().flatten()
        if not len(tried):
            continue
        changed = codons[tried].scatter(1, place[tried, None], codon[tried, None])
        good = rules.is_feasible(_letters(changed, sizes[tried]), tried)
        codons[tried[good]] = changed[good]
    return _texts(_letters(codons, sizes), sizes)


def _score(wish: Tensor, gene: str) -> float:
    """The sum of the wish (c, 64) over the codons of a gene."""
    codons = torch.tensor([_NUMBER[gene[i : i + 3]] for i in range(0, len(gene), 3)])
    return float(wish.gather(1, codons.unsqueeze(1)).sum())


def _block(wanted: Sequence[Tensor], options: LetterRules, width: int, mended: bool) -> list[str | None]:
    """Genes of similar length from a beam of some width, or for width 0 from the best codons.

    mended: codons at fault are changed before.
    """
    wish, sizes = _stacked(wanted)
    rules = _rules(wish, sizes, options)
    wish = _mended(wish, sizes, rules) if mended else _priced(wish, sizes, rules)
    rows = torch.arange(len(wanted))
    tokens, good = _letters(wish.argmax(2), sizes), torch.ones(len(wanted), dtype=torch.bool)
    if width:
        tokens, good = _beam(rules, wish, sizes, rows, width)
    good &= rules.is_feasible(tokens, rows)
    return [text if fine else None for text, fine in zip(_texts(tokens, sizes), good.tolist(), strict=True)]


def _stacked(wanted: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Wishes (B, C, 64), and codons of each."""
    sizes = torch.tensor([len(wish) for wish in wanted])
    wish = torch.zeros(len(wanted), int(sizes.max()), 64)
    for i, own in enumerate(wanted):
        wish[i, : len(own)] = own
    return wish, sizes


def _texts(tokens: Tensor, sizes: Tensor) -> list[str]:
    """Genes of so many codons, from tokens (B, L)."""
    rows = zip(tokens.tolist(), sizes.tolist(), strict=True)
    return ["".join(_DNA.letters[k] for k in row[: 3 * n]) for row, n in rows]


def _letters(codons: Tensor, sizes: Tensor) -> Tensor:
    """Tokens (B, L) of codons (B, C); padding behind the end."""
    tokens = torch.stack([codons // 16, codons // 4 % 4, codons % 4], 2).flatten(1)
    return tokens.masked_fill(torch.arange(tokens.shape[1]) >= 3 * sizes.unsqueeze(1), _DNA.size + 3)


def _rules(wish: Tensor, sizes: Tensor, options: LetterRules) -> Rules:
    """The rules of genes of some lengths; behind the end of a gene anything may stand."""
    may = (wish > NEVER / 2).unflatten(2, (4, 4, 4))
    mask = torch.stack([may.amax((3, 4)), may.amax((2, 4)), may.amax((2, 3))], 2).flatten(1, 2)
    mask |= torch.arange(mask.shape[1])[None, :, None] >= 3 * sizes[:, None, None]

    def codons(starts: Starts) -> Constraint:
        return MaskConstraint("the protein", mask, lambda row, i: "a letter of its codons")

    return build_rules(
        options,
        _DNA,
        _letters(wish.argmax(2), sizes),
        lengths=3 * sizes,
        shortest=3 * int(sizes.min()),
        more=[codons],
        skip_idle=True,
    )


def _priced(wish: Tensor, sizes: Tensor, rules: Rules) -> Tensor:
    """The wish with prices on G and C that bring it near what rules permit."""
    return _towards_windows(_towards_gc(wish, sizes, rules), sizes, rules)


def _mended(wish: Tensor, sizes: Tensor, rules: Rules) -> Tensor:
    """The priced wish in which codons at fault are worth less, until its best codons obey the rules.

    At each place that breaks a rule it is the codon whose next best one costs least.
    """
    wish = wish.clone()
    rows = torch.arange(len(wish))
    for _ in range(ROUNDS):
        priced = _priced(wish, sizes, rules)
        tokens = _letters(priced.argmax(2), sizes)
        bad = (~rules.is_feasible(tokens, rows)).nonzero().flatten().tolist()
        if not bad:
            break
        for row in bad:
            for found in rules.explain(tokens[row], row):
                if found.first is None or found.last is None:
                    continue
                first, last = (found.first - 1) // 3, min((found.last - 1) // 3, int(sizes[row]) - 1)
                best, which = priced[row, first : last + 1].topk(2)
                cost = (best[:, 0] - best[:, 1]).masked_fill(best[:, 1] < NEVER / 2, torch.inf)
                place = int(cost.argmin())
                if math.isfinite(float(cost[place])):
                    wish[row, first + place, which[place, 0]] -= DEALT
    return _priced(wish, sizes, rules)


def _towards_gc(wish: Tensor, sizes: Tensor, rules: Rules) -> Tensor:
    """The wish with a price on G and C such that the best codons have as many as the rules permit.

    The price is found by bisection for each gene; codons are chosen place by place, so that this is the best
    gene with its number of G and C (Everett 1963).
    """
    inside = (torch.arange(wish.shape[1]) < sizes.unsqueeze(1)).unsqueeze(2)
    gc = torch.tensor([sum(c in "GC" for c in codon) for codon in _CODONS], dtype=wish.dtype)
    for rule in rules.constraints:
        around = rule.around if isinstance(rule, InContext) else None
        inner = rule.inner if isinstance(rule, InContext) else rule
        if not isinstance(inner, GC):
            continue
        beside = 0 if around is None else around.letters
        flank = 0 if around is None else int(inner.is_gc[torch.cat([around.left, around.right])].sum())
        limits = inner.limits[3 * sizes + beside] - flank
        spare = ((limits[:, 1] - limits[:, 0]) // 4).clamp(0, SPARE)
        limits = torch.stack([limits[:, 0] + spare, limits[:, 1] - spare], 1)
        low, high = torch.full((len(wish),), -8.0), torch.full((len(wish),), 8.0)
        price = torch.zeros_like(low)
        for _ in range(30):
            best = (wish - price[:, None, None] * gc).argmax(2, keepdim=True)
            count = (gc[best] * inside).sum((1, 2))
            low = torch.where(count > limits[:, 1], price, low)
            high = torch.where(count < limits[:, 0], price, high)
            fine = (count >= limits[:, 0]) & (count <= limits[:, 1])
            # The smallest price that will do: go on towards 0 from there.
            high = torch.where(fine & (price >= 0), price, high)
            low = torch.where(fine & (price <= 0), price, low)
            if bool((low == high).all()):
                break
            price = (low + high) / 2
        price = torch.where(low >= 0, high, low)  # the end that will do
        wish = wish - price[:, None, None] * gc * inside
    return wish


def _towards_windows(wish: Tensor, sizes: Tensor, rules: Rules) -> Tensor:
    """The wish with prices on G and C where windows of the best codons have too many or too few.

    Prices rise step by step until no window is at fault, so that the search meets few dead ends. It decides.
    """
    inner = [rule.inner if isinstance(rule, InContext) else rule for rule in rules.constraints]
    windows = [rule for rule in inner if isinstance(rule, GCWindow | GCDifference)]
    gc = torch.tensor([sum(c in "GC" for c in codon) for codon in _CODONS], dtype=wish.dtype)
    price = torch.zeros(wish.shape[:2])
    for _ in range(ROUNDS if windows else 0):
        tokens = _letters((wish - price.unsqueeze(2) * gc).argmax(2), sizes)
        step = torch.zeros_like(tokens)
        for rule in windows:
            step += _at_fault(rule, tokens, 3 * sizes)
        if not bool(step.any()):
            break
        price += STEP * step.unflatten(1, (-1, 3)).sum(2).sign()
    return wish - price.unsqueeze(2) * gc


def _at_fault(rule: GCWindow | GCDifference, tokens: Tensor, lengths: Tensor) -> Tensor:
    """Letters (B, L) of tokens in windows with too many G and C, 1, or too few, -1; else 0."""
    width, length = rule.width, tokens.shape[1]
    if length < width:
        return torch.zeros_like(tokens)
    running = torch.nn.functional.pad(rule.is_gc[tokens.clamp(max=4)].cumsum(1), (1, 0))
    count = running[:, width:] - running[:, :-width]
    whole = torch.arange(width, length + 1) <= lengths.unsqueeze(1)
    if isinstance(rule, GCWindow):
        fewest, most = torch.tensor(rule.fewest), torch.tensor(rule.most)
    else:
        fewest = count.masked_fill(~whole, -1).amax(1, keepdim=True) - rule.most
        most = count.masked_fill(~whole, length).amin(1, keepdim=True) + rule.most
    fault = ((count > most).long() - (count < fewest).long()) * whole
    begins = torch.nn.functional.pad(fault, (0, width - 1)).cumsum(1)
    ends = torch.nn.functional.pad(fault, (width, 0))[:, :length].cumsum(1)
    return (begins - ends).sign()


def _beam(rules: Rules, wish: Tensor, sizes: Tensor, rows: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Tokens (B, L) for some rows, and whether a gene was found; rows are of any length."""
    order = sizes[rows].argsort(descending=True, stable=True)
    owner, lengths = rows[order], 3 * sizes[rows[order]]
    count, longest = len(owner), int(lengths.max())
    tables = _by_letter(wish[owner])
    score = torch.zeros(count, 1)
    state, word = rules.start(owner), torch.zeros(count, 1, dtype=torch.long)
    history: list[tuple[Tensor, Tensor]] = []
    last, done = torch.zeros(count, dtype=torch.long), torch.zeros(count, dtype=torch.bool)
    for t in range(longest):
        going = int((lengths > t).sum())
        beams = score.shape[1]
        if going < len(score):
            score, word = score[:going], word[:going]
            state = tuple(x[: going * beams] for x in state)
        own = owner[:going].repeat_interleave(beams)
        may = rules.letters(state, own, t).view(going, beams, 4)
        step = tables[t % 3][:going, t // 3].gather(1, word.unsqueeze(2).expand(-1, -1, 4))
        total = (score.unsqueeze(2) + step).masked_fill(~may | (step < NEVER / 2), -torch.inf)
        score, index = total.flatten(1).topk(min(width, beams * 4))
        parents = index.div(4, rounding_mode="floor")
        letters = index - parents * 4
        history.append((parents, letters))
        place = (parents + torch.arange(going).unsqueeze(1) * beams).flatten()
        own = owner[:going].repeat_interleave(parents.shape[1])
        state = rules.advance(tuple(x.index_select(0, place) for x in state), letters.flatten(), own, t)
        word = word.gather(1, parents) * 4 + letters if t % 3 < 2 else torch.zeros_like(parents)
        ends = (lengths[:going] == t + 1).nonzero().flatten()
        if len(ends):
            fine = rules.may_end(state, own, t + 1).view(going, -1)[ends]
            final = score[ends].masked_fill(~fine, -torch.inf)
            last[ends], done[ends] = final.argmax(1), final.amax(1) > -torch.inf
    tokens = torch.full((count, wish.shape[1] * 3), _DNA.size + 3)
    beam = last.unsqueeze(1)
    for t in range(longest - 1, -1, -1):
        parents, letters = history[t]
        going = len(parents)
        tokens[:going, t] = letters.gather(1, beam[:going]).squeeze(1)
        beam = torch.cat([parents.gather(1, beam[:going]), beam[going:]])
    back = order.argsort()
    return tokens[back], done[back]


def _by_letter(wish: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What each letter of a codon adds, (B, C, letters before as a number, 4), from wishes (B, C, 64).

    After each letter the sum is that of the best codon that begins so.
    """
    codons = wish.unflatten(2, (4, 4, 4))
    one, two = codons.amax((3, 4)), codons.amax(4)
    impossible = torch.full_like(one[..., :1], NEVER)
    second = torch.where(one.unsqueeze(3) < NEVER / 2, impossible.unsqueeze(3), two - one.unsqueeze(3))
    third = torch.where(two.unsqueeze(4) < NEVER / 2, impossible[..., None, None], codons - two.unsqueeze(4))
    return one.unsqueeze(2), second, third.flatten(2, 3)


def _last_resort(wish: Tensor, options: LetterRules) -> str | None:
    """Any gene that obeys the rules, near the one that is wished for, by the complete search."""
    start = _best(wish)
    stated = {name: getattr(options, name) for name in LetterRules.__dataclass_fields__ if name != "PANEL"}
    tokens = _letters(wish.argmax(1)[None], torch.tensor([len(wish)]))
    own = ConstraintOptions(**stated, translate=(f"1-{len(start)}",))
    rules = build_rules(own, _DNA, tokens, skip_idle=True)
    preference = torch.nn.functional.one_hot(tokens, 4).float()
    better, good = rules.repair(preference, torch.zeros(1, dtype=torch.long))
    return "".join(_DNA.letters[k] for k in better[0].tolist()) if bool(good) else None
