"""The answer on top of a page about designs: how many, how good at least, what holds, which file to order."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seqdesign.objectives.reading import goals_in
from seqdesign.pages.designed import DesignSet
from seqdesign.reports.answer import Answer, Gauge, Tile
from seqdesign.reports.bars import interval_text
from seqdesign.runs.manifest import UNPREDICTABLE
from seqdesign.sequences.origin import predicted_key

BATCH = 24
"""Designs of a first batch."""
FIRST = 5
"""Designs that are named on top of a page."""
Rules = Sequence[Mapping[str, Any]]
"""Rows of ``constraints.check``."""
Ranges = Mapping[str, Sequence[float]]
"""Least and largest measured value of each outcome, by column."""

DOUBTS = {
    "unconfirmed": "not confirmed by the judges",
    "extrapolates": "beyond the data",
    "unusual": "unlike the training sequences",
    "infeasible": "inputs as they were",
    "violating": "break the rules",
    "unjudged": "not judged",
    "unchanged": "unchanged",
}
"""Status -> what it says against a design."""


def designs_answer(
    designs: DesignSet,
    *,
    asked: str,
    measured: Ranges,
    rules: Rules = (),
    summary: Mapping[str, Any] | None = None,
    files: Sequence[tuple[str, str]] = (),
    doubts: Sequence[str] = (),
) -> Answer:
    """The answer about sequences that were designed, revised or drawn.

    measured: the range of training outcomes. rules: as checked again on the sequences. summary: what
    ``maximize`` said at its end. doubts: what is said against the model.
    """
    summary = summary or {}
    unknown = any(UNPREDICTABLE in text for text in doubts)
    best = best_row(designs)
    tiles = [_count(designs)]
    gauge = None
    if best is not None:
        tile, gauge = _best(designs, best, measured)
        tiles.append(tile)
    tiles += _standing(designs, unknown=unknown)
    tiles += _obeyed(rules)
    tiles += _confirmed(designs, summary)
    verdict = _verdict(designs, best, gauge)
    if unknown and gauge is not None:
        verdict = f"The model hardly knows what it predicts, so this says little. {verdict}"
    return Answer(asked, verdict, tiles, gauge, [*files, *_first(designs)])


def asked_of_maximize(option: Mapping[str, Any], summary: Mapping[str, Any], model: str) -> str:
    """What was wanted of ``maximize``, in one sentence."""
    objective = objective_words(str(summary.get("objective", "max")))
    start = option.get("start")
    source = f"from {start}" if start else "from noise"
    if option.get("template"):
        source = f"within {option['template']}"
    rules = ", ".join(text.removeprefix("--") for text in summary.get("constraints") or ())
    return f"Sequences with {objective} by {model}, {source}; rules: {rules or 'none'}."


def objective_words(text: str) -> str:
    """An objective as it is typed, in words."""
    words = {
        "max": "the highest {}", "min": "the lowest {}", "target": "{} near {}", "at-least": "{} ≥ {}",
        "at-most": "{} ≤ {}",
    }  # fmt: skip
    parts = []
    for one in goals_in(text):
        kind, _, name = one.partition("*")[0].partition(":")  # without its weight
        head, _, value = kind.partition("=")
        if head not in words:
            return f"the objective {text}"
        name, _, goal = name.partition("=")
        parts.append(words[head].format(name or "outcome", value or goal))
    return " and ".join(parts)


def best_row(designs: DesignSet) -> Mapping[str, Any] | None:
    """The design with the best cautious bound of those that nothing speaks against, else of all."""
    if designs.worth is None:
        return None
    worth = np.nan_to_num(designs.worth, nan=-np.inf)
    fine = np.array([row.get("status", "ok") in ("ok", "revised") for row in designs.rows])
    if fine.any():
        worth = np.where(fine, worth, -np.inf)
    place = int(worth.argmax())
    return designs.rows[place] if np.isfinite(worth[place]) else None


def _first(designs: DesignSet) -> Iterator[tuple[str, str]]:
    """The few that one would order first: those that nothing speaks against, by their cautious bound."""
    if designs.worth is None or len(designs) <= FIRST:
        return
    worth, goal = np.nan_to_num(designs.worth, nan=-np.inf), designs.wanted.goal
    fine = [i for i, row in enumerate(designs.rows) if row.get("status", "ok") in ("ok", "revised")]
    fine = sorted((i for i in fine if np.isfinite(worth[i])), key=lambda i: -worth[i])[:FIRST]
    if not fine:
        return
    if designs.deciding is not None:
        shown = designs.numbers(designs.deciding)
    else:
        shown = -worth if goal == "min" else worth
    # How far a revision is from a target no column shows.
    known = designs.deciding is not None or not isinstance(goal, float)
    names = (f"{designs.rows[i]['id']}" + (f" ({shown[i]:.4g})" if known else "") for i in fine)
    yield ("The best of them, by the bound:" if known else "The best of them:"), ", ".join(names)


def _number(row: Mapping[str, Any], key: str) -> float | None:
    value = row.get(key)
    return float(value) if isinstance(value, int | float) and np.isfinite(value) else None


def range_of(measured: Ranges, outcome: str) -> tuple[float, float] | None:
    """The measured range of the outcome of a column; the only one there is, if it goes by another name."""
    found = measured.get(outcome) or measured.get(f"predicted_{outcome}")
    if found is None and len(measured) == 1:
        found = next(iter(measured.values()))
    return None if found is None else (float(found[0]), float(found[1]))


def _best(designs: DesignSet, best: Mapping[str, Any], measured: Ranges) -> tuple[Tile, Gauge | None]:
    """The best design as a number and on the measured range."""
    outcome = _outcome(designs, best)
    if outcome is None:
        pair = designs.before_after
        key = pair[1] if pair else designs.reading.kind
        value, low, high = _number(best, key), None, None
        name = designs.reading.name if designs.scored or not pair else key.removeprefix("predicted_")
        known = None if key == designs.reading.kind else range_of(measured, key)
    else:
        key = outcome
        value, low, high = (_number(best, f"{outcome}{end}") for end in ("", "_low", "_high"))
        name = outcome.removeprefix("predicted_")
        known = range_of(measured, outcome)
    if value is None:
        value = low if low is not None else 0.0
    start = _start(designs, best, key, several=len(designs.outcomes) > 1)
    gauge = Gauge(f"best design, {best['id']}: {name}", known, value, low, high, start)
    said = interval_text(low, high)
    interval = "no interval" if said is None else f"judged {value:.4g}, 95% interval {said}"
    label = f"{name} of the best, {best['id']}"
    note = interval if known is None else f"{interval}; measured {known[0]:.4g} to {known[1]:.4g}"
    cautious, odds = _cautious(designs, best, value, low, high)
    return Tile(cautious, label, odds + note), gauge


def _outcome(designs: DesignSet, best: Mapping[str, Any]) -> str | None:
    """The column of the outcome that is wanted, of those that have an interval; the first where none is."""
    judged = [
        n for n in designs.outcomes if any(_number(best, f"{n}_{end}") is not None for end in ("low", "high"))
    ]
    wanted = None if designs.wanted.outcome is None else predicted_key(designs.wanted.outcome)
    return wanted if wanted in judged else next(iter(judged), None)


def _cautious(
    designs: DesignSet, best: Mapping[str, Any], value: float, low: float | None, high: float | None
) -> tuple[str, str]:
    """The value by its worse end, with the sign that says which that is, and how sure that is."""
    goal, reading = designs.wanted.goal, designs.reading
    bound, odds = _number(best, reading.bound), "with probability 90%"
    if isinstance(goal, float):
        return f"{value:.4g}", "" if bound is None else f"{reading.limit(bound)} off target {odds}; "
    if (high if goal == "min" else low) is None:
        return f"{value:.4g}", ""
    # The judges' bound is in units of the outcome where that is what the score says.
    if bound is not None and _same(_number(best, reading.kind), value):
        return reading.limit(bound), f"{odds}; "
    return (f"≤ {high:.4g}", "") if goal == "min" else (f"≥ {low:.4g}", "")


def _same(one: float | None, other: float | None) -> bool:
    """Whether both are there and equal, but for what six digits lose."""
    return one is not None and other is not None and math.isclose(one, other, rel_tol=1e-5)


def _start(designs: DesignSet, best: Mapping[str, Any], key: str, *, several: bool) -> float | None:
    """The value of the best design's parent, in units of the column ``key``."""
    pair = designs.before_after
    if pair is None or several:
        return None
    if designs.scored:  # of one outcome that is to be high or low the score says the outcome
        same = _same(_number(best, pair[1]), _number(best, key))
        return _number(best, pair[0]) if same and designs.originals is not None else None
    return _number(best, pair[0])


def _count(designs: DesignSet) -> Tile:
    """How many there are, and how many of them are new."""
    note = ""
    known = measured_already(designs)
    if known is not None:
        note = "all new" if known == 0 else f"{len(designs) - known:,} new, {known:,} measured already"
    repeated = len(designs) - len(set(designs.sequences))
    if repeated:
        note += f"{'; ' * bool(note)}{repeated:,} repeated"
    return Tile(f"{len(designs):,}", designs.what, note, doubt=bool(repeated))


def measured_already(designs: DesignSet) -> int | None:
    """Designs that are among the training sequences; None where that is not known."""
    if not designs.has_numbers("nearest"):
        return None
    return int((designs.numbers("nearest") == 0).sum())


def _standing(designs: DesignSet, *, unknown: bool) -> Iterator[Tile]:
    if "status" not in designs.columns:
        return
    against = {said: designs.count(status) for status, said in DOUBTS.items() if designs.count(status)}
    fine = len(designs) - sum(against.values())
    notes = [f"{count:,} {said}" for said, count in against.items()]
    notes += ["but for the model itself"] * unknown
    label, doubt = "nothing speaks against", bool(against) or unknown
    yield Tile(f"{fine:,} of {len(designs):,}", label, ", ".join(notes), doubt=doubt)


def _obeyed(rules: Rules) -> Iterator[Tile]:
    checked = [row for row in rules if row["violations"] is not None]
    if not rules:
        return
    broken = [row["rule"] for row in checked if row["violations"]]
    unknown = len(rules) - len(checked)
    note = "all checked again on the sequences" if not unknown else f"{unknown} could not be checked"
    if broken:
        note = "broken: " + ", ".join(broken)
    held = len(checked) - len(broken)
    yield Tile(f"{held} of {len(rules)}", "rules hold", note, doubt=bool(broken or unknown))


def _confirmed(designs: DesignSet, summary: Mapping[str, Any]) -> Iterator[Tile]:
    if designs.has_numbers("confidence"):
        share = float(np.nanmean(designs.numbers("confidence")))
        note = "by judges that did not design"
        yield Tile(f"{share:.0%}", "of the gain is confirmed", note, doubt=share < 0.5)
    promise = summary.get("promise")
    if promise and promise.get("least") is not None:
        note = f"with probability {promise['probability']:g}"
        reading = designs.reading
        limit = reading.limit(reading.value(promise["least"]))
        yield Tile(limit, f"{reading.mean} of the {promise['designs']:,} designs", note)


def _verdict(designs: DesignSet, best: Mapping[str, Any] | None, gauge: Gauge | None) -> str:
    """One sentence that says whether there is something to order."""
    if best is None or gauge is None:
        return f"{len(designs):,} {designs.what}; nothing is predicted of them."
    fine = best.get("status", "ok") in ("ok", "revised")
    if not fine:
        return f"Something speaks against every design; the best, {best['id']}, is {DOUBTS[best['status']]}."
    value = interval_text(gauge.low, gauge.high) or f"{gauge.value:.4g}"
    said = f"The best design, {best['id']}, should measure {value}"
    if gauge.start is not None:
        said += f"; its parent {gauge.start:.4g}"
        if (known := _number(best, "measured_before")) is not None:
            said += f" (measured {known:.4g})"
    if gauge.measured is not None:
        span = f"{gauge.measured[0]:.4g} to {gauge.measured[1]:.4g}"
        said += f". The prediction, {gauge.value:.4g}, {_where(gauge, span)}"
    return f"{said}."


def _where(gauge: Gauge, span: str) -> str:
    """Where a value lies on the range of what was measured, ``span``."""
    bottom, top = gauge.measured or (float("-inf"), float("inf"))
    low = gauge.value if gauge.low is None else gauge.low
    high = gauge.value if gauge.high is None else gauge.high
    if bottom <= gauge.value <= top:
        return f"lies within what was measured ({span})"
    beyond = f"lies beyond what was ever measured ({span})"
    return beyond if low > top or high < bottom else f"{beyond}; its interval reaches into it"


def order_files(output: object, table: object = None, count: int = 0) -> list[tuple[str, str]]:
    """What to go on with; of ``count`` designs that are more than a batch, how to choose one."""
    path = str(output) if output and Path(str(output)).name != "-" else None
    files = [] if path is None else [("To order or test:", path)]
    if path is not None and count > BATCH:
        choose = ["seqdesign", "select", path, "--budget", str(BATCH), "-o", "shortlist.fa"]
        files.append((f"To choose {BATCH} of them:", shlex.join(choose)))
    return [*files, ("All columns:", str(table))] if table else files
