"""``seqdesign rerun``: repeat a run from its manifest, and say whether the result is the same."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from seqdesign.commands._result import Result
from seqdesign.commands._runtime import say
from seqdesign.config import CommandConfig, Flag, Positional
from seqdesign.errors import InputError, ModelError, OutputError, SeqDesignError

if TYPE_CHECKING:
    from seqdesign.commands._report_runs import Run
    from seqdesign.rundir import Manifest


ELSEWHERE = {"report": None, "overwrite": False, "resume": False}
"""Options that must not touch what the run has written."""


@dataclass(frozen=True, kw_only=True)
class RerunConfig(CommandConfig):
    """Repeat a run from its manifest, somewhere else, and compare the results byte by byte.

    Example: seqdesign rerun designs.fa
    """

    run: Annotated[Path, Positional("RUN")]
    """Folder of a model, or a file that was written with -o and has its manifest beside it."""
    output: Annotated[Path | None, Flag("-o")] = None
    """Where to write; RUN with .rerun in its name when not given. What exists is never overwritten."""
    anyway: bool = False
    """Repeat it although an input is not the one of then."""

    def problems(self) -> Iterator[str]:
        """The run has a seed."""
        if self.seed != RerunConfig.seed:
            yield "--seed: has no effect, the run keeps its own; leave it out"


@dataclass(frozen=True)
class Compared:
    """A file of the run, and whether it came out the same."""

    name: str
    same: bool


@dataclass(frozen=True, kw_only=True)
class RerunResult(Result):
    """What was repeated, and that nothing differs."""

    command: ClassVar[str] = "rerun"
    text_to: ClassVar[Literal["stdout", "stderr"]] = "stdout"

    run: Path
    repeated: str
    """The command line."""
    output: Path
    files: tuple[Compared, ...]
    """Pages are left out: they hold the time."""
    notes: tuple[str, ...]
    """Changed inputs and versions."""

    def text(self) -> str:
        """One line."""
        names = ", ".join(file.name for file in self.files)
        return f"identical, byte by byte: {names}; the new ones are in {self.output}"


def rerun(config: RerunConfig) -> RerunResult:
    """Repeat ``config.run``.

    Raises ModelError without a usable manifest, InputError for an input that is missing or, unless
    ``anyway``, changed; OutputError if the new place is taken; SeqDesignError if the result differs, which is
    then there to be looked at.
    """
    from seqdesign.commands._report_runs import Run, command_of, config_of
    from seqdesign.rundir import read_manifest

    manifest = read_manifest(config.run)
    run = Run(config.run, manifest)
    notes = [*_check_inputs(run, manifest, config), *_other_versions(manifest)]
    for note in notes:
        say(config, f"warning: {note}")
    output = _new_place(config)
    repeated = _redirected(config_of(manifest), manifest, config, output)
    _, function = command_of(manifest)
    from seqdesign.commands._provenance import command_line

    line = command_line(manifest.name, type(repeated), vars(repeated))
    say(config, line)
    with contextlib.chdir(run.base):
        function(repeated)
    files = _compare(manifest, read_manifest(output))
    different = [file.name for file in files if not file.same]
    if different:
        why = f" ({'; '.join(notes)})" if notes else ""
        raise SeqDesignError(f"not the same as then: {', '.join(different)}; see {output}{why}")
    return RerunResult(run=config.run, repeated=line, output=output, files=tuple(files), notes=tuple(notes))


def _check_inputs(run: Run, manifest: Manifest, config: RerunConfig) -> Iterator[str]:
    """Notes on inputs that are not as they were. Raises InputError."""
    from seqdesign.commands._report_runs import changed_files

    changed = changed_files(manifest.inputs, run.base)
    missing = [name for name, state in changed.items() if state == "missing"]
    if missing:
        raise InputError(
            f"{', '.join(missing)} is no longer there; put it back, or run this in the folder in which the "
            "run was started",
            path=config.run,
        )
    if changed and not config.anyway:
        raise InputError(
            f"{', '.join(changed)} has changed since the run (another SHA-256); restore it, or add --anyway",
            path=config.run,
        )
    yield from (f"{name} has changed since the run" for name in changed)
    if "-" in map(str, manifest.config.values()):
        yield "the run read standard input, which nobody can check"
    if manifest.status != "complete":
        yield f"the run is {manifest.status}, so there is nothing whole to compare with"


def _other_versions(manifest: Manifest) -> Iterator[str]:
    from seqdesign.rundir import library_versions

    now = library_versions()
    for name, then in manifest.versions.items():
        if now.get(name) != then:
            yield f"{name} was {then} and is {now.get(name, 'missing')}"


def _new_place(config: RerunConfig) -> Path:
    """Absolute path of the repeated result. Raises OutputError if there is something already."""
    from seqdesign.rundir import manifest_path

    path = config.output
    if path is None:
        stem, dot, suffixes = config.run.resolve().name.partition(".")
        path = config.run.parent / f"{stem}.rerun{dot}{suffixes}"
    path = Path(os.path.abspath(path))
    _must_be_free(path, manifest_path(path))
    return path


def _must_be_free(*paths: Path) -> None:
    for path in paths:
        if path.exists():
            raise OutputError(f"{path} exists already; remove it, or name another place with -o")


def _beside(output: Path, other: Path) -> Path:
    """Where a second file goes: named as ``output``, of the kind of ``other``."""
    from seqdesign.sequences.compression import inner_suffix

    stem = (
        output.name[: output.name.lower().rindex(inner_suffix(output))]
        if inner_suffix(output)
        else output.name
    )
    kind = other.name[other.name.lower().rindex(inner_suffix(other)) :] if inner_suffix(other) else ""
    path = output.with_name(stem + kind)
    _must_be_free(path)
    return path


def _redirected(then: Any, manifest: Manifest, config: RerunConfig, output: Path) -> Any:
    """The options of then, with every file that is written beside ``output``, and no page."""
    changes: dict[str, Any] = {
        "output": output,
        "seed": manifest.seed,
        "device": manifest.device if config.device == RerunConfig.device else config.device,
        "threads": config.threads or then.threads,
        "json": False,
        "quiet": config.quiet,
        "verbose": config.verbose,
        "debug": config.debug,
    }
    known = {field.name for field in dataclasses.fields(then)}
    if "output" not in known:
        raise ModelError(f"{manifest.name} has no single output, so it cannot be repeated")
    if getattr(then, "table", None) not in (None, Path("-")):
        changes["table"] = _beside(output, then.table)
    changes |= {name: value for name, value in ELSEWHERE.items() if name in known}
    return dataclasses.replace(then, **changes)


def _compare(before: Manifest, after: Manifest) -> list[Compared]:
    """The files of both runs in the order in which they were noted; one that is missing now differs."""
    pairs = zip_longest(_files(before.outputs), _files(after.outputs), fillvalue=("", ""))
    return [Compared(name or now, then == known) for (name, then), (now, known) in pairs]


def _files(outputs: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, known) for name, known in outputs.items() if not name.endswith(".html")]
