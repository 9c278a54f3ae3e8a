"""The registry of tasks: files of ``seqdesign/tasks/kinds`` and entry points of ``seqdesign.tasks``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seqdesign.registry import PluginError, Registry

if TYPE_CHECKING:
    from seqdesign.sequences.numbers import Tally
    from seqdesign.tasks.task import Task

AUTO = "auto"
REGISTRY = Registry("task", "seqdesign.tasks.kinds", "seqdesign.tasks")


def get_task(name: str) -> Task:
    """The task of this name. Raises UsageError for an unknown one, PluginError for one that is no task."""
    from seqdesign.tasks.task import Task

    found = REGISTRY.load(name)
    if isinstance(found, type):
        found = found()
    if not isinstance(found, Task):
        raise PluginError(f"the plug-in for the task '{name}' must be a seqdesign.tasks.task.Task")
    return found


def all_tasks() -> list[Task]:
    """Every task that can be loaded, in the order in which they are asked whether a column is theirs."""
    found = [get_task(name) for name in REGISTRY.available()]
    return sorted(found, key=lambda task: (task.rank, task.name))


def recognise(tallies: Sequence[Tally]) -> Task | None:
    """The task of outcomes whose cells were counted; None where no task can read them all."""
    return next((task for task in all_tasks() if task.claims(tallies)), None)


def task_of(name: str, tallies: Sequence[Tally]) -> Task:
    """The task that was asked for, or the one that the columns look like.

    A column that no task can read is given to regression, which says what is wrong with it.
    """
    if name != AUTO:
        return get_task(name)
    return recognise(tallies) or get_task("regression")


def unknown(name: str) -> str | None:
    """What is wrong with a name, or None; imports no task."""
    if name == AUTO or name in REGISTRY:
        return None
    from seqdesign.config import suggest

    known = (AUTO, *REGISTRY.names())
    return f"must be one of {', '.join(known)}, got '{name}'{suggest(name, known)}"
