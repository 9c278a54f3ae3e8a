"""``seqdesign rerun``: repeat a run from its manifest, and say whether the result is the same."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from seqdesign.config import CommandConfig, ComputeOptions, Flag, Positional, Written, fields_of
from seqdesign.errors import InputError, ModelError, OutputError, SeqDesignError, UsageError
from seqdesign.runs.progress import say
from seqdesign.runs.result import Result

if TYPE_CHECKING:
    from seqdesign.pages.runs import Run
    from seqdesign.runs.manifest import Manifest


IN_PLACE = ("overwrite", "resume")
"""Options that touch what is there."""


@dataclass(frozen=True, kw_only=True)
class RerunConfig(ComputeOptions, CommandConfig):
    """Repeat a run from its manifest, somewhere else, and compare the results byte by byte.

    Example: seqdesign rerun designs.fa
    """

    run: Annotated[Path, Positional("RUN")]
    """Folder of a model, or a file that was written with -o and has its manifest beside it."""
    output: Annotated[Path | None, Flag("-o"), Written()] = None
    """Where to write; RUN with .rerun in its name when not given. What exists is never overwritten."""
    anyway: bool = False
    """Repeat the run even if an input file has changed since."""
    trust: bool = False
    """Also run code that is not seqdesign's: a command, a Python module or a program of --oracle."""


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
    """Pages and drawings are left out."""
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
    from seqdesign.commands.provenance import command_of, config_of
    from seqdesign.pages.runs import Run
    from seqdesign.runs.manifest import read_manifest

    manifest = read_manifest(config.run)
    run = Run(config.run, manifest)
    notes = [*_check_inputs(run, manifest, config), *_other_versions(manifest)]
    for note in notes:
        say(f"warning: {note}", quiet=config.quiet)
    then = config_of(manifest)
    code = foreign_code(then, run.base)
    if code and not config.trust:
        raise UsageError(
            f"{config.run} runs code that is not seqdesign's: {'; '.join(code)}; look at it, and add --trust "
            "if you trust it and who made it"
        )
    for line in code:
        say(f"warning: {line}", quiet=config.quiet)
    output = _new_place(config)
    repeated = _redirected(then, manifest, config, output)
    _, function = command_of(manifest)
    from seqdesign.commands.provenance import command_line

    line = command_line(manifest.name, type(repeated), vars(repeated))
    say(line, quiet=config.quiet)
    with _in_folder(run.base):
        function(repeated)
    files = _compare(manifest, read_manifest(output))
    different = [file.name for file in files if not file.same]
    if different:
        why = f" ({'; '.join(notes)})" if notes else ""
        raise SeqDesignError(
            f"the results differ from those of the run: {', '.join(different)}; see {output}{why}"
        )
    return RerunResult(run=config.run, repeated=line, output=output, files=tuple(files), notes=tuple(notes))


def foreign_code(then: Any, base: Path) -> list[str]:
    """What a run with these options calls that is not part of seqdesign, in words.

    Models of ours, tables and ONNX files run no code of their own. What is not known to be one of these
    counts as foreign. ``base`` is the folder in which relative paths are meant.
    """
    found = []
    oracle: str | None = getattr(then, "oracle", None)
    if oracle is not None:
        kind, colon, rest = oracle.partition(":")
        path = base / oracle
        if colon and kind == "cmd":
            found.append(f"--oracle starts the command {rest!r}")
        elif (colon and kind in ("table", "partial-table")) or _holds_no_code(path):
            pass
        elif colon:
            own = base / f"{kind.replace('.', '/')}.py"
            where = f" ({own})" if own.exists() else ""
            found.append(f"--oracle imports the Python module {kind!r}{where} and calls {rest!r}")
        else:
            found.append(f"--oracle loads the program {path}")
    if getattr(then, "trust_model", False):
        found.append("--trust-model lets a program run any code as it is loaded")
    return found


def _holds_no_code(path: Path) -> bool:
    from seqdesign.oracles.kinds import file_kind

    try:
        return path.is_dir() or file_kind(path) == "onnx"
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def _in_folder(base: Path) -> Iterator[None]:
    """In the folder of the run, whose files are data: late imports find no modules there."""
    here, before = os.getcwd(), list(sys.path)
    sys.path[:] = [here if entry in ("", ".") else entry for entry in before]
    try:
        with contextlib.chdir(base):
            yield
    finally:
        sys.path[:] = before


def _check_inputs(run: Run, manifest: Manifest, config: RerunConfig) -> Iterator[str]:
    """Notes on inputs that are not as they were. Raises InputError."""
    from seqdesign.pages.runs import changed_files

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
        yield "the run read standard input, which cannot be checked"
    if manifest.status != "complete":
        yield f"the run is {manifest.status}, so there is no complete result to compare with"


def _other_versions(manifest: Manifest) -> Iterator[str]:
    from seqdesign.runs.manifest import library_versions

    now = library_versions()
    for name, then in manifest.versions.items():
        if now.get(name) != then:
            yield f"{name} was {then} and is {now.get(name, 'missing')}"


def _new_place(config: RerunConfig) -> Path:
    """Absolute path of the repeated result. Raises OutputError if there is something already."""
    from seqdesign.runs.manifest import manifest_path

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


def _redirected(then: Any, manifest: Manifest, config: RerunConfig, output: Path) -> Any:
    """The options of then, with every file that is written beside ``output``; no pages, no drawings."""
    from seqdesign.commands.provenance import written_files

    files = written_files(then)
    changes: dict[str, Any] = {
        "seed": manifest.seed,
        "device": manifest.device if config.device == RerunConfig.device else config.device,
        "threads": config.threads or manifest.threads,
        "json": False,
        "quiet": config.quiet,
        "verbose": config.verbose,
        "debug": config.debug,
    }
    main = next((name for name, path in files.items() if str(path) != "-"), None)
    for spec in fields_of(type(then)):
        if spec.name == main:
            changes[spec.name] = output
        elif spec.written and str(files.get(spec.name)) != "-":
            path = files.get(spec.name)
            changes[spec.name] = None if path is None else _beside(output, f"{spec.name}{path.suffix}")
        elif spec.name in IN_PLACE:
            changes[spec.name] = False
    if main is None:
        raise ModelError(f"{manifest.name} left no file to compare with")
    known = {spec.name for spec in fields_of(type(then))}
    return dataclasses.replace(then, **{name: value for name, value in changes.items() if name in known})


def _beside(output: Path, name: str) -> Path:
    """``designs.rerun.table.csv`` beside ``designs.rerun.fa``. Raises OutputError if it is there already."""
    stem = output.name.removesuffix("".join(output.suffixes[-1:])) if output.suffix else output.name
    path = output.with_name(f"{stem}.{name}")
    _must_be_free(path)
    return path


def _compare(before: Manifest, after: Manifest) -> list[Compared]:
    """The files of both runs in the order in which they were noted; one that is missing now differs."""
    pairs = zip_longest(_files(before.outputs), _files(after.outputs), fillvalue=("", ""))
    return [Compared(name or now, then == known) for (name, then), (now, known) in pairs]


def _files(outputs: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, known) for name, known in outputs.items() if not name.endswith(".html")]
