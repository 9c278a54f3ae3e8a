"""Tables as spreadsheets write them, and files made to break readers: records or one line, bounded memory."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from seqdesign.errors import InputError, ModelError
from seqdesign.models.vae.store import load_vae
from seqdesign.runs.manifest import read_manifest
from seqdesign.sequences.compression import open_input
from seqdesign.sequences.reader import read_sequences
from seqdesign.sequences.tables import read_table
from seqdesign.training.tensor_file import read_tensors, write_tensors

Make = Callable[[Path], Path]
PLAIN = "id,sequence,outcome\na,ACGT,1.5\nb,ACGA,2.5\n"


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.replace(",", ";"),
        "\ufeffsep=;\r\n" + PLAIN.replace(",", ";").replace("\n", "\r\n"),
        "# my library\n" + PLAIN,
        "Plate 1,,\n" + PLAIN,
        PLAIN.replace("\n", ",,\n"),
        PLAIN + ",,\n,,\n",
        PLAIN.replace("1.5\n", "1.5,\n").replace("2.5\n", "2.5,\n"),
        PLAIN.replace("ACGT", "ACGT ").replace("ACGA", "AC GA"),
        PLAIN.replace("a,", '"a",'),
    ],
)
def test_what_spreadsheets_write_is_the_same_table(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.csv").write_bytes(text.encode())
    (tmp_path / "x.txt").write_bytes(text.replace("\ufeff", "").replace(",", "\t").encode("utf-16"))
    for name in ("x.csv", "x.txt") if "sep" not in text else ("x.csv",):
        found = read_sequences(tmp_path / name)
        assert (found.ids, found.sequences) == (["a", "b"], ["ACGT", "ACGA"])
        assert found.outcomes is not None
        assert found.outcomes.tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"PK\x03\x04rest", "not a workbook that can be read"),
        (b"id,sequence,\na,ACGT,note\n", "column 3 has no name"),
        (b"id,sequence\na,ACGT,x\n", "the row has 3 fields, the header has 2"),
        (b'id,sequence\na,"AC\n', "bad quotes|closing quote"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, text: bytes, said: str) -> None:
    (tmp_path / "x.csv").write_bytes(text)
    with pytest.raises(InputError, match=said):
        read_sequences(tmp_path / "x.csv")


def test_text_that_begins_as_parquet_does_is_text(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("PAR1,sequence\nx,ACGT\n")
    assert read_sequences(tmp_path / "x.csv").sequences == ["ACGT"]


def test_a_quoted_cell_may_be_as_long_as_another(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(f'id,sequence\na,"{"ACGT" * 50_000}"\n')
    (batch,) = read_table(tmp_path / "x.csv")
    assert len(batch.columns["sequence"][0]) == 200_000


MEMORY = """
import sys
from seqdesign.sequences.compression import open_input
with open_input(sys.argv[1]) as handle:
    while handle.read(1 << 20): pass
print(next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def test_a_zstandard_bomb_is_unpacked_in_constant_memory(tmp_path: Path, python: Callable[..., Any]) -> None:
    zstandard = pytest.importorskip("zstandard")
    with open(tmp_path / "z.zst", "wb") as raw, zstandard.ZstdCompressor().stream_writer(raw) as handle:
        for _ in range(400):
            handle.write(bytes(1 << 20))
    done = python("-c", MEMORY, tmp_path / "z.zst")
    assert done.code == 0, done.err
    assert int(done.out) < 150


@pytest.mark.parametrize("checksum", [True, False])
def test_a_zstandard_file_is_whole_or_an_error_at_every_cut(tmp_path: Path, checksum: bool) -> None:
    zstandard = pytest.importorskip("zstandard")
    compressor = zstandard.ZstdCompressor(write_checksum=checksum)
    first, second = (compressor.compress(b">a\n" + bytes(65 + i % n for i in range(300))) for n in (20, 7))
    skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
    whole = first + skippable + second
    path = tmp_path / "x.zst"
    ends = {len(first), len(first) + len(skippable), len(whole)}
    for cut in range(4, len(whole) + 1):
        path.write_bytes(whole[:cut])
        try:
            with open_input(path) as handle:
                handle.read()
            fine = True
        except InputError:
            fine = False
        assert fine == (cut in ends), cut


@pytest.mark.parametrize(
    "change",
    [
        {"max_length": -5}, {"max_length": 10**30}, {"options": None}, {"outcome": ["a"]},
        {"outcome_mean": "x"}, {"outcome_scale": None}, {"naturalness_floor": "q"}, {"alphabet": 5},
        {"min_length": 9},
    ],
)  # fmt: skip
def test_a_record_of_wrong_types_is_one_line(
    tmp_path: Path, vae_folder: Make, change: dict[str, Any]
) -> None:
    path = vae_folder(tmp_path / "m") / "model.safetensors"
    tensors, record = read_tensors(path)
    write_tensors(path, tensors, {**record, **change})
    with pytest.raises(ModelError, match="has a record that this version cannot read"):
        load_vae(tmp_path / "m", torch.device("cpu"))


def test_weights_that_are_not_finite_are_refused(tmp_path: Path, vae_folder: Make) -> None:
    path = vae_folder(tmp_path / "m") / "model.safetensors"
    tensors, record = read_tensors(path)
    name = next(k for k, t in tensors.items() if t.is_floating_point())
    tensors[name] = torch.full_like(tensors[name], torch.nan)
    write_tensors(path, tensors, record)
    with pytest.raises(ModelError, match="not all finite"):
        load_vae(tmp_path / "m", torch.device("cpu"))


def test_loaded_tensors_do_not_follow_the_file(tmp_path: Path, vae_folder: Make) -> None:
    path = vae_folder(tmp_path / "m") / "model.safetensors"
    tensors, _ = read_tensors(path)
    before = {name: tensor.clone() for name, tensor in tensors.items()}
    with open(path, "r+b") as handle:
        handle.seek(-1000, 2)
        handle.write(bytes(1000))
    assert all(bool((tensors[name] == before[name]).all()) for name in before)


@pytest.mark.parametrize(
    "key", ["config", "inputs", "outputs", "versions", "name", "result", "seed", "status"]
)
def test_a_manifest_of_wrong_types_is_one_line(tmp_path: Path, key: str) -> None:
    manifest = {
        "command": "x", "config": {}, "seed": 0, "device": "cpu", "threads": None, "inputs": {},
        "versions": {}, "started": "x", "name": "predict", "result": None,
    }  # fmt: skip
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest))
    read_manifest(tmp_path)
    path.write_text(json.dumps({**manifest, key: [5]}))
    with pytest.raises(ModelError, match="is damaged or of another version"):
        read_manifest(tmp_path)


def test_control_characters_reach_no_terminal(tmp_path: Path, cli: Callable[..., Any]) -> None:
    (tmp_path / "e.fa").write_bytes(b">\x1b]0;X\x07a\nAC\x1b[2JGT\n>\x1b]0;X\x07a\nACGT\n")
    for words in (["train-vae", tmp_path / "e.fa", "-o", tmp_path / "m"], ["inspect", tmp_path / "e.fa"]):
        done = cli(*words)
        assert "\x1b" not in done.err + done.out


def test_messages_never_go_to_stdout_when_stderr_is_closed(
    tmp_path: Path, python_env: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "seqdesign_cli", "inspect", "nothing.fa"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", *command],
        stdout=subprocess.PIPE, env=python_env, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, b"")


@pytest.fixture
def fuzzer(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz", root / "benchmarks" / "files" / "fuzz.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_reader_lets_anything_escape(fuzzer: ModuleType) -> None:
    seen, escaped = fuzzer.fuzz(5.0, seed=1)
    assert escaped == []
    assert len(seen) == 5


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_three_minutes_of_fuzzing_let_nothing_escape(fuzzer: ModuleType) -> None:
    assert fuzzer.fuzz(180.0, seed=2)[1] == []
