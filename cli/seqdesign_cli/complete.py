"""What the shell offers when a value is completed: words of a choice, members, data sets, enzymes, files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from seqdesign.config import FieldSpec

MEMBERS = {
    ("maximize", "method"): ("seqdesign.designers.methods", "seqdesign.designers"),
    ("revise", "method"): ("seqdesign.revisers.methods", "seqdesign.revisers"),
    ("attribute", "method"): ("seqdesign.attribution.methods", "seqdesign.attribution"),
    ("train-predictor", "task"): ("seqdesign.tasks.kinds", "seqdesign.tasks"),
    ("maximize", "objective"): ("seqdesign.objectives.goals", "seqdesign.objectives"),
}
"""Options whose values are members of a registry: its package and its group of plug-ins."""


def completer(command: str, spec: FieldSpec) -> Callable[[str], list[str]]:
    """A function that gives the values of an option or argument of a command that begin as its text does."""

    def values(incomplete: str) -> list[str]:
        return [word for word in _known(command, spec, incomplete) if word.startswith(incomplete)]

    return values


def _known(command: str, spec: FieldSpec, incomplete: str) -> Iterable[str]:
    if spec.choices:
        return spec.choices
    if (command, spec.name) in MEMBERS:
        from seqdesign.registry import Registry

        return Registry("member", *MEMBERS[command, spec.name]).names()
    if spec.name == "forbid":
        return _enzymes()
    if Path in spec.kinds:
        return [*_data_sets(spec), *_files(incomplete)]
    return ()


def _data_sets(spec: FieldSpec) -> list[str]:
    """Bundled data, where a file is read."""
    from seqdesign.sequences.bundled import list_datasets

    return [] if spec.written else [f"dataset:{name}" for name in list_datasets()]


def _files(incomplete: str) -> list[str]:
    """Files and folders (these with a slash), as the shell would offer them."""
    folder, _, head = incomplete.rpartition("/")
    prefix = f"{folder}/" if "/" in incomplete else ""
    try:
        entries = sorted(os.scandir(prefix or "."), key=lambda entry: entry.name)
    except OSError:
        return []
    shown = [entry for entry in entries if head.startswith(".") or not entry.name.startswith(".")]
    return [f"{prefix}{entry.name}{'/' if entry.is_dir() else ''}" for entry in shown]


def _enzymes() -> list[str]:
    from Bio.Restriction.Restriction_Dictionary import rest_dict

    return sorted(rest_dict)
