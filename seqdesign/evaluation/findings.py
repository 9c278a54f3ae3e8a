"""What the numbers of ``evaluate`` say, in sentences, and the table above them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seqdesign.evaluation.measures import FEW

if TYPE_CHECKING:
    from seqdesign.evaluation.measures import Row
    from seqdesign.metrics.resampling import FloatArray

SHARES = (
    "repeats", "copies", "too_close", "prefers_training", "unusual", "chimeras", "out_of_place",
    "unjudged_vae", "unjudged_predictor",
)  # fmt: skip
DISTANCES = ("length", "gc", "within_", "js_", "kl_", "mmd_", "profile_")


@dataclass(frozen=True)
class Finding:
    """One sentence."""

    flagged: bool
    text: str
    about: str = ""
    """Which question it answers: ``new``, ``varied``, ``alike`` or ``believable``; empty for none of them."""


def findings(
    rows: Mapping[str, Row],
    real: str,
    predictions: Mapping[str, Mapping[str, FloatArray]] | None = None,
    *,
    designs: bool = False,
) -> tuple[Finding, ...]:
    """Sentences from the rows by name; ``real`` says whom "real" means, such as "held-out".

    predictions: by outcome, then by whose they are. designs: whether they are meant to differ from real ones.
    """
    answers = {
        "": _number(rows),
        "new": _novelty(rows) if designs else _copying(rows, real),
        "varied": _variety(rows),
        "alike": [*_likeness(rows), *_structure(rows, real)],
        "believable": _predicted(rows, predictions or {}),
    }
    found = [replace(one, about=about) for about, some in answers.items() for one in some]
    return tuple(sorted(found, key=lambda f: not f.flagged))


def _number(rows: Mapping[str, Row]) -> Iterator[Finding]:
    few = [row.label for row in rows.values() if row.verdict == "too few"]
    if few:
        yield Finding(
            False,
            f"Too few sequences to call them as real: fewer than {FEW} are compared, so {len(few)} of "
            f"{len(rows)} measures show large differences only.",
        )


def _novelty(rows: Mapping[str, Row]) -> Iterator[Finding]:
    """Of designs: whether they are new, and how far from what was measured."""
    copies, far = rows.get("copies"), rows.get("mean_nearest")
    if copies is not None:
        yield Finding(
            copies.value > 0,
            f"{_share(copies.value)} of the designs are training sequences, so known already."
            if copies.value
            else "No design is a training sequence.",
        )
    if far is not None:
        yield Finding(False, f"They are {far.value:.3g} edits from the nearest training sequence on average.")


def _copying(rows: Mapping[str, Row], real: str) -> Iterator[Finding]:
    copies, close, prefers = (rows.get(n) for n in ("copies", "too_close", "prefers_training"))
    if copies is not None:
        text = (
            f"{_share(copies.value)} of the sequences are copies of training sequences"
            if copies.value
            else "No sequence is a copy of a training sequence"
        )
        text += f" ({real} ones: {_share(copies.real)})." if copies.value or copies.real else "."
        if copies.verdict == "as real" and copies.value > 0.01:
            text += " That is what these sets lead to expect without copying."
        yield Finding(copies.verdict == "flagged", text)
    if close is None:
        return
    flagged = close.verdict == "flagged"
    start = "The training set looks memorized" if flagged else "No sign that the training set was memorized"
    if close.verdict == "too few":
        start = "Too few sequences to tell whether the training set was memorized"
    text = f"{start}: {_share(close.value)} are nearer to it than 99% of {real} ones are"
    if prefers is not None and close.value > 0.02:
        text += (
            f"; of those that near to a real one, {_share(prefers.value)} are nearest to a training one "
            f"({_share(prefers.real)} is fair)"
        )
    yield Finding(flagged, f"{text}.")
    far = rows["mean_nearest"]
    if far.verdict == "flagged":
        yield Finding(
            True,
            f"They lie farther from the training set than {real} ones do: {far.value:.3g} edits on average, "
            f"not {far.real:.3g}.",
        )


def _variety(rows: Mapping[str, Row]) -> Iterator[Finding]:
    repeats = rows["repeats"]
    beside = "" if repeats.verdict == "" else f" (real ones: {_share(repeats.real)})"
    yield Finding(
        repeats.verdict == "flagged",
        f"{_share(repeats.value)} of the sequences repeat another one{beside}."
        if repeats.value
        else "All sequences are different.",
    )
    poor = [rows[n] for n in ("pairwise", "clusters") if rows[n].verdict == "flagged"]
    if poor:
        which = "; ".join(f"{r.label}: {r.value:.3g}, not {r.real:.3g}" for r in poor)
        yield Finding(True, f"They are less different from each other than real ones are: {which}.")
    elif rows["pairwise"].verdict == "as real":
        yield Finding(False, "They are as different from each other as real ones are.")


def _likeness(rows: Mapping[str, Row]) -> Iterator[Finding]:
    distances = [r for r in rows.values() if r.name.startswith(DISTANCES)]
    far = [r for r in distances if r.verdict == "flagged"]
    if far:
        # Measures of one thing, such as words of 3, say the same: the first of them stands for all.
        first = {r.label.partition(",")[0]: r for r in reversed(far)}
        which = ", ".join(f"{what}{_times(first[what])}" for what in reversed(first))
        yield Finding(True, f"Farther from held-out sequences than the training set is, by {which}.")
    elif distances and distances[0].verdict != "too few":
        yield Finding(
            False,
            f"By {len(distances)} distances they are as close to held-out sequences as the training set is.",
        )
    auc, loglik = rows.get("auc"), rows.get("loglik")
    if auc is not None:
        flagged = auc.verdict == "flagged"
        text = "A classifier tells them from" if flagged else "A classifier hardly tells them from"
        if auc.verdict == "too few":
            text = "Too few sequences for a classifier to tell them from"
        text += f" held-out sequences: AUC {auc.value:.2f} (training ones {auc.real:.2f}, 0.5 is a guess)."
        yield Finding(flagged, text)
    if loglik is not None:
        flagged = loglik.verdict == "flagged"
        start = "less like held-out ones than training ones are" if flagged else "as natural as training ones"
        if loglik.verdict == "too few":
            start = "too few to compare with training ones"
        text = f"By the language model they are {start}: {loglik.value:.3g} nats a letter off"
        yield Finding(flagged, f"{text} (training ones {loglik.real:.3g}).")


def _structure(rows: Mapping[str, Row], real: str) -> Iterator[Finding]:
    """What ``add_structure`` found."""
    far, words, chimeras, placed, cnn = (
        rows.get(n) for n in ("far_pairs", "word_pairs", "chimeras", "out_of_place", "cnn")
    )
    if far is not None:
        flagged = far.verdict == "flagged"
        text = (
            "Positions depend on each other otherwise than in"
            if flagged
            else "Too few sequences to tell whether positions depend on each other as in"
            if far.verdict == "too few"
            else "Positions depend on each other as in"
        )
        text += f" {real} sequences: the worst pair differs by "
        text += f"{far.value:.3g} times what chance makes"
        yield Finding(flagged, f"{text} (training ones {far.real:.3g}).")
    if words is not None and words.verdict == "flagged":
        yield Finding(
            True,
            f"Pairs of words keep other distances than in {real} sequences: {words.value:.3g} squared "
            f"standard errors for the worst pair (training ones {words.real:.3g}).",
        )
    if chimeras is not None:
        flagged = chimeras.verdict == "flagged"
        text = f"{_share(chimeras.value)} look like chimeras of two training sequences"
        yield Finding(flagged, f"{text} ({real} ones: {_share(chimeras.real)}).")
    if placed is not None:
        flagged = placed.verdict == "flagged"
        text = f"{_share(placed.value)} have {placed.label}"
        yield Finding(flagged, f"{text} ({real} ones: {_share(placed.real)}).")
    if cnn is not None:
        flagged = cnn.verdict == "flagged"
        start = {"flagged": "tells", "too few": "had too few sequences to tell"}.get(
            cnn.verdict, "hardly tells"
        )
        yield Finding(flagged, f"A convolutional network {start} them from {real} ones: AUC {cnn.value:.2f}.")


def _predicted(
    rows: Mapping[str, Row], predictions: Mapping[str, Mapping[str, FloatArray]]
) -> Iterator[Finding]:
    for name, parts in predictions.items():
        row = rows[f"predicted_{name.replace(' ', '_')}"]
        text = f"Predicted {name}: {row.value:.3g} on average (95% interval {row.low:.3g} to {row.high:.3g})"
        above = rows.get(f"above_{name.replace(' ', '_')}")
        if above is not None:
            text += (
                f", training ones {row.real:.3g}, held-out ones {float(parts['held out'].mean()):.3g}; "
                f"{_share(above.value)} exceed 95% of the held-out ones ({_share(above.real)} of training "
                "ones)"
            )
        yield Finding(False, f"{text}.")
    for model in ("predictor", "vae"):
        unjudged = rows.get(f"unjudged_{model}")
        if unjudged is not None and unjudged.value > 0:
            yield Finding(
                unjudged.verdict == "flagged",
                f"{_share(unjudged.value)} cannot be judged by the {model} and are left out of what it says: "
                "they are shorter or longer than all it has learned from, or hardly known.",
            )
    unusual = rows.get("unusual")
    if unusual is not None and unusual.value > 0.01:
        text = f"{_share(unusual.value)} are unlike what the predictor has seen"
        text += "" if unusual.real != unusual.real else f" (training ones: {_share(unusual.real)})"
        yield Finding(unusual.verdict == "flagged", f"{text}; do not believe their predictions.")


def _times(row: Row) -> str:
    return (
        f" ({row.value / row.real:.1f} times)" if row.real > 1e-9 and not row.name.startswith("mmd") else ""
    )


def _share(value: float) -> str:
    return f"{value:.0%}" if value in (0.0, 1.0) else f"{100 * value:.2g}%" if value < 0.1 else f"{value:.1%}"


def cells(row: Row) -> dict[str, str]:
    """One line of the table for people; numbers as text."""

    def shown(value: float) -> str:
        if value != value:
            return ""
        if row.name in SHARES or row.name.startswith("above_"):
            return _share(value)
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

    interval = f"{shown(row.low)} to {shown(row.high)}" if row.low == row.low else ""
    return {
        "measure": row.label,
        "generated": shown(row.value),
        "interval": interval,
        "real": shown(row.real),
        "verdict": row.verdict,
    }
