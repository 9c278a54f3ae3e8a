"""Frozen configs: defaults < ``--config`` file (TOML or JSON) < command line, checked in one place.

A config is a frozen keyword-only dataclass. The docstring under a field is its ``--help`` text; rules stand
in ``Annotated`` beside the type. Commands compose their config from groups of options by inheritance:

    @dataclass(frozen=True, kw_only=True)
    class ReviseConfig(ReadOptions, CommandConfig):
        input: Annotated[Path, Positional()]
        \"\"\"Sequences to revise.\"\"\"
        alpha: Annotated[float, Between(high=0)] = -1.0
        \"\"\"Log of the likelihood bound.\"\"\"

Allowed types: ``int float str bool Path``, ``Literal`` of strings, ``tuple[X, ...]`` (a repeatable option),
unions of these (the first alternative that fits wins) and ``None``. Numbers must be finite.
A class that yields messages from ``problems(self)`` adds rules across its fields; every class of the
inheritance chain is asked, without ``super()``.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

from seqdesign.errors import UsageError
from seqdesign.fields import (
    REQUIRED,
    Between,
    FieldSpec,
    Flag,
    MadeBy,
    Positional,
    Written,
    fields_of,
    panels_of,
)
from seqdesign.symbols import spelled

__all__ = [
    "REQUIRED",
    "Between",
    "CommandConfig",
    "ComputeOptions",
    "FieldSpec",
    "Flag",
    "MadeBy",
    "Options",
    "Positional",
    "RunConfig",
    "SeedOption",
    "SequenceOutput",
    "Written",
    "fields_of",
    "from_dict",
    "jsonable",
    "panels_of",
    "part",
    "resolve",
    "suggest",
    "to_dict",
    "to_words",
]

ConfigT = TypeVar("ConfigT")


@dataclass(frozen=True, kw_only=True)
class Options:
    """Base of every group of options; building one with wrong values is one UsageError naming them all."""

    def __post_init__(self) -> None:
        values, problems = _check(self)
        _raise(problems)
        for name, value in values.items():  # a str for a Path, an int for a float, a list for a tuple
            object.__setattr__(self, name, value)


@dataclass(frozen=True, kw_only=True)
class CommandConfig(Options):
    """Options that every command has."""

    PANEL: ClassVar[str] = "Common options"
    FIRST: ClassVar[tuple[str, ...]] = ()
    """Fields that --help shows, since most people need them; --help-all shows the others, too. Empty: all."""

    json: bool = False
    """Print one JSON object on stdout instead of text."""
    quiet: Annotated[bool, Flag("-q")] = False
    """Show neither progress nor messages on stderr, only errors."""
    verbose: Annotated[bool, Flag("-v")] = False
    """More messages on stderr."""
    debug: bool = False
    """Show the full traceback of an error."""
    config: Path | None = None
    """TOML or JSON file with values for these options; those on the command line win."""

    def problems(self) -> Iterator[str]:
        """Rules across fields that types and ranges cannot state."""
        if self.quiet and self.verbose:
            yield "--quiet: cannot be combined with --verbose"


@dataclass(frozen=True, kw_only=True)
class SeedOption(Options):
    """The seed, for commands that choose at random."""

    PANEL: ClassVar[str] = "Common options"

    seed: Annotated[int, Between(0, 2**32 - 1)] = 0
    """Seed of every random choice; the same seed on the same machine gives the same result."""


DEVICE_NAMES = r"auto|cpu|cuda(:\d+)?|mps"


@dataclass(frozen=True, kw_only=True)
class ComputeOptions(Options):
    """Where to compute, for commands that run a model."""

    PANEL: ClassVar[str] = "Common options"

    device: str = "auto"
    """Where to compute: auto, cpu, cuda, cuda:INDEX or mps."""
    threads: Annotated[int | None, Between(1, 4096)] = None
    """CPU threads; when not given one, or in training more where its steps are large enough to gain by them;
    --verbose says how many."""

    def problems(self) -> Iterator[str]:
        """Only devices that torch knows."""
        if not re.fullmatch(DEVICE_NAMES, self.device):
            yield f"--device: must be auto, cpu, cuda, cuda:INDEX or mps, got {self.device!r}"


@dataclass(frozen=True, kw_only=True)
class RunConfig(SeedOption, ComputeOptions, CommandConfig):
    """Options of commands that run a model and choose at random."""

    PANEL: ClassVar[str] = "Common options"


@dataclass(frozen=True, kw_only=True)
class SequenceOutput(Options):
    """Options of commands whose result is sequences: FASTA on stdout unless a file is named."""

    PANEL: ClassVar[str] = "Output options"
    GENBANK: ClassVar[bool] = False
    """True for a command that writes GenBank, too, where the suffix is .gb."""

    output: Annotated[Path | None, Flag("-o"), Written("sequences")] = None
    """FASTA file to write, compressed by suffix; - or nothing is stdout. With --json a file is needed."""

    def problems(self) -> Iterator[str]:
        """Stdout carries either the sequences or the JSON object, never both."""
        if getattr(self, "json", False) and self.output in (None, Path("-")):
            yield "--json: stdout carries the sequences; add --output FILE for them, or leave --json out"


def resolve(cls: type[ConfigT], overrides: Mapping[str, Any], config_file: Path | None = None) -> ConfigT:
    """Build a config from defaults, then the config file, then the overrides.

    Args:
        cls: config class.
        overrides: field name -> value as typed (text is converted) or already of the field's type.
        config_file: TOML or JSON file; keys are field names or option names without the dashes.

    Raises:
        UsageError: one error that lists every problem, each with its option.
    """
    specs = {spec.name: spec for spec in fields_of(cls)}
    values: dict[str, Any] = {}
    problems: list[str] = []
    for source, given in (("", overrides), (str(config_file), _read(config_file) if config_file else {})):
        for key, raw in given.items():
            name = key.replace("-", "_") if source else key
            spec = specs.get(name) or specs.get(f"{name}_")
            if spec is None or (source and spec.name == "config"):
                problems.append(_unknown(key, specs, source))
            elif spec.name not in values:
                where = f"{spec.option} (in {source})" if source else spec.option
                values[spec.name] = raw
                try:
                    values[spec.name] = _convert(spec, raw, text_allowed=not source)
                except ValueError as error:
                    problems.append(f"{where}: {error}")
    problems += [
        f"{spec.option}: is missing; it must be {spec.wanted}"
        for spec in specs.values()
        if spec.required and spec.name not in values
    ]
    _raise(problems)
    return cls(**values)


def part(config: Options, group: type[ConfigT]) -> ConfigT:
    """The options of one ``group`` out of a config that inherits it."""
    return group(**{spec.name: getattr(config, spec.name) for spec in fields_of(group)})


def to_dict(config: Any) -> dict[str, Any]:
    """All fields as JSON types. ``config`` is left out: what the file said is already in the other fields."""
    values = {spec.name: jsonable(getattr(config, spec.name)) for spec in fields_of(type(config))}
    values.pop("config", None)
    return values


def from_dict(cls: type[ConfigT], values: Mapping[str, Any]) -> ConfigT:
    """Inverse of ``to_dict``; unknown keys and wrong values are one UsageError."""
    return resolve(cls, values)


def to_words(cls: type, values: Mapping[str, Any]) -> list[str]:
    """What to type for these values (names as in ``to_dict``): arguments, then what is not the default."""
    arguments, options = [], []
    for spec in fields_of(cls):
        value = values.get(spec.name)
        items = [str(v) for v in (value if isinstance(value, list | tuple) else (value,)) if v is not None]
        if spec.positional:
            arguments += items
        elif spec.name not in values or value == jsonable(spec.default):
            continue
        elif spec.is_bool:
            options.append(spec.option if value else f"--no-{spec.option[2:]}")
        else:
            option = spec.flags[0] if spec.flags else spec.option
            # A value such as -1 is no option in its place; one that begins with a letter after the dash is.
            options += [word for item in items for word in _word(option, item)]
    return [*arguments, *options]


def _word(option: str, item: str) -> list[str]:
    return [f"{option}={item}"] if item.startswith("-") and option.startswith("--") else [option, item]


def jsonable(value: Any) -> Any:
    """Plain JSON types for paths, tuples, mappings, dataclasses and arrays; NaN and infinity become null."""
    if isinstance(value, str):
        return spelled(value)
    if isinstance(value, bool | int) or value is None:
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: jsonable(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {spelled(str(key)): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # numpy and torch values, without importing either
        return jsonable(value.tolist())
    raise TypeError(f"cannot write {type(value).__name__} as JSON")


def suggest(word: str, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the nearest known word or one that begins so, or nothing."""
    import difflib

    names = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), names, n=1)
    close = close or [name for name in names if word and name.startswith(word.lower())]
    return f"; did you mean '{names[close[0]]}'?" if close else ""


def _convert(spec: FieldSpec, raw: Any, *, text_allowed: bool) -> Any:
    """Value of the field's type, or ValueError saying what it must be. Text is parsed only where allowed."""
    if raw is None and spec.optional:
        return None
    if spec.repeatable:
        if isinstance(raw, str) or not isinstance(raw, list | tuple):
            raise ValueError(f"must be a list, got {raw!r}")
        return tuple(_convert_one(spec, item, text_allowed) for item in raw)
    return _convert_one(spec, raw, text_allowed)


def _convert_one(spec: FieldSpec, raw: Any, text_allowed: bool) -> Any:
    for kind in spec.kinds:
        value = _as_kind(kind, raw, text_allowed)
        if value is not None and (
            spec.between is None or isinstance(value, str) or spec.between.holds(value)
        ):
            return value
    close = suggest(raw, spec.choices) if isinstance(raw, str) else ""
    shown = str(raw) if isinstance(raw, Path) else raw
    raise ValueError(f"must be {spec.wanted}, got {shown!r}{close}")


def _as_kind(kind: Any, raw: Any, text_allowed: bool) -> Any:
    """``raw`` as a value of ``kind``, or None when it is not one."""
    if isinstance(kind, tuple):
        return raw if isinstance(raw, str) and raw in kind else None
    if kind is Path:
        return Path(raw) if isinstance(raw, str | Path) and raw != "" else None
    if kind in (str, bool):
        return raw if isinstance(raw, kind) else None
    if isinstance(raw, str):
        try:
            raw = kind(raw) if text_allowed else None
        except ValueError:
            return None
    if isinstance(raw, bool) or not isinstance(raw, (int, float) if kind is float else int):
        return None
    try:
        value = kind(raw)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def _check(config: Any) -> tuple[dict[str, Any], list[str]]:
    """Values in their declared types, and the problems; rules across fields only when each field is sound."""
    values, found = {}, []
    for spec in fields_of(type(config)):
        try:
            values[spec.name] = _convert(spec, getattr(config, spec.name), text_allowed=False)
        except ValueError as error:
            found.append(f"{spec.option}: {error}")
    if not found:
        rules = [c.__dict__["problems"] for c in type(config).__mro__ if "problems" in c.__dict__]
        found = [message for rule in reversed(rules) for message in rule(config)]
    return values, found


def _raise(problems: list[str]) -> None:
    if problems:
        lead = f"{len(problems)} problems: " if len(problems) > 1 else ""
        raise UsageError(lead + "; ".join(problems))


def _unknown(key: str, specs: Mapping[str, FieldSpec], source: str) -> str:
    if source and key == "config":
        return f"config (in {source}): a config file cannot name another one; remove the key"
    where = f"{key} (in {source})" if source else key
    return f"{where}: unknown option{suggest(key.replace('-', '_'), specs)}"


def _read(path: Path) -> dict[str, Any]:
    """Top-level table of a TOML file, or object of a JSON file (suffix ``.json``)."""
    import json
    import tomllib

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(found := dict(pairs)) < len(pairs):
            raise ValueError("a key stands twice")
        return found

    try:
        text = path.read_text(encoding="utf-8-sig")
        data = json.loads(text, object_pairs_hook=unique) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", option="--config") from error
    except (ValueError, RecursionError) as error:  # TOML, JSON and UTF-8 errors are ValueErrors
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise UsageError(f"{path} is not a valid {kind} file: {error}", option="--config") from error
    if not isinstance(data, dict):
        raise UsageError(
            f"{path} must hold one object of options, got {type(data).__name__}", option="--config"
        )
    return data
