"""What commands read and write is looked at before any work: places, kinds of file, whose files they are."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqdesign.commands.bench.check import CheckConfig
from seqdesign.commands.bench.select import SelectConfig
from seqdesign.commands.look.logo import LogoConfig
from seqdesign.commands.session import _outputs, read_files, written_places
from seqdesign.commands.train.train_vae import TrainVAEConfig, train_vae
from seqdesign.errors import InputError, MissingExtraError, ModelError, OutputError, UsageError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "seqs.fa").write_text(">a score=1\nACGT\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checking(path: str) -> CheckConfig:
    return CheckConfig(input=Path(path), gc="0.4-0.6")


def test_inputs_that_are_no_files_of_sequences_are_named(here: Path) -> None:
    (here / "folder").mkdir()
    os.mkfifo(here / "pipe")
    for path, message in (
        ("folder", "folder: is a folder; name a file of sequences"),
        ("a\0b", "no file can have such a name"),
        ("seq.fa", "cannot be opened: No such file or directory; did you mean 'seqs.fa'?"),
        ("nothing.csv", "cannot be opened: No such file or directory$"),
    ):
        with pytest.raises(InputError, match=message):
            read_files(checking(path))
    assert list(read_files(checking("pipe"))) == ["pipe"]  # opened once only, when it is read


def test_standard_input_is_read_once(here: Path) -> None:
    with pytest.raises(UsageError, match="standard input is read for .* already; name a file"):
        read_files(SelectConfig(input=Path("-"), exclude=(Path("-"),)))


def test_a_data_set_is_no_model(here: Path) -> None:
    with pytest.raises(ModelError, match=r"train the model first .* or name its folder with --model$"):
        read_files(SelectConfig(input=Path("seqs.fa"), model=Path("dataset:rna_mpsa_5ss9")))


def test_places_that_cannot_be_written_are_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "run").mkdir()
    (here / "run" / "manifest.json").write_text(json.dumps({"outputs": {"mine.fa": "0"}}))
    for name in ("mine.fa", "other.fa"):
        (here / "run" / name).touch()
    for output, message in (
        ("run", "it is a folder; name a file in it"),
        ("absent/o.fa", "there is no folder absent; make it first"),
        ("seqs.fa", "is the input seqs.fa; what is read is never replaced"),
        ("run/mine.fa", "is a file of the model in"),
        ("o.gb", "this command writes no GenBank; name a .fa file"),
        ("o.png", "FASTA is written here"),
    ):
        config = SelectConfig(input=Path("seqs.fa"), output=Path(output))
        with pytest.raises(OutputError, match=message):
            written_places(config, read_files(config))
    config = SelectConfig(input=Path("seqs.fa"), output=Path("run/other.fa"))
    assert written_places(config, {})[0] == here / "run" / "other.fa"
    with pytest.raises(OutputError, match=r"--table and --output both write o\.csv"):
        written_places(SelectConfig(input=Path("seqs.fa"), output=Path("o.csv"), table=Path("o.csv")), {})
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="may not be written"):
        written_places(SelectConfig(input=Path("seqs.fa"), output=Path("o.fa")), {})


def test_a_package_that_is_missing_is_named_before_the_work(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for output in ("o.fa.zst",):
        with pytest.raises(MissingExtraError, match="zst"):
            written_places(SelectConfig(input=Path("seqs.fa"), output=Path(output)), {})


def test_the_longest_name_of_a_file_can_be_locked(here: Path) -> None:
    output = Path("x" * 251 + ".svg")
    with _outputs(LogoConfig(input=Path("seqs.fa"), output=output)):
        assert len(list(here.glob(".*.lock"))) >= 1
    assert list(here.glob(".*.lock")) == []


def test_code_of_others_does_not_end_the_program(here: Path) -> None:
    from seqdesign.errors import SeqDesignError

    with pytest.raises(SeqDesignError, match="tried to end the program"), _outputs(checking("seqs.fa")):
        raise SystemExit(3)


def test_an_input_inside_the_folder_of_the_model_is_safe(here: Path) -> None:
    (here / "vae").mkdir()
    (here / "vae" / "metrics.csv").write_text("sequence\nACGT\n")
    config = TrainVAEConfig(sequences=Path("vae/metrics.csv"), output=Path("vae"), quiet=True)
    with pytest.raises(OutputError, match="vae holds the input vae/metrics.csv; name another folder"):
        train_vae(config)


MODELS: dict[str, tuple[str, ...]] = {
    "train-vae": ("--epochs", "1", "--hidden", "8", "--latent-dim", "2"),
    "train-lm": ("--epochs", "1", "--width", "8", "--layers", "1", "--heads", "2"),
    "train-gan": (
        "--channels",
        "4",
        "--blocks",
        "1",
        "--steps",
        "2",
        "--judge-every",
        "1",
        "--critic-steps",
        "1",
    ),
    "train-similarity": ("--hidden", "6", "--epochs", "1"),
}


@pytest.mark.parametrize("command", MODELS)
def test_a_process_that_is_not_the_main_one_computes_and_writes_nothing(
    command: str, here: Path, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqdesign.commands.train.options.is_main_process", lambda: False)
    lines = [
        f">s{i} outcome={i % 5}\n{'ACGT'[i % 4]}{'ACGT'[i // 4 % 4]}{'ACGT'[i // 16]}ACGTA\n"
        for i in range(60)
    ]
    (here / "many.fa").write_text("".join(lines))
    (here / "model").mkdir()  # the main process has made it
    done = cli(command, "many.fa", "-o", "model", "-b", "16", *MODELS[command], "-q")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert not (here / "model" / "manifest.json").exists()
    assert not (here / "model" / "model.safetensors").exists()
