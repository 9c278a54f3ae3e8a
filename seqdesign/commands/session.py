"""What stands around every command: inputs and outputs are checked before any work, outputs come together.

``checked`` wraps the function of a command. Before it runs, and before torch is loaded, every file that it
reads must be there, and every place that it writes must be writable, fit what goes there, and be neither an
input nor another output nor a file of a model. The places are locked against other runs. Files written inside
take their places together, when ``leave_manifest`` says so or at the end.
"""

from __future__ import annotations

import contextlib
import difflib
import functools
import importlib.util
import json
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from seqdesign.config import CommandConfig, FieldSpec, fields_of
from seqdesign.errors import (
    InputError,
    MissingExtraError,
    ModelError,
    OutputError,
    SeqDesignError,
    UsageError,
)
from seqdesign.runs.atomic import is_stream, remove_stale, together
from seqdesign.runs.blocks import is_worker
from seqdesign.runs.folder import lock_file, unlock_file
from seqdesign.runs.manifest import MANIFEST, manifest_path, noting
from seqdesign.runs.progress import say
from seqdesign.sequences.alphabets import get_alphabet, learned_spec
from seqdesign.sequences.bundled import PREFIX, resolve_input
from seqdesign.sequences.compression import GENBANK_SUFFIXES, inner_suffix, open_input
from seqdesign.sequences.options import AUTO, SequenceColumns
from seqdesign.sequences.tables import check_table_name

ConfigT = TypeVar("ConfigT", bound=CommandConfig)
ResultT = TypeVar("ResultT")

BY_NAME = ("jaspar",)
"""Words that may stand where a file may."""
WEIGHTS, CHECKPOINT = "model.safetensors", "checkpoint/last.safetensors"
OF_A_MODEL = (WEIGHTS, "reference.safetensors", "config.json", "metrics.csv", MANIFEST)
SEQUENCES = ("input", "sequences", "set_a", "set_b", "start", "train", "heldout", "background")
"""Fields that name files of sequences, where a command has the options to read such."""
TABLES = (".csv", ".tsv", ".tab")
RUNS = ("run", "paths")
"""Fields that name results of earlier runs, which their commands look up themselves."""
NOT_FASTA = (".parquet", ".xlsx", ".html", ".htm", ".json", ".safetensors", ".svg", ".png", ".pdf")
NOT_A_PAGE = (*TABLES, ".parquet", ".xlsx", ".json", ".safetensors", ".fa", ".fasta", ".svg", ".png", ".pdf")


def checked(function: Callable[[ConfigT], ResultT]) -> Callable[[ConfigT], ResultT]:
    """A command's function, with everything around it that this module says."""

    @functools.wraps(function)
    def run(config: ConfigT) -> ResultT:
        with noting(), _outputs(config), together():
            return function(config)

    return run


def checked_training(function: Callable[[ConfigT], ResultT]) -> Callable[[ConfigT], ResultT]:
    """The same for a command whose output is a folder, which has a lock and a commit of its own."""

    @functools.wraps(function)
    def run(config: ConfigT) -> ResultT:
        inputs = read_files(config)
        folder: Path = config.output  # type: ignore[attr-defined]
        for name, path in inputs.items():
            if path.parent == Path(os.path.realpath(folder)) and path.name in OF_A_MODEL:
                raise OutputError(f"-o: {folder} holds the input {name}; name another folder")
        with noting():
            try:
                return function(config)
            except InputError as error:
                error.args = (f"{error}{_in_all(config, error)}",)
                raise

    return run


def _in_all(config: CommandConfig, error: InputError) -> str:
    """All problems of the file to learn from, and what to type about them; "" where there is but this one.

    A command that learns from two files names the first problem only.
    """
    from seqdesign.sequences.options import CellOptions, cell_format, file_format, layout_of
    from seqdesign.sequences.problems import Problem, problems_of, survey_file, words_of

    path: Path | None = getattr(config, "sequences", None)
    if path is None or error.path is None or str(path) == "-":
        return ""
    if resolve_input(path) != resolve_input(error.path):
        return ""
    outcome = getattr(config, "outcome", None) or getattr(config, "condition", None) or "outcome"
    try:
        with noting(again=True):
            survey = survey_file(
                path,
                sequence=config.sequence,  # type: ignore[attr-defined]
                outcome=outcome if isinstance(outcome, str) else outcome[0],
                id_column=config.id_,  # type: ignore[attr-defined]
                format=file_format(config),  # type: ignore[arg-type]
                layout=layout_of(config),  # type: ignore[arg-type]
                cells=cell_format(config if isinstance(config, CellOptions) else CellOptions()),
            )
    except SeqDesignError:
        return ""
    name: str = config.alphabet  # type: ignore[attr-defined]
    # Single characters, which a survey counts, say nothing of letters with names.
    alphabet = survey.guess() if name == AUTO else None if learned_spec(name) else get_alphabet(name)
    alphabet = None if alphabet is not None and alphabet.named else alphabet
    specs = {spec.option: spec for spec in fields_of(type(config))}
    found = [
        problem
        for problem in problems_of(survey, alphabet, limits=hasattr(config, "task"))
        if not problem.words
        or problem.words[0] == "--missing"
        or (problem.words[0] in specs and _as_it_came(config, specs[problem.words[0]]))
    ]
    if hasattr(config, "task") and (survey.tally is None or survey.tally.kind == "nothing"):
        found.insert(0, Problem("no record has an outcome"))
    if len(found) < 2:
        return ""
    told = f". In all there are {len(found)} kinds of problem: {'; '.join(problem.said for problem in found)}"
    if not (words := words_of(found, list(specs))):
        return told
    if all(problem.words for problem in found):
        return f"{told}. With these options the file is read: {words}"
    return f"{told}. Once what no option mends is mended, these options read the file: {words}"


def _as_it_came(config: CommandConfig, spec: FieldSpec) -> bool:
    """Whether an option has its default."""
    return bool(getattr(config, spec.name) == spec.default)


@contextmanager
def _outputs(config: CommandConfig) -> Iterator[None]:
    inputs = read_files(config)
    outputs = written_places(config, inputs)
    if is_worker():  # it writes blocks only, beside others
        outputs = []
    with ExitStack() as locks:
        for path in sorted(outputs):
            lock = path.with_name(f".{path.name}.lock")
            if len(os.fsencode(lock.name)) > 255:  # the name itself is at the limit of the file system
                lock = path.with_name(f".{hash(path.name):x}.lock")
            locks.callback(unlock_file, lock, lock_file(lock, str(path)))
            remove_stale(path.parent)
        try:
            yield
        except SystemExit as error:
            raise SeqDesignError(
                f"code outside seqdesign (an oracle or a plug-in) tried to end the program (exit code "
                f"{error.code})"
            ) from error


# --------------------------------------------------------------------------------------------- what is read


def read_files(config: CommandConfig) -> dict[str, Path]:
    """Name as typed -> real path of all that a command reads, files and folders.

    Raises InputError and ModelError for what is missing or cannot be read, UsageError for stdin named twice.
    """
    found: dict[str, Path] = {}
    stdin: str | None = None
    for spec in fields_of(type(config)):
        value = getattr(config, spec.name) if spec.reads else None
        for item in value if isinstance(value, tuple) else (value,):
            if not isinstance(item, Path) or str(item) in BY_NAME:
                continue
            if str(item) == "-":
                if stdin is not None:
                    raise UsageError(
                        f"standard input is read for {stdin} already; name a file", option=spec.option
                    )
                stdin = spec.option
                continue
            if spec.name in RUNS:
                found[str(item)] = Path(os.path.realpath(item))
            else:
                found[str(item)] = _readable(config, spec, item)
    return found


def _readable(config: CommandConfig, spec: FieldSpec, item: Path) -> Path:
    """The real path of one input."""
    if spec.made_by:
        require_model(item, spec)
        return Path(os.path.realpath(item))
    path = Path(resolve_input(item))
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            open(path, "rb").close()
    except OSError as error:
        close = _near(path)
        raise InputError(f"cannot be opened: {error.strerror}{close}", path=item) from None
    except ValueError:  # a NUL in the name
        raise InputError("cannot be opened: no file can have such a name", path=item) from None
    if isinstance(config, SequenceColumns) and config.SEQUENCES_ONLY and spec.name in SEQUENCES:
        if stat.S_ISDIR(mode):
            raise InputError("is a folder; name a file of sequences", path=item)
        if stat.S_ISREG(mode) and config.format == "auto":
            _check_format(path)
    return Path(os.path.realpath(path))


def _check_format(path: Path) -> None:
    """Refuse what is no file of sequences by its first bytes."""
    from seqdesign.sequences.reader import guess_format, is_blank

    with open_input(path) as handle:
        if not is_blank(handle):
            guess_format(handle)


def _near(path: Path) -> str:
    """``"; did you mean 'x.fa'?"`` for a file beside with nearly this name."""
    if str(path).startswith(PREFIX):
        return ""
    with contextlib.suppress(OSError):
        close = difflib.get_close_matches(path.name, os.listdir(path.parent), n=1, cutoff=0.8)
        if close:
            return f"; did you mean {str(path.with_name(close[0]))!r}?"
    return ""


def require_model(path: Path, spec: FieldSpec) -> None:
    """Raise ModelError unless ``path`` may hold a model: a file, or a folder with weights or a checkpoint."""
    if path.is_file() or any((path / name).exists() for name in (WEIGHTS, CHECKPOINT)):
        return
    makers = re.sub(r", (?=[^,]*$)", " or ", ", ".join(spec.made_by))
    raise ModelError(
        f"{path / WEIGHTS} does not exist; train the model first (seqdesign {makers} SEQS -o {path}), "
        f"or name its folder with {spec.option}{_near(path)}"
    )


# ------------------------------------------------------------------------------------------ what is written


def written_places(config: CommandConfig, inputs: dict[str, Path]) -> list[Path]:
    """Absolute paths of the files that a command writes, its manifest included; streams are left out.

    Raises OutputError for a place that cannot be written, does not fit, is an input, a file of a model or
    another output; UsageError where two outputs or the JSON object share stdout.
    """
    from seqdesign.commands.provenance import written_files

    taken: dict[Path, str] = {}
    streams: list[str] = ["--json"] if config.json else []
    for spec in fields_of(type(config)):
        path: Path | None = getattr(config, spec.name) if spec.written not in (None, "campaign") else None
        if path is None:
            if spec.written and spec.name == "output" and spec.optional and spec.written != "any":
                streams.append(spec.option)
            continue
        if is_stream(path):
            if str(path) in ("-", "/dev/stdout"):
                streams.append(spec.option)
            continue
        _check_kind(config, spec, path)
        _claim(taken, spec.option, path, inputs)
    if len(streams) > 1 and streams != ["--json", "--output"]:
        raise UsageError(f"{streams[0]} goes to standard output too; name a file", option=streams[1])
    data = [path for path in written_files(config).values() if not is_stream(path)]
    if data and not data[0].is_dir():
        _claim(taken, "the manifest", manifest_path(data[0]), inputs)
    return list(taken)


def _claim(taken: dict[Path, str], option: str, path: Path, inputs: dict[str, Path]) -> None:
    """Add a place to those that are ``taken``. Raises OutputError."""
    real = Path(os.path.realpath(path))
    if real.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder; name a file in it ({option})")
    if not real.parent.is_dir():
        raise OutputError(f"cannot write {path}: there is no folder {path.parent}; make it first ({option})")
    if not os.access(real.parent, os.W_OK):
        raise OutputError(f"cannot write {path}: the folder {path.parent} may not be written ({option})")
    if real in taken:
        raise OutputError(f"{option} and {taken[real]} both write {path}; name two files")
    for name, source in inputs.items():
        if _same(real, source):
            raise OutputError(f"{option}: {path} is the input {name}; what is read is never replaced")
    owner = _owner(real)
    if owner is not None and option != "the manifest":
        raise OutputError(f"{option}: {path} is a file of the model in {owner}; name another place")
    taken[real] = option


def _same(path: Path, other: Path) -> bool:
    if path == other:
        return True
    with contextlib.suppress(OSError):
        return os.path.samefile(path, other)
    return False


def _owner(path: Path) -> Path | None:
    """The folder of a run whose manifest, model or data file ``path`` is."""
    from seqdesign.commands.provenance import DRAWN

    for folder in (path.parent, path.parent.parent):
        name = str(path.relative_to(folder))
        if (folder / WEIGHTS).exists() and name in OF_A_MODEL:
            return folder
        if path.suffix not in DRAWN and path.exists():
            with contextlib.suppress(OSError, ValueError, AttributeError, TypeError, RecursionError):
                if name == MANIFEST or name in json.loads((folder / MANIFEST).read_bytes())["outputs"]:
                    return folder
    return None


def _check_kind(config: CommandConfig, spec: FieldSpec, path: Path) -> None:
    """Refuse a name that promises another kind of content, or needs a package that is not there."""
    if spec.written == "table":
        check_table_name(path)
    if (
        spec.written == "sequences"
        and inner_suffix(path) in GENBANK_SUFFIXES
        and not getattr(config, "GENBANK", False)
    ):
        raise OutputError(f"{spec.option}: this command writes no GenBank; name a .fa file")
    suffix = inner_suffix(path) if spec.written == "sequences" else path.suffix.lower()
    if spec.written == "sequences" and suffix in TABLES:
        say(f"warning: FASTA is written into {path}; a table goes to --table", quiet=config.quiet)
    elif suffix in {"sequences": NOT_FASTA, "page": NOT_A_PAGE}.get(str(spec.written), ()):
        what = "FASTA" if spec.written == "sequences" else "an HTML page"
        raise OutputError(
            f"{spec.option}: {what} is written here, and the suffix of {path} says something else; rename it"
        )
    for ending, package, extra in ((".zst", "zstandard", "zst"), (".parquet", "pyarrow", "parquet")):
        if path.suffix.lower() == ending and importlib.util.find_spec(package) is None:
            raise MissingExtraError(f"{path}", extra)
