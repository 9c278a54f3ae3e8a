"""Does the guard guard? Cases with known truth, and measured landscapes, by train-predictor and maximize.

Each family of cases was written before any of its results was seen; the first three were then developed on,
and what holds designs near the rows was found on the fourth (docs/methods/trust.md says which knew which).

For every case and seed a predictor is trained and 64 designs are made with the defaults (what differs is in
the table of cases). A design is truly bad if its true gain, over what it is compared with, is not above half
of what its headline says. That can be read as a gain (over what the judges think of the parent) or as a value
(whose gain is over what the parent truly is): a design that keeps either is not bad. So one is not bad that
measures what was said, though a parent that no row is like was misjudged; and one whose gain is right, though
all values are on another scale. Until the sixth family only the gain counted; ``bad by gain`` is that.
Printed are how many of the bad and of the good designs are flagged (any status but ok), how many of the
measured values of designs lie in their 95% intervals, whether the promise made for the mean of the designs
was broken, which part it covers of what could have been promised (from what designs are compared with to
their true mean), and how many of the designs with status ok are at least as good as said, which three in four
should be. Where outcomes are labels, the truth of a sequence is the probability of the second one, and gains
are differences of probabilities; labels have no intervals. Where the predictor learns logarithms, truths are
logarithms, too.

    python benchmarks/design/guard.py --family fresh --seeds 3 --epochs 15 --data ../shared/data

--records writes every design with what is said of it and the truth, by which rules are compared in seconds.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import _guard_cases
import _guard_eighth
import _guard_fifth
import _guard_fourth
import _guard_fresh
import _guard_ninth
import _guard_seventh
import _guard_sixth
import _guard_tenth
import _guard_third
import numpy as np
import torch
from _guard_cases import Case, FloatArray
from numpy.typing import NDArray

from seqdesign.commands.train.train_predictor import TrainPredictorConfig, train_predictor
from seqdesign.design import campaign
from seqdesign.design.opening import open_model
from seqdesign.design.records import Design, DesignSummary
from seqdesign.sequences.numbers import span_powers
from seqdesign.sequences.reader import SequenceSet

FAMILIES = {
    "development": _guard_cases.cases,
    "fresh": _guard_fresh.cases,
    "third": _guard_third.cases,
    "fourth": _guard_fourth.cases,
    "fifth": _guard_fifth.cases,
    "sixth": _guard_sixth.cases,
    "seventh": _guard_seventh.cases,
    "eighth": _guard_eighth.cases,
    "ninth": _guard_ninth.cases,
    "tenth": _guard_tenth.cases,
}
NUM = 64
SMALLEST = 1e-6
"""What is at most zero has no logarithm."""
OUTCOME, LOGARITHM = "predicted_outcome", "predicted_log10_outcome"
TOTALS = (
    "bad", "bad flagged", "good", "good flagged", "bad by gain", "bad by gain flagged", "fine", "as said"
)  # fmt: skip


def run(
    case: Case, folder: Path, seed: int, epochs: int | None
) -> tuple[dict[str, float], list[dict[str, Any]]]:
    source = folder / "train.csv"
    with source.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["id", "sequence", "outcome"])
        writer.writerows(
            (f"s{i}", t, f"{y:.8g}") for i, (t, y) in enumerate(zip(case.texts, case.values, strict=True))
        )
    training = {**({} if epochs is None else {"epochs": epochs}), **case.training}
    if span_powers(case.values):  # headlines in the units of the truth
        training = {"task": "regression", **training}
    train_predictor(
        TrainPredictorConfig(
            sequences=source, output=folder / "model", seed=seed, quiet=True, overwrite=True,
            on_duplicate="keep", **training,
        )
    )  # fmt: skip
    model = open_model(folder / "model", torch.device("cpu"))
    starts = (
        SequenceSet([f"p{i}" for i in range(len(case.start))], case.start, source="start")
        if case.start
        else None
    )
    designs, summary = campaign.run(model, num=NUM, starts=starts, seed=seed, **case.design)
    return judged(case, designs, summary, np.random.default_rng([seed, 7]))


def is_bad(gain: FloatArray, *claims: FloatArray) -> NDArray[np.bool_]:
    """Of true gains and those that headlines say, in one or several readings (n,): bad in all of them."""
    return (gain <= 0.5 * np.min(claims, axis=0)) | (gain <= 1e-9)


def _numeric(design: Design) -> bool:
    """Whether the outcome is a number, whose predictions have intervals; else it is a label."""
    return f"{_key(design)}_low" in design.outcomes


def _key(design: Design) -> str:
    return LOGARITHM if LOGARITHM in design.outcomes else OUTCOME


def _value(design: Design, score: float) -> float:
    """A score in units of the truth: of labels, whose scores are log-odds, a probability."""
    return float(score if _numeric(design) else 1 / (1 + np.exp(-score)))


def _gain(design: Design, score: float) -> float:
    """What a score promises of a design over what it is compared with."""
    return _value(design, score) - _value(design, design.score_start)


def judged(
    case: Case, designs: Sequence[Design], summary: DesignSummary, rng: np.random.Generator
) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """Figures of a case, and its designs with what is said of them and the truth."""
    logarithms = any(LOGARITHM in d.outcomes for d in designs)

    def scaled(values: list[float | None] | FloatArray) -> FloatArray:
        """Values in the units of predictions."""
        plain = np.array(values, dtype=float)
        return np.log10(np.maximum(plain, SMALLEST)) if logarithms else plain

    known = [(d, value) for d in designs if (value := case.truth(d.sequence)) is not None]
    found = list(zip([d for d, _ in known], scaled([value for _, value in known]), strict=True))
    base = np.mean(scaled([case.truth(t) for t in (case.start or case.texts)]))
    gain = np.array([value - base for _, value in found])
    claim = np.array([_gain(d, d.score) for d, _ in found])
    flagged = np.array([d.status != "ok" for d, _ in found], dtype=bool)
    value = np.array([_value(d, d.score) - base for d, _ in found])
    bad, by_gain = is_bad(gain, claim, value), is_bad(gain, claim)
    numeric = all(_numeric(d) for d, _ in found)
    records = [
        {**d.row(), "truth": true, "gain": g, "claim": c, "bad": int(b), "bad_by_gain": int(o)}
        for (d, true), g, c, b, o in zip(found, gain, claim, bad, by_gain, strict=True)
    ]
    measured = scaled(np.array([value for _, value in known]) + case.noise * rng.standard_normal(len(known)))
    low, high = (
        np.array([open_end if (x := d.outcomes[f"{_key(d)}_{end}"]) is None else x for d, _ in found])
        if numeric
        else np.full(len(found), np.nan)
        for end, open_end in (("low", -np.inf), ("high", np.inf))
    )
    status = {
        name: float(np.mean([d.status == name for d, _ in found]))
        for name in ("unconfirmed", "extrapolates", "unusual")
    }
    promised = broken = covered = bounds = bounds_broken = np.nan
    if summary.promise is not None and not flagged.all():
        fine = float(np.mean([v for (_, v), doubtful in zip(found, flagged, strict=True) if not doubtful]))
        bounds, bounds_broken = summary.promise.bounds - base, float(fine < summary.promise.bounds)
        covered = 0.0 if fine > base else np.nan
        if summary.promise.least is not None:
            promised, broken = summary.promise.least - base, float(fine < summary.promise.least)
            if fine > base:
                covered = float(np.clip(promised / (fine - base), 0, 1))
    figures = {
        "inside": len(found) / max(1, len(designs)),
        "claim": float(np.mean([_gain(d, d.score_design) for d, _ in found])),
        "headline": float(claim.mean()), "true": float(gain.mean()), "bad": float(bad.sum()),
        "bad flagged": float((bad & flagged).sum()), "good": float((~bad).sum()),
        "good flagged": float((~bad & flagged).sum()),
        "fine": float((~flagged).sum()),
        "as said": float((~flagged & (gain >= np.minimum(claim, value))).sum()),
        "bad by gain": float(by_gain.sum()), "bad by gain flagged": float((by_gain & flagged).sum()),
        "coverage": float(((measured >= low) & (measured <= high)).mean()) if numeric else np.nan,
        "open": float((np.isinf(low) | np.isinf(high)).mean()),
        **status, "promised": promised, "broken": broken, "covered": covered,
        "lower bounds": bounds, "bounds broken": bounds_broken,
    }  # fmt: skip
    return figures, records


def rows(
    args: argparse.Namespace,
) -> Iterator[tuple[str, int, dict[str, float], list[dict[str, Any]]]]:
    for name, make in FAMILIES[args.family](args.data).items():
        if args.only and not any(text in name for text in args.only):
            continue
        for seed in range(args.first, args.first + args.seeds):
            case = make(np.random.default_rng([seed, len(name)]))
            with tempfile.TemporaryDirectory() as folder:
                yield name, seed, *run(case, Path(folder), seed, args.epochs)


def write_records(path: Path, records: Sequence[dict[str, Any]]) -> None:
    """A table with the columns of all records."""
    columns = list(dict.fromkeys(name for record in records for name in record))
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, columns)
        writer.writeheader()
        writer.writerows(records)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="folder of the larger data sets"
    )
    parser.add_argument("--family", choices=list(FAMILIES), default="development")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--epochs", type=int, help="passes of train-predictor (default: its own)")
    parser.add_argument("--only", nargs="*", help="cases whose names hold one of these texts")
    parser.add_argument("--records", type=Path, metavar="FILE.csv", help="write every design to this table")
    args = parser.parse_args()
    torch.set_num_threads(1)
    total: dict[str, float] = {}
    promises: list[tuple[float, float]] = []
    every: list[dict[str, Any]] = []
    for name, seed, row, records in rows(args):
        every += [{"case": name, "seed": seed, **record} for record in records]
        if args.records is not None:  # what there is, should a later case fail
            write_records(args.records, every)
        began = time.strftime("%H:%M:%S")
        shown = "  ".join(f"{key} {value:.3g}" for key, value in row.items())
        print(f"{began}  {name:<28} seed {seed}  {shown}", flush=True)
        if "undetectable" not in name:
            for key in TOTALS:
                total[key] = total.get(key, 0.0) + row[key]
            promises.append((row["broken"], row["covered"]))
    print(
        f"flagged: {total['bad flagged']:.0f} of {total['bad']:.0f} truly bad designs, "
        f"{total['good flagged']:.0f} of {total['good']:.0f} good ones; by gain alone "
        f"{total['bad by gain flagged']:.0f} of {total['bad by gain']:.0f} bad ones; of those that nothing "
        f"speaks against {total['as said']:.0f} of {total['fine']:.0f} are at least as good as said"
    )
    broken, covered = np.array(promises).reshape(-1, 2).T
    print(
        f"promises: {np.isfinite(broken).sum()} in {len(broken)} runs, {np.nansum(broken):.0f} broken; of "
        f"what could be promised in {np.isfinite(covered).sum()} runs they cover {np.nanmean(covered):.2f}"
    )


if __name__ == "__main__":
    main()
