"""Designs as files hold them: their quality by what stands beside them, the run and model behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError, ModelError
from seqdesign.objectives.reading import READINGS, Reading, Wanted, wanted_of
from seqdesign.runs.manifest import Manifest, manifest_path, read_manifest
from seqdesign.sequences.reader import SequenceSet

LOWER = ("score_low", "judged_low", "score", "delta")
"""Keys by which designs are ranked, the first that is there; larger is better."""
UPPER = ("judged_high", "delta")
"""The same of revisions that lower the outcome; smaller is better."""
COSTS = tuple(key for one in READINGS if one.lower for key in (one.bound, one.kind, one.start))
"""Keys of designs of which less is better."""
DEFAULT_MODELS = {"maximize": "models/predictor", "revise": "models/vae"}


@dataclass(frozen=True)
class Quality:
    """values: (N,), as they stand in ``column``; minimized: less is better."""

    values: NDArray[np.float64]
    column: str
    minimized: bool


def run_of(path: Path) -> Manifest | None:
    """The manifest beside a file of designs, if there is one that can be read."""
    if str(path) == "-" or not manifest_path(path).is_file():
        return None
    try:
        return read_manifest(path)
    except ModelError:
        return None


def model_of(run: Manifest | None, near: Path) -> Path | None:
    """The folder of the model that made the designs: as its run named it, from here or beside the file."""
    if run is None or run.name not in DEFAULT_MODELS or run.config.get("oracle"):
        return None
    named = Path(str(run.config.get("model") or DEFAULT_MODELS[run.name]))
    return next((path for path in (named, near.parent / named) if path.is_dir()), None)


def wanted_by(config: Mapping[str, Any]) -> Wanted:
    """What a run with these options wanted, of several goals the first one."""
    if config.get("target") is not None:
        return Wanted(float(config["target"]))
    if config.get("minimize"):
        return Wanted("min")
    objective = config.get("objective") or ["max"]
    return wanted_of(objective if isinstance(objective, str) else " + ".join(map(str, objective)))


def ranking(columns: Iterable[str]) -> tuple[tuple[str, ...], bool]:
    """Keys by which designs with these columns are ranked, and whether less is better."""
    reading = Reading.of_keys(columns)
    return ((reading.bound, reading.kind), True) if reading.lower else (LOWER, False)


def quality_of(records: SequenceSet, column: str | None, minimize: bool, run: Manifest | None) -> Quality:
    """The quality of each design. Raises InputError where it is missing or no number."""
    there = [key for key, cells in records.columns.items() if any(cells)]
    if column is None:
        keys, lower = ranking(there)
        if run is not None and run.name == "revise" and wanted_by(run.config).goal == "min":
            keys, lower = UPPER, True
        minimize = minimize or lower
        have = [key for key in keys if key in there]
        if not have:
            raise InputError(
                f"no column or header key says how good a design is (looked for {', '.join(keys)}); "
                "name one with --quality",
                path=records.source,
            )
        column = have[0]
    elif column in ranking(there)[0] and ranking(there)[1]:
        minimize = True
    values = records.numbers(column)
    if np.isnan(values).any():
        bad = int(np.flatnonzero(np.isnan(values))[0])
        raise InputError(
            f"has no '{column}', by which designs are ranked; remove it or name another --quality",
            path=records.source,
            line=records.line_numbers()[bad] or None,
            record=records.ids[bad],
        )
    return Quality(values, column, minimize)
