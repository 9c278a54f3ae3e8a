"""Files that seqdesign itself has written: what stands in them was predicted, and nobody measured it.

They are recognised by the keys of their headers or columns, so also from a pipe, or by the manifest beside
them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from seqdesign.errors import InputError
from seqdesign.runs.atomic import sha256_file
from seqdesign.runs.manifest import manifest_path
from seqdesign.sequences.fasta import header_key

PREDICTED = "predicted_"
"""What the key of a prediction begins with, in headers and tables."""
MEASURED = "measured"
"""Column of measured values in the tables of ``predict``."""
WRITERS = frozenset(
    {"maximize", "revise", "sample-vae", "sample-gan", "sample", "interpolate", "predict", "select"}
)
MARKS = {
    "maximize": tuple({"status", kind, f"{kind}_start"} for kind in ("score", "cost", "off_target")),
    "revise": ({"status", "loglik_change"},),
    "select": ({"role", "quality"},),
    "predict": ({"ood", "sd"}, {"ood", "class"}, {"ood", "predicted_class"}, {"loglik", "loglik_per_letter"}),
}
"""Command -> keys that only its files have together."""
OURS = frozenset({
    "status", "reason", "parent", "original", "revised", "rank", "score", "score_low", "score_high",
    "score_start", "score_judges", "score_design", "cost", "cost_high", "cost_start", "cost_design",
    "off_target", "off_target_high", "off_target_start", "off_target_design", "confidence",
    "doubt", "open_end", "soft_gap", "edits",
    "edit_list", "variant", "first_position", "measured_before",
    "evidence", "least_evidence", "front", "ood", "nearest", "rarity", "critic", "delta",
    "loglik", "loglik_before", "loglik_change", "loglik_per_letter", "kappa2", "coverage", "log_mode",
    "feasible", "stop", "violations", "mean", "sd", "low_50", "high_50", "low_80", "high_80", "low_95",
    "high_95", "probability", "problem", "quality", "similarity", "role",
})  # fmt: skip
"""Keys of what seqdesign says of a sequence; ``measured_before`` is of what it was made from."""


def predicted_key(outcome: str) -> str:
    """The key of a predicted outcome in headers and tables: one word, and never the name of the outcome
    itself, which belongs to measured values.
    """
    return PREDICTED + header_key(outcome.strip())


@dataclass(frozen=True)
class Origin:
    """A file that a command of seqdesign wrote, with the keys of its headers or its columns."""

    command: str
    keys: frozenset[str]

    @property
    def old(self) -> bool:
        """Whether an older version wrote it, which gave a prediction the key of the outcome itself."""
        return not any(key.startswith((PREDICTED, "condition_")) for key in self.keys)

    def is_prediction(self, key: str) -> bool:
        """Whether what stands under a key or in a column was predicted. What users have added was not."""
        if key in OURS:
            return True
        if key == MEASURED or key.startswith(f"{MEASURED}_") or key.endswith(f"_{MEASURED}"):
            return False
        if key.startswith((PREDICTED, "p_", "condition_")):
            return True
        return self.old and (
            key in ("outcome", "class") or {f"{key}_sd", f"{key}_before"} & self.keys != set()
        )

    def refusal(self, key: str, source: str | None) -> InputError:
        """What to say where ``key`` is asked for as a measured value."""
        return InputError(
            f"'{key}' was written by seqdesign {self.command}: nobody has measured it of these sequences; "
            "put measured values into a column of another name, such as measured, and name it with --outcome",
            path=source or None,
        )

    def says(self) -> str:
        """One sentence."""
        return f"written by seqdesign {self.command}: its outcomes are predictions, not measurements"


def origin_of(keys: Iterable[str], path: str | None = None, first_id: str = "") -> Origin | None:
    """Which command wrote a file with these header keys or columns; None for a file of somebody else.

    path: the file, where there is one, whose manifest is looked at too. first_id: of its first record.
    """
    have = frozenset(keys)
    found = next((command for command, marks in MARKS.items() if any(mark <= have for mark in marks)), None)
    if found is None and "loglik" in have and first_id.startswith("sample_"):
        found = "sample-vae"
    if found is None and path is not None:
        found = _from_manifest(Path(path))
    return None if found is None else Origin(found, have)


def _from_manifest(file: Path) -> str | None:
    """The command of the manifest beside a file, if the file is still the one that it wrote."""
    beside = manifest_path(file)
    if not file.is_file() or not beside.is_file():
        return None
    try:
        manifest = json.loads(beside.read_bytes())
        command, outputs = str(manifest["name"]), dict(manifest["outputs"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # not a manifest that says anything
    return command if command in WRITERS and sha256_file(file) in outputs.values() else None
