"""What was measured of mutants, on the structure of the molecule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from seqdesign.models.predictor.sections import effects_of
from seqdesign.pages.runs import Run
from seqdesign.reports.html import Figure, Page
from seqdesign.reports.plots import structure
from seqdesign.sequences.alphabets import model_alphabet
from seqdesign.sequences.lab.structures import Mapped, map_chain, read_chains
from seqdesign.training.measured import load_measured

FloatArray = NDArray[np.float64]
LISTED = 12
"""Positions that are named where some could not be mapped."""


def can_be_mapped(run: Run) -> bool:
    """Whether a model has learned from measured sequences of one length, the positions of a structure."""
    known = load_measured(run.path) if run.is_model else None
    return known is not None and known.values.size > 0 and len(set(known.lengths.tolist())) == 1


def add_structure(page: Page, run: Run, path: Path) -> None:
    """The section of a model for which ``can_be_mapped`` holds. Raises InputError for the file ``path``."""
    known, alphabet = load_measured(run.path), model_alphabet(run.path)
    assert known is not None
    assert alphabet is not None
    length = int(known.lengths[0])
    names = list(run.result.get("outcomes") or ())[: known.values.shape[1]] or ["outcome"]
    common = [np.bincount(column, minlength=alphabet.size).argmax() for column in known.tokens[:, :length].T]
    wild = known.numbering.wild_type or "".join(
        alphabet.letters[i] if i < alphabet.size else "X" for i in common
    )
    chains = read_chains(path)
    mapped = map_chain(wild, chains, source=str(path))
    first = known.numbering.first
    figures = []
    for k, name in enumerate(names):
        rows = np.isfinite(known.values[:, k])
        effects, places, letters = effects_of(known.tokens[rows], known.values[rows, k], alphabet.size)
        values = np.full(length, np.nan)
        values[places] = _mean_change(effects, letters)
        others = [chain.places for chain in chains if chain is not mapped.chain]
        figures.append(Figure(_draw(mapped, wild, values, others, name, first), _caption(mapped, name)))
    text = " ".join(_said(mapped, wild, first, str(path)))
    page.section("On the structure", text, figures)


def _mean_change(effects: FloatArray, common: NDArray[np.int64]) -> FloatArray:
    """(P,) mean of the effects (P, V) of all letters but the commonest, less the effect of that one."""
    own = effects[np.arange(len(effects)), common]
    others = effects.copy()
    others[np.arange(len(effects)), common] = np.nan
    count = np.isfinite(others).sum(axis=1)
    mean: FloatArray = np.nansum(others, axis=1) / np.where(count > 0, count, np.nan)
    return mean - own


def _draw(
    mapped: Mapped, wild: str, values: FloatArray, others: list[FloatArray], name: str, first: int
) -> Markup:
    """The trace of the chain; residues that no letter has are grey."""
    chain = mapped.chain
    by_residue = {r: i for i, r in enumerate(mapped.residues) if r is not None}
    shown = np.array(
        [values[by_residue[r]] if r in by_residue else np.nan for r in range(len(chain.sequence))]
    )
    tips = []
    for r, letter in enumerate(chain.sequence):
        i = by_residue.get(r)
        own = f"{chain.name} {letter}{chain.numbers[r]}"
        if i is None:
            tips.append(f"{own}: not in the sequences")
        else:
            value = "does not vary" if np.isnan(values[i]) else f"{values[i]:+.3g}"
            tips.append(f"{wild[i]}{i + first}: {value}\nresidue {own}")
    data: dict[str, Sequence[object]] = {
        "position": [i + first for i in by_residue.values()],
        "letter": [wild[i] for i in by_residue.values()],
        "residue": [f"{chain.name}{chain.numbers[r]}" for r in by_residue],
        f"mean change of {name}": [float(values[i]) for i in by_residue.values()],
    }
    return structure(
        chain.places, shown, tips, title=f"{name} on the structure", unit=name, data=data, others=others
    )


def _caption(mapped: Mapped, name: str) -> str:
    return (
        f"Chain {mapped.chain.name}. Colour: mean change of {name} when the letter is another than the "
        "commonest. Vermillion loses, blue gains. Drag it, or use the arrows, to turn it."
    )


def _said(mapped: Mapped, wild: str, first: int, path: str) -> Iterator[str]:
    """What the structure is, and what did not map."""
    count = len(wild) - len(mapped.missing)
    chain = mapped.chain
    yield (
        f"{count:,} of {len(wild):,} positions were found in chain {chain.name} of {path} "
        f"({mapped.identity:.0%} equal letters)."
    )
    if mapped.missing:
        yield f"Not in the structure: {_listed([f'{wild[i]}{i + first}' for i in mapped.missing])}."
    if mapped.different:
        pairs = [
            f"{wild[i]}{i + first} is {chain.sequence[r]}{chain.numbers[r]}"
            for i in mapped.different
            if (r := mapped.residues[i]) is not None
        ]
        yield f"Another letter there: {_listed(pairs)}."
    extra = len(chain.sequence) - count
    if extra:
        what = "1 residue of the chain is" if extra == 1 else f"{extra:,} residues of the chain are"
        yield f"{what} not in the sequences."


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
