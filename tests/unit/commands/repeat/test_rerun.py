"""``seqdesign rerun``: the same bytes again, somewhere else, or a clear word about what is not the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqdesign.commands.design.maximize import MaximizeConfig
from seqdesign.commands.design.revise import ReviseConfig
from seqdesign.commands.provenance import command_line, config_of
from seqdesign.config import resolve, to_dict
from seqdesign.pages.runs import base_folder
from seqdesign.runs.atomic import write_json
from seqdesign.runs.manifest import MANIFEST, manifest_path, read_manifest
from seqdesign_cli.bind import bind
from seqdesign_cli.commands import COMMANDS

Cli = Callable[..., Any]

ORACLE = """
def score(x):
    return x[:, 1].mean(1) - x[:, 0].mean(1)
"""
DESIGN = (
    "maximize", "--oracle", "rerun_toys:score", "--start", "starts.fa", "-n", "2", "-o", "out/designs.fa",
    "--table", "out/table.csv", "--report", "out/page.html", "--budget", "60", "--tries", "1", "-q",
)  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rerun_toys.py").write_text(ORACLE)
    (tmp_path / "starts.fa").write_text(">a\nACGTACGTACGT\n>b\nGAATTCGGGGGG\n")
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(here: Path, cli: Cli) -> Path:
    assert cli(*DESIGN).code == 0
    return here / "out" / "designs.fa"


def test_a_run_is_repeated_byte_by_byte_beside_the_old_one(run: Path, cli: Cli) -> None:
    before = {path.name: path.read_bytes() for path in run.parent.iterdir()}
    done = cli("rerun", "--trust", "out/designs.fa")
    assert done.code == 0, done.err
    assert "identical, byte by byte: out/designs.fa, out/table.csv" in done.out
    after = {path.name: path.read_bytes() for path in run.parent.iterdir()}
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {
        "designs.rerun.fa", "designs.rerun.table.csv", "designs.rerun.fa.manifest.json",
    }  # fmt: skip
    assert after["designs.rerun.fa"] == before["designs.fa"]
    assert after["designs.rerun.table.csv"] == before["table.csv"]


def test_a_run_can_be_repeated_from_another_folder(
    run: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    done = cli("rerun", "--trust", run, "-o", "again.fa", "-q", "--json")
    assert done.code == 0, done.err
    assert (tmp_path / "else" / "again.fa").read_bytes() == run.read_bytes()
    assert all(file["same"] for file in json.loads(done.out)["files"])


def test_a_repeated_run_can_be_repeated(run: Path, cli: Cli) -> None:
    assert cli("rerun", "--trust", run).code == 0
    assert cli("rerun", "--trust", run.with_name("designs.rerun.fa"), "-o", "third.fa").code == 0


def test_a_model_folder_is_repeated(here: Path, cli: Cli) -> None:
    rows = "\n".join(
        f"s{i},{'ACGT'[i % 4]}{'ACGT'[i // 4 % 4]}{'ACGT'[i // 16 % 4]}AC,{i % 7}" for i in range(64)
    )
    (here / "seqs.csv").write_text(f"id,sequence,outcome\n{rows}\n")
    tiny = ("--members", "2", "--hidden", "8", "--channels", "4", "--batch-size", "32", "--epochs", "1")
    assert cli("train-predictor", "seqs.csv", "-o", "models/p", *tiny, "-q").code == 0
    done = cli("rerun", "--trust", "models/p", "-q")
    assert done.code == 0, done.err
    first, second = (here / "models" / name / "model.safetensors" for name in ("p", "p.rerun"))
    assert first.read_bytes() == second.read_bytes()


def test_an_input_that_changed_is_refused_until_it_is_wanted(run: Path, here: Path, cli: Cli) -> None:
    with (here / "starts.fa").open("a") as handle:
        handle.write(">c\nACGTTTTTACGT\n")
    done = cli("rerun", "--trust", run)
    assert done.code == 1
    assert "starts.fa has changed since the run" in done.err
    assert not (run.parent / "designs.rerun.fa").exists()
    done = cli("rerun", "--trust", run, "--anyway", "-q")
    assert done.code == 1
    assert "the results differ from those of the run: out/designs.fa, out/table.csv" in done.err
    assert "starts.fa has changed since the run" in done.err
    assert (run.parent / "designs.rerun.fa").read_text().count(">") == 6


def test_a_missing_input_is_named(run: Path, here: Path, cli: Cli) -> None:
    (here / "starts.fa").unlink()
    (here / "rerun_toys.py").unlink()
    done = cli("rerun", "--trust", run, "--anyway")
    assert done.code == 1
    assert "starts.fa, rerun_toys.py is no longer there" in done.err


def test_what_exists_is_never_overwritten(run: Path, cli: Cli) -> None:
    for taken in ("designs.rerun.fa", "designs.rerun.table.csv"):
        (run.parent / taken).write_text("mine")
        done = cli("rerun", "--trust", run)
        assert (done.code, "exists already" in done.err) == (1, True)
        assert (run.parent / taken).read_text() == "mine"
        (run.parent / taken).unlink()
    assert "exists already" in cli("rerun", "--trust", run, "-o", run).err


def test_other_versions_are_named(run: Path, cli: Cli) -> None:
    manifest = read_manifest(run)
    write_json(manifest_path(run), {**vars(manifest), "versions": {**manifest.versions, "torch": "0.1"}})
    done = cli("rerun", "--trust", run)
    assert done.code == 0
    assert "warning: torch was 0.1 and is " in done.err


def test_another_result_is_told_and_kept(run: Path, cli: Cli) -> None:
    manifest = read_manifest(run)
    write_json(manifest_path(run), {**vars(manifest), "outputs": dict.fromkeys(manifest.outputs, "0" * 64)})
    done = cli("rerun", "--trust", run, "-q")
    assert done.code == 1
    assert "the results differ from those of the run: out/designs.fa" in done.err
    assert (run.parent / "designs.rerun.fa").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("starts.fa",), 1, "cannot read starts.fa.manifest.json"),
        (("out",), 1, f"cannot read out/{MANIFEST}"),
        (("out/designs.fa", "--seed", "3"), 2, "no such option: --seed"),
    ],
)
def test_what_cannot_be_repeated_is_one_line(
    run: Path, cli: Cli, words: tuple[str, ...], code: int, said: str
) -> None:
    done = cli("rerun", "--trust", *words)
    assert done.code == code
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_manifest_of_something_else_is_refused(run: Path, cli: Cli) -> None:
    manifest = vars(read_manifest(run))
    for name, said in (
        ("_judge", "does not say which command ran"),
        ("os.path", "does not say which command ran"),
        ("fly", "no command 'fly'"),
    ):
        write_json(manifest_path(run), {**manifest, "name": name})
        assert said in cli("rerun", "--trust", run).err
    config = {**manifest["config"], "wings": 2}
    write_json(manifest_path(run), {**manifest, "config": config})
    assert "other options than the run had" in cli("rerun", "--trust", run).err


def test_nothing_is_left_beside_a_stream_or_a_page(here: Path, cli: Cli) -> None:
    words = [w for w in DESIGN if w not in ("-o", "out/designs.fa", "--table", "out/table.csv")]
    assert cli(*words).out.startswith(">")
    assert cli(*words, "-o", "/dev/null").code == 0
    assert list(here.rglob("*manifest.json")) == []


def test_a_table_beside_sequences_on_stdout_has_the_manifest(here: Path, cli: Cli) -> None:
    words = [w for w in DESIGN if w not in ("-o", "out/designs.fa")]
    assert cli(*words).code == 0
    assert list(read_manifest(here / "out" / "table.csv").outputs) == ["out/table.csv"]
    done = cli("rerun", "--trust", "out/table.csv", "-q")
    assert done.code == 0, done.err
    assert (here / "out" / "table.rerun.csv").read_bytes() == (here / "out" / "table.csv").read_bytes()


def test_commands_that_write_several_tables_are_repeated_into_new_ones(here: Path, cli: Cli) -> None:
    assert cli(
        "attribute", "starts.fa", "--oracle", "rerun_toys:score", "--parents", "starts.fa", "-o", "why.csv",
        "--edits", "edits.csv", "--logo", "why.svg", "-q",
    ).code == 0  # fmt: skip
    before = {path.name for path in here.iterdir()}
    assert {"why.csv.manifest.json", "why.svg"} <= before
    done = cli("rerun", "--trust", "why.csv", "-q")
    assert done.code == 0, done.err
    assert "why.csv, edits.csv" in done.out
    assert {path.name for path in here.iterdir()} - before == {
        "why.rerun.csv", "why.rerun.edits.csv", "why.rerun.csv.manifest.json",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("output", "run", "base"),
    [
        ("designs.fa", "designs.fa", "."),
        ("out/designs.fa", "out/designs.fa", "."),
        ("out/designs.fa", "moved.fa", "."),
        ("./out/designs.fa", "a/b/out/designs.fa", "a/b"),
        ("../designs.fa", "designs.fa", "."),
    ],
)
def test_the_folder_of_the_start_is_told_from_where_it_wrote(
    here: Path, output: str, run: str, base: str
) -> None:
    assert base_folder(Path(run), output) == here / base


@pytest.mark.parametrize(
    "config",
    [
        MaximizeConfig(
            start="a b.fa", forbid=("GAATTC", "BsaI"), gc="0.4-0.6", num=3, enough=-1.5, pareto=False
        ),
        MaximizeConfig(length=9, objective=("max:a", "min:b*2"), pareto=True, set_=("steps=3",), seed=4),
        ReviseConfig(input="-", alpha=-10000.0, max_edits=2, keep="1-3", minimize=True, top=4),
    ],
)
def test_the_command_line_of_a_config_gives_the_same_config(config: Any) -> None:
    name = type(config).__module__.rpartition(".")[2]
    got: dict[str, Any] = {}
    command = bind(name, COMMANDS[name], lambda kind, function, typed: got.update(typed), styled=False)
    import shlex

    words = shlex.split(command_line(name, type(config), to_dict(config)))
    assert words[:2] == ["seqdesign", name]
    command.main(words[2:], standalone_mode=False)
    assert resolve(type(config), got) == config


def test_the_manifest_holds_all_options(run: Path) -> None:
    config = config_of(read_manifest(run))
    assert isinstance(config, MaximizeConfig)
    assert config.table == Path("out/table.csv")
    assert config.num == 2


def test_a_run_that_was_cut_short_is_said_to_be_so(run: Path, cli: Cli) -> None:
    manifest = read_manifest(run)
    write_json(manifest_path(run), {**vars(manifest), "status": "interrupted"})
    assert (
        "warning: the run is interrupted, so there is no complete result" in cli("rerun", "--trust", run).err
    )
