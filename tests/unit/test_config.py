"""Configs: where values come from, what is refused, and how it is said."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdesign.config import (
    REQUIRED,
    Between,
    CommandConfig,
    Flag,
    Options,
    Positional,
    RunConfig,
    SequenceOutput,
    fields_of,
    from_dict,
    jsonable,
    panels_of,
    resolve,
    to_dict,
)
from seqdesign.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class TrainOptions(Options):
    rate: Annotated[float, Between(0, 1, low_open=True)] = 0.1
    """Step size."""
    batch_size: Annotated[int | Literal["auto"], Between(1)] = "auto"
    """Records per step."""
    cell: Literal["gru", "lstm"] = "gru"
    """Recurrent cell,
    on both sides."""


@dataclass(frozen=True, kw_only=True)
class DemoConfig(TrainOptions, RunConfig):
    input: Annotated[Path, Positional("SEQS")]
    """Sequences."""
    number: Annotated[int, Flag("-n"), Between(1, 100)] = 10
    """How many."""
    keep: tuple[str, ...] = ()
    """Positions."""
    lambda_: float = 1.0
    """A name that Python reserves."""
    invariance: bool = True
    """Whether to use it."""

    def problems(self) -> Iterator[str]:
        if self.cell == "lstm" and self.number > 50:
            yield "--number: must be at most 50 with --cell lstm"


SPECS = {spec.name: spec for spec in fields_of(DemoConfig)}


def test_values_come_from_defaults_then_file_then_command_line(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('rate = 0.5\nbatch-size = 8\ninput = "file.fa"\n')
    config = resolve(DemoConfig, {"batch_size": "16"}, file)
    assert (config.number, config.rate, config.batch_size, config.input) == (10, 0.5, 16, Path("file.fa"))


@pytest.mark.parametrize("name", ["run.json", "run.toml"])
def test_a_saved_config_is_a_config_file(tmp_path: Path, name: str) -> None:
    config = DemoConfig(input=Path("a.fa"), keep=("5", "7-9"), lambda_=2.0)
    file = tmp_path / name
    as_toml = "\n".join(f"{k} = {json.dumps(v)}" for k, v in to_dict(config).items() if v is not None)
    file.write_text(json.dumps(to_dict(config)) if name.endswith("json") else as_toml)
    assert resolve(DemoConfig, {}, file) == config


def test_all_problems_come_in_one_error_and_each_names_its_option(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('seed = "7"\nsead = 7\n')
    with pytest.raises(UsageError) as caught:
        resolve(DemoConfig, {"rate": "nan", "number": "0", "cell": "gruu"}, file)
    message = str(caught.value)
    assert message.startswith("6 problems: ")
    for part in (
        "--rate: must be",
        "--number: must be",
        "did you mean 'gru'?",
        "--seed (in ",
        "SEQS: is missing",
    ):
        assert part in message
    assert f"sead (in {file}): unknown option; did you mean 'seed'?" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("key", "typed"),
    [
        ("rate", "nan"), ("rate", "inf"), ("rate", "-inf"), ("rate", "0"), ("rate", "1.01"),
        ("rate", "1e999"), ("rate", ""), ("rate", "x"), ("number", "1.5"), ("number", "1e2"),
        ("number", "101"), ("number", "-1"), ("batch_size", "0"), ("batch_size", "Auto"), ("cell", "GRU"),
        ("input", ""), ("threads", "0"), ("device", "gpu"), ("device", "cuda:"), ("device", "cpu\n"),
        ("seed", "-1"), ("seed", str(2**32)), ("keep", "5"),
    ],
)  # fmt: skip
def test_values_outside_the_rules_are_refused(key: str, typed: str) -> None:
    with pytest.raises(UsageError, match=f"(?s)^{SPECS[key].option}: must be"):
        resolve(DemoConfig, {"input": "a.fa", key: typed})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("number", True),
        ("number", 3.0),
        ("rate", math.nan),
        ("rate", "0.5"),
        ("invariance", 1),
        ("keep", [1]),
    ],
)
def test_a_config_file_must_use_the_right_types(tmp_path: Path, key: str, value: Any) -> None:
    file = tmp_path / "run.json"
    file.write_text(json.dumps({"input": "a.fa", key: value}))
    with pytest.raises(UsageError, match=f"^{SPECS[key].option} .in .*run.json.: must be"):
        resolve(DemoConfig, {}, file)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.toml", b"rate = ", "not a valid TOML"),
        ("a.toml", b"rate = 1\nrate = 2", "not a valid TOML"),
        ("a.toml", b"\xff\xfe", "not a valid TOML"),
        ("a.json", b"{", "not a valid JSON"),
        ("a.json", b'{"rate": 1, "rate": 2}', "a key stands twice"),
        ("a.json", b"[1]", "must hold one object"),
        ("a.json", b"[" * 100_000, "not a valid JSON"),
        ("a.toml", b'config = "b.toml"', "cannot name another"),
    ],
)
def test_a_broken_config_file_is_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(UsageError, match=said) as caught:
        resolve(DemoConfig, {"input": "a.fa"}, file)
    assert str(file) in str(caught.value)


def test_a_missing_config_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--config: cannot read .*none.toml: No such file"):
        resolve(DemoConfig, {"input": "a.fa"}, tmp_path / "none.toml")


def test_direct_construction_is_checked_and_typed() -> None:
    config = DemoConfig(input="a.fa", rate=1, keep=["1"])  # type: ignore[arg-type]
    assert isinstance(config.input, Path)
    assert isinstance(config.rate, float)
    assert config.keep == ("1",)
    with pytest.raises(UsageError, match="^2 problems: --rate.*--number"):
        DemoConfig(input=Path("a.fa"), rate=2.0, number=0)


def test_rules_across_fields_of_every_base_are_asked() -> None:
    with pytest.raises(UsageError, match="^2 problems: --quiet.*--number: must be at most 50"):
        DemoConfig(input=Path("a"), cell="lstm", number=51, quiet=True, verbose=True)


@dataclass(frozen=True, kw_only=True)
class SampleConfig(SequenceOutput, CommandConfig):
    """A command that writes sequences."""


@pytest.mark.parametrize(("output", "allowed"), [(None, False), ("-", False), ("out.fa", True)])
def test_json_and_sequences_never_share_stdout(output: str | None, allowed: bool) -> None:
    typed = {"json": True} if output is None else {"json": True, "output": output}
    if allowed:
        assert resolve(SampleConfig, typed).json
    else:
        with pytest.raises(UsageError, match="--json: stdout carries the sequences"):
            resolve(SampleConfig, typed)


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        DemoConfig(input=Path("a")).seed = 3  # type: ignore[misc]


def test_fields_say_what_help_needs() -> None:
    assert SPECS["number"].option == "--number"
    assert SPECS["number"].flags == ("-n",)
    assert SPECS["lambda_"].option == "--lambda"
    assert SPECS["input"].positional
    assert SPECS["input"].default is REQUIRED
    assert SPECS["keep"].repeatable
    assert SPECS["cell"].help == "Recurrent cell, on both sides."
    assert SPECS["cell"].choices == ("gru", "lstm")
    assert SPECS["batch_size"].metavar == "INT|auto"
    assert SPECS["seed"].help.startswith("Seed of every random choice")
    assert SPECS["rate"].panel == "Train options"
    assert panels_of(DemoConfig) == ("Demo options", "Train options", "Common options", "Options")


def test_a_field_redefined_keeps_its_help_and_panel() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Seeded(RunConfig):
        seed: int = 3

    spec = next(s for s in fields_of(Seeded) if s.name == "seed")
    assert (spec.default, spec.panel) == (3, "Common options")
    assert spec.help.startswith("Seed of every")


@pytest.mark.parametrize("kind", [dict, list, complex, tuple[int, str]])
def test_a_field_that_no_option_can_carry_is_a_programming_error(kind: Any) -> None:
    cls = dataclass(frozen=True, kw_only=True)(
        type("Odd", (), {"__annotations__": {"x": kind}, "__module__": __name__})
    )
    with pytest.raises(TypeError, match="Odd.x: an option cannot have the type"):
        fields_of(cls)


@given(
    rate=st.floats(0, 1, exclude_min=True),
    number=st.integers(1, 100),
    keep=st.lists(st.text()).map(tuple),
    batch_size=st.one_of(st.just("auto"), st.integers(1)),
    threads=st.one_of(st.none(), st.integers(1, 4096)),
    invariance=st.booleans(),
)
def test_to_dict_and_from_dict_are_inverse_through_json(**values: Any) -> None:
    config = DemoConfig(input=Path("a.fa"), **values)
    assert from_dict(DemoConfig, json.loads(json.dumps(to_dict(config), allow_nan=False))) == config


@given(st.floats(allow_nan=True), st.floats(-10, 10), st.floats(-10, 10), st.booleans(), st.booleans())
def test_between_holds_as_the_inequality_says(
    x: float, a: float, b: float, low_open: bool, high_open: bool
) -> None:
    if not math.isnan(x):
        wanted = (a < x if low_open else a <= x) and (x < b if high_open else x <= b)
        assert Between(a, b, low_open, high_open).holds(x) == wanted


def test_jsonable_turns_arrays_paths_and_nan_into_json() -> None:
    value = {
        "a": np.array([1.0, np.nan]),
        Path("k"): Path("p"),
        "b": {2, 1},
        "c": np.float32(0.5),
        "d": (math.inf,),
    }
    assert jsonable(value) == {"a": [1.0, None], "k": "p", "b": [1, 2], "c": 0.5, "d": [None]}
    with pytest.raises(TypeError, match="cannot write object as JSON"):
        jsonable(object())
