"""Messages name options that the command has; a missing file is said before torch is loaded."""

from __future__ import annotations

import importlib
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqdesign.config import fields_of
from seqdesign.training.store import differences
from seqdesign_cli.commands import COMMANDS

Cli = Callable[..., Any]
LOADED = """
import sys
from seqdesign_cli.main import main
code = main(sys.argv[1:])
print(code, "torch" in sys.modules)
"""


@pytest.mark.parametrize(
    "words",
    [
        "train-vae none.fa", "train-gan none.fa", "train-predictor none.csv", "predict none.fa",
        "revise none.fa", "maximize --start none.fa", "attribute none.fa", "motifs none.fa",
        "evaluate none.fa", "predict in.fa -m nomodel", "train-vae bad.fa -o m",
        "train-vae in.fa --sequence x -o m",
    ],
)  # fmt: skip
def test_what_is_wrong_with_inputs_is_said_before_torch_is_loaded(
    tmp_path: Path, python: Callable[..., Any], words: str
) -> None:
    (tmp_path / "in.fa").write_text(">a\nACGT\n")
    (tmp_path / "bad.fa").write_text(">a\nAC?T\n>a\nACGT\n")
    done = python("-c", LOADED, *words.split())
    code, torch = done.out.split()
    assert code in ("1", "2")
    assert torch == "False"
    assert "none" in done.err or "nomodel" in done.err or "bad.fa" in done.err or "FASTA" in done.err


def test_a_name_nearly_right_is_named(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "sequences.fa").write_text(">a\nACGT\n")
    done = cli("train-vae", tmp_path / "sequence.fa", "-o", tmp_path / "m")
    assert f"did you mean '{tmp_path / 'sequences.fa'}'" in done.err


@pytest.mark.parametrize("command", ["motifs", "revise", "interpolate", "attribute", "train-vae"])
def test_ids_that_occur_twice_are_renamed_where_that_is_advised(
    tmp_path: Path, cli: Cli, command: str
) -> None:
    from seqdesign.config import fields_of
    from seqdesign_cli.commands import COMMANDS

    row = COMMANDS[command]
    config = getattr(__import__(row.module, fromlist=["x"]), row.config)
    assert "--on-duplicate" in {spec.option for spec in fields_of(config)}


def test_another_option_of_a_resumed_run_is_named() -> None:
    then = {"input": "a", "training options": {"epochs": 5, "batch_size": 8}, "--seed": 0}
    now = {"input": "b", "training options": {"epochs": 6, "batch_size": 8}, "--seed": 1}
    assert differences(json.loads(json.dumps(then)), now) == [
        "the sequences or outcomes of the input differ", "--epochs was 5, is 6", "--seed was 0, is 1",
    ]  # fmt: skip


MESSY = "id,sequence,outcome\n" + "".join(
    f"s{i},{'ACGT'[i % 4]}{'ACGT'[i // 4 % 4]}{'ACGT'[i // 16]}ACGTACG,{i}.5\n" for i in range(60)
)
PROBLEMS = "s0,ACGTACGTAC,1.0\nb,ACGTNCGTAC,2.0\nd,ACG-ACGTAA,ND\ne,ACGTACGTAT,\n"


@pytest.mark.parametrize("command", ["train-vae", "train-predictor", "train-lm"])
def test_all_problems_of_a_file_are_named_at_once_and_the_options_that_are_named_read_it(
    cli, tmp_path: Path, command: str
) -> None:
    path = tmp_path / "messy.csv"
    path.write_text(MESSY + PROBLEMS)
    done = cli(command, path, "-o", tmp_path / "m")
    assert done.code == 1
    assert len(done.err.splitlines()) == 1
    assert "In all there are 5 kinds of problem: 1 id used before; letter '-' 1 time, first in" in done.err
    words = done.err.partition("With these options the file is read: ")[2].split()
    wanted = "--on-duplicate rename --gaps strip --on-unknown skip --missing ND --on-missing drop"
    assert words == wanted.split()
    again = cli(command, path, "-o", tmp_path / "m", *words, "--epochs", "1")
    assert again.code == 0, again.err


def test_one_kind_of_problem_is_told_once(cli, tmp_path: Path) -> None:
    path = tmp_path / "limits.csv"
    path.write_text(MESSY + "x,ACGTACGTAC,>128\ny,ACGTACGTAA,<2\nz,ACGTACGTCC,>128\n")
    done = cli("train-vae", path, "-o", tmp_path / "m")
    assert done.code == 1
    assert "3 cells are no numbers: line 62 '>128', line 63 '<2', line 64 '>128'" in done.err
    assert done.err.count("a limit is no measured value") == done.err.count("line 62 '>128'") == 1
    words = "--missing '>128' --missing '<2' --on-missing drop"
    assert done.err.strip().endswith(f"or add {words}")
    again = cli("train-vae", path, "-o", tmp_path / "m", *shlex.split(words), "--epochs", "1")
    assert again.code == 0, again.err


def test_limits_are_no_problem_where_they_are_learned_from(cli, tmp_path: Path) -> None:
    path = tmp_path / "limits.csv"
    path.write_text(MESSY + "x,ACGTACGTAC,>128\ny,ACGTACGTAA,\nx,ACGTACGTCC,>128\n")
    done = cli("train-predictor", path, "-o", tmp_path / "m")
    assert done.code == 1
    assert "In all there are 2 kinds of problem: 1 id used before; 1 record without" in done.err
    assert "--missing" not in done.err
    words = done.err.partition("With these options the file is read: ")[2].split()
    again = cli("train-predictor", path, "-o", tmp_path / "m", *words, "--architecture", "ridge")
    assert again.code == 0, again.err
    assert "2 limits (2 above), learned as limits" in again.err


def test_inspect_says_what_to_add_for_training(cli, tmp_path: Path) -> None:
    path = tmp_path / "messy.csv"
    path.write_text(MESSY + PROBLEMS)
    assert "to train     add --on-duplicate rename --gaps strip --on-unknown skip" in cli("inspect", path).out
    path.write_text(MESSY)
    assert "to train" not in cli("inspect", path).out


@pytest.mark.parametrize("outcome", ["", "outcome=high", "outcome=1"])
def test_options_are_said_to_read_a_file_only_if_they_do(cli, tmp_path: Path, outcome: str) -> None:
    """An alignment without outcomes, one whose outcomes are hardly ever numbers, and one that can be read."""
    path = tmp_path / "aligned.fa"
    rows = [f">s{i} {outcome if i else 'x=1'}\nAC-GT.AC{'ACGT'[i % 4]}{'ACGT'[i // 4]}\n" for i in range(12)]
    path.write_text("".join(rows) + (">s13 outcome=2\nACGTACAA\n" if outcome else ""))
    done = cli("train-predictor", path, "-o", tmp_path / "m")
    assert done.code == 1
    assert "In all there are " in done.err
    alone = outcome == "outcome=1"
    assert ("With these options the file is read: " in done.err) == alone
    assert ("Once what no option mends is mended, these options read the file: " in done.err) != alone
    words = "--gaps strip --on-missing drop" if outcome else "--gaps strip"
    assert done.err.strip().endswith(f": {words}")
    again = cli("train-predictor", path, "-o", tmp_path / "m", *words.split())
    assert ("too few to learn from" in again.err) == alone  # they are, but they are read


def test_one_problem_is_said_once(cli, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text(MESSY + "b,ACGTNCGTAC,2.0\n")
    done = cli("train-vae", path, "-o", tmp_path / "m")
    assert "letter 'N' at position 5" in done.err
    assert "In all" not in done.err


@pytest.mark.parametrize(
    ("words", "made_by", "option"),
    [
        (("maximize", "-m", "none"), "train-predictor or train-vae", "--model"),
        (("sample", "none"), "train-lm, train-gan or train-vae", "MODEL"),
        (("sample-vae", "-m", "none"), "train-vae", "--model"),
        (
            ("predict", "seqs.fa", "-m", "none"),
            "train-predictor, train-vae, train-lm or train-similarity",
            "--model",
        ),
        (
            ("maximize", "--oracle", "math:sin", "--generator", "none"),
            "train-lm, train-gan or train-vae",
            "--generator",
        ),
        (("evaluate", "seqs.fa", "--predictor", "none"), "train-predictor", "--predictor"),
    ],
    ids=" ".join,
)
def test_a_missing_model_names_the_commands_that_make_one_for_this_option(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cli: Callable[..., Any],
    words: tuple[str, ...],
    made_by: str,
    option: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("seqs.fa").write_text(">a\nACGT\n")
    done = cli(*words)
    assert done.code == 1
    assert done.err.endswith(
        f"none/model.safetensors does not exist; train the model first (seqdesign {made_by} SEQS -o none), "
        f"or name its folder with {option}\n"
    )


def test_every_option_that_names_a_model_says_what_makes_one() -> None:
    configs = {
        name: getattr(importlib.import_module(command.module), command.config)
        for name, command in COMMANDS.items()
    }
    specs = [(name, spec) for name, config in configs.items() for spec in fields_of(config)]
    named = [(name, spec) for name, spec in specs if spec.made_by]
    assert len(named) > 10
    unmarked = [
        (name, spec.name) for name, spec in specs if spec.reads and not spec.made_by and "train-" in spec.help
    ]
    assert unmarked == []
    for name, spec in named:
        assert set(spec.made_by) <= set(COMMANDS), (name, spec.name)
        assert set(re.findall(r"train-\w+", spec.help)) <= set(spec.made_by), (name, spec.name)
