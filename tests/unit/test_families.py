"""A family of models that a plug-in brings: it is opened, asked and shown like those of this package."""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from torch import nn

import seqdesign as sd
from seqdesign.config import fields_of
from seqdesign.errors import ModelError
from seqdesign.families import REGISTRY, Family, family_of
from seqdesign.registry import Registry
from seqdesign.runs.atomic import write_json
from seqdesign.runs.manifest import MANIFEST, Manifest
from seqdesign.training.store import save_model
from seqdesign_cli.commands import COMMANDS

COMMAND = '''
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from torch import nn

from seqdesign.config import CommandConfig, Positional
from seqdesign.runs.result import Result
from seqdesign.training.store import save_model


class Record:
    def build(self):
        return nn.Linear(1, 1)

    def to_dict(self):
        return {"kind": "counter"}


@dataclass(frozen=True, kw_only=True)
class TrainCounterConfig(CommandConfig):
    """Learn to count letters."""

    output: Annotated[Path, Positional("FOLDER")]
    """Folder of the model."""


@dataclass(frozen=True, kw_only=True)
class TrainCounterResult(Result):
    command: ClassVar[str] = "train-counter"
    model: Path

    def text(self):
        return f"model: {self.model}"


def train_counter(config):
    config.output.mkdir()
    save_model(config.output, nn.Linear(1, 1), Record())
    return TrainCounterResult(model=config.output)
'''

PLUGIN = '''
from seqdesign_cli.commands import Command

from seqdesign.families import Family
from seqdesign.sequences.alphabets import get_alphabet


class Rows:
    """Counts the letter A."""

    def __init__(self, folder, device):
        self.alphabet, self.max_length = get_alphabet("dna"), 100
        self.outcomes, self.columns = ("count",), ["id", "sequence", "count", "measured"]

    def measured_column(self, name):
        return "measured"

    def measured(self, block, column):
        return block.numbers(column)

    def shown(self, value):
        return value

    def of(self, array, block):
        for name, text in zip(block.ids, block.sequences):
            yield {"id": name, "sequence": text, "count": text.count("A")}, [float(text.count("A"))]


def sections(page, folder, result):
    page.section("Counting", f"{result['letters']} letters were counted.")


FAMILY = Family(kind="counter", made_by="train-counter", rows=Rows, sections=sections)
COMMAND = Command(
    "counter_command", "TrainCounterConfig", "train_counter", "Learn to count letters.", "Train"
)
'''


@dataclasses.dataclass(frozen=True)
class Record:
    """What a counter is besides its weights."""

    def build(self) -> nn.Module:
        return nn.Linear(1, 1)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": "counter"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a model of the plug-in, which is installed."""
    (tmp_path / "counter_plugin.py").write_text(PLUGIN)
    (tmp_path / "counter_command.py").write_text(COMMAND)
    info = tmp_path / "counter_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: counter-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[seqdesign.models]\ncounter = counter_plugin:FAMILY\n"
        "[seqdesign.commands]\ntrain-counter = counter_plugin:COMMAND\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("seqdesign.families.REGISTRY", Registry("kind of model", "seqdesign.models"))
    model = tmp_path / "model"
    model.mkdir()
    save_model(model, nn.Linear(1, 1), Record())
    manifest = Manifest(
        command="train-counter seqs.fa", config={}, seed=0, device="cpu", threads=None, inputs={},
        versions={}, started="2026-01-01T00:00:00+00:00", name="train-counter", status="complete",
        result={"letters": 12},
    )  # fmt: skip
    write_json(model / MANIFEST, manifest)
    monkeypatch.chdir(tmp_path)
    yield model
    for name in ("counter_plugin", "counter_command"):
        sys.modules.pop(name, None)


def test_the_families_of_this_package_say_what_they_can_do() -> None:
    for kind in REGISTRY.built_in:
        family = __import__(f"seqdesign.models.{kind}.family", fromlist=["FAMILY"]).FAMILY
        assert isinstance(family, Family)
        assert family.kind == kind
        assert family.made_by == f"train-{kind}"
        assert family.sections is not None
        for words in family.used_by:
            command, *options = words.split()
            row = COMMANDS[command]
            config = getattr(importlib.import_module(row.module), row.config)
            known = {name for spec in fields_of(config) for name in (spec.option, *spec.flags)}
            assert set(options) <= known, words


def test_its_command_is_listed_and_trains_what_predict_reads(folder: Path, cli: Callable[..., Any]) -> None:
    assert "train-counter     Learn to count letters." in cli("--help").out
    assert cli("train-counter", "trained").code == 0
    Path("seqs.fa").write_text(">a\nAAC\n")
    assert cli("predict", "seqs.fa", "-m", "trained").out.splitlines()[1] == "a,AAC,2,"


def test_predict_knows_the_family_of_a_plugin(folder: Path, cli: Callable[..., Any]) -> None:
    Path("seqs.fa").write_text(">a\nAAC\n>b\nGGG\n")
    done = cli("predict", "seqs.fa", "-m", folder)
    assert done.code == 0, done.err
    assert done.out == "id,sequence,count,measured\na,AAC,2,\nb,GGG,0,\n"


def test_inspect_says_what_it_is(folder: Path, cli: Callable[..., Any]) -> None:
    assert cli("inspect", folder).out == f"{folder}: a model of train-counter, 2026-01-01\n"
    found = json.loads(cli("inspect", folder, "--json").out)
    assert (found["command"], found["kind"], found["alphabet"]) == ("inspect", "counter", None)
    refused = cli("inspect", folder, "--outcome", "y")
    assert (refused.code, "--outcome: has no effect on a model" in refused.err) == (2, True)
    empty = cli("inspect", folder.parent)
    assert (empty.code, "is a folder without a model; name a file of" in empty.err) == (1, True)


def test_report_shows_what_the_family_has_to_say(folder: Path, cli: Callable[..., Any]) -> None:
    done = cli("report", folder, "-o", "page.html")
    assert done.code == 0, done.err
    assert "12 letters were counted." in Path("page.html").read_text()


def test_python_opens_it_and_asks_it(folder: Path) -> None:
    model = sd.load(folder, device="cpu")
    assert model.kind == "counter"
    assert sd.predict(model, ["AAA", "ACA"])["count"].tolist() == [3, 2]
    with pytest.raises(sd.errors.UsageError, match="a counter writes no sequences"):
        sd.sample(model, 3)


def test_a_kind_that_nobody_brings_is_refused_by_name(tmp_path: Path) -> None:
    save_model(tmp_path, nn.Linear(1, 1), Record())
    with pytest.raises(
        ModelError, match="kind 'counter'; known are gan, lm, predictor, similarity, translate, vae"
    ):
        family_of(tmp_path)
