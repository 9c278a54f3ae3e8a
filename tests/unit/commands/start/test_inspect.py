"""Promises of ``seqdesign inspect``."""

from __future__ import annotations

import gzip
import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdesign.commands.start.inspect import InspectConfig, InspectResult, inspect
from seqdesign.errors import InputError
from seqdesign.sequences import survey
from seqdesign.sequences.alphabets import ALPHABETS
from seqdesign.sequences.numbers import Tally
from seqdesign.sequences.reader import SequenceSet
from seqdesign.sequences.survey import Survey


def look(path: Path | str, **options: Any) -> InspectResult:
    return inspect(InspectConfig(input=Path(path), **options))


def test_a_file_is_described(tmp_path: Path) -> None:
    path = tmp_path / "x.fa"
    path.write_bytes(gzip.compress(b">a outcome=1\nACGTAC\n>b outcome=4\nacNT\n>a outcome=nan\nACGTAC\n"))
    found = look(path)
    assert (found.format, found.compression, found.n_records, found.n_letters) == ("FASTA", "gzip", 3, 16)
    assert (found.alphabet, found.n_lower_case) == ("dna", 2)
    assert (found.min_length, found.median_length, found.max_length) == (4, 6, 6)
    assert found.composition == {"A": 5, "C": 5, "T": 3, "G": 2, "N": 1}
    assert (found.n_duplicate_ids, found.n_duplicate_sequences, found.n_compared) == (1, 1, 3)
    (unknown,) = found.unknown_letters
    assert (unknown.letter, unknown.count, unknown.record, unknown.line, unknown.position) == (
        "N",
        1,
        "b",
        3,
        3,
    )
    assert found.outcome is not None
    assert (found.outcome.count, found.outcome.missing, found.outcome.mean) == (2, 1, 2.5)
    assert found.outcome.sd == pytest.approx(statistics.stdev([1, 4]))
    text = found.text()
    for part in (
        "3 records",
        "dna",
        "4 to 6",
        "'N' (IUPAC for ACGT) 1 time",
        "line 3",
        "1 id, 1 sequence",
        "mean 2.5",
    ):
        assert part in text


@given(
    st.lists(
        st.tuples(st.text("ACGTn", max_size=9), st.floats(-1e6, 1e6) | st.just(float("nan"))), min_size=1
    ),
    st.integers(1, 4),
)
def test_batches_give_the_numbers_of_the_whole(rows: list[tuple[str, float]], size: int) -> None:
    """Oracle: numpy and statistics on the whole."""
    counts = Survey(tally=Tally("y"))
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        ids = [str(start + i) for i in range(len(part))]
        counts.add(SequenceSet(ids, [s for s, _ in part], columns={"y": [repr(o) for _, o in part]}))
    letters = "".join(s for s, _ in rows).upper()
    assert counts.composition() == {c: letters.count(c) for c in counts.composition()}
    assert sum(counts.composition().values()) == len(letters)
    assert counts.median_length() == statistics.median(len(s) for s, _ in rows)
    assert sum(n for _, _, n in counts.length_histogram()) == len(rows)
    assert counts.duplicates() == (0, len(rows) - len({s.upper() for s, _ in rows}), len(rows))
    finite = [o for _, o in rows if o == o]
    summary = counts.outcome()
    assert (summary is None) == (not finite)
    if summary is not None:
        assert (summary.count, summary.minimum, summary.maximum) == (len(finite), min(finite), max(finite))
        assert summary.mean == pytest.approx(np.mean(finite), abs=1e-6)
        if len(finite) > 1:
            assert summary.sd == pytest.approx(np.std(finite, ddof=1), rel=1e-6, abs=1e-6)


def test_duplicates_are_compared_among_the_first_records_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "DUPLICATES_CHECKED", 3)
    counts = Survey()
    for _ in range(4):
        counts.add(SequenceSet(["a", "b"], ["AC", "AC"]))
    assert counts.duplicates() == (1, 2, 3)


def test_characters_outside_ascii_are_unknown_letters() -> None:
    counts = Survey()
    counts.add(SequenceSet(["a"], ["ACéG"]))
    (unknown,) = counts.unknown_letters(ALPHABETS["dna"])
    assert (unknown.letter, unknown.position) == ("é", 3)


@pytest.mark.parametrize("content", [b"", b" \n\n", b"sequence,outcome\n"])
def test_an_empty_file_has_no_records_and_is_no_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    found = look(path)
    assert (found.n_records, found.outcome, found.alphabet) == (0, None, None)
    assert "0 records" in found.text()


def test_a_bad_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.fa").write_bytes(b">a\n>b\nAC\n")
    with pytest.raises(InputError, match="no sequence"):
        look(tmp_path / "x.fa")


def test_bundled_data_a_named_alphabet_and_columns(tmp_path: Path) -> None:
    assert look("dataset:prot_cr6261_121").n_records == 2048
    path = tmp_path / "x.csv"
    path.write_text("dna,kd\nACGT,2\n")
    found = look(path, sequence="dna", outcome="kd", alphabet="rna")
    assert [u.letter for u in found.unknown_letters] == ["T"]
    assert found.outcome is not None
    assert found.outcome.mean == 2


def test_the_command_prints_text_or_one_json_object(cli: Callable[..., Any]) -> None:
    done = cli("inspect", "dataset:dna_crp_sites26")
    assert (done.code, done.err) == (0, "")
    assert "358 records" in done.out
    done = cli("inspect", "dataset:dna_crp_sites26", "--json")
    assert json.loads(done.out)["n_records"] == 358
    assert cli("inspect", "no_such_file.fa").code == 1


GENERATE = """
import sys
record = (">r%d outcome=1.5\\n" + "ACGT" * 50 + "\\n")
for start in range(0, int(sys.argv[1]), 1000):
    sys.stdout.write("".join(record % i for i in range(start, start + 1000)))
"""

INSPECT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]], stdout=subprocess.PIPE)
import os
os.dup2(child.stdout.fileno(), 0)
from pathlib import Path
from seqdesign.commands.start.inspect import InspectConfig, inspect
result = inspect(InspectConfig(input=Path("-")))
child.stdout.close()
child.wait()
print(result.n_records, next(l.split()[1] for l in open("/proc/self/status") if l.startswith("VmHWM")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_memory_does_not_grow_with_the_stream(python: Callable[..., Any]) -> None:
    """Ten times the records (22 MB more of letters) may add the 16 bytes a record of the duplicate check."""
    peaks = {}
    for n in (10_000, 100_000):
        done = python("-c", INSPECT, GENERATE, n)
        assert done.code == 0, done.err
        n_found, peaks[n] = map(int, done.out.split())
        assert n_found == n
    assert peaks[100_000] - peaks[10_000] < 8_000


def test_positions_that_vary_are_named_where_all_lengths_are_alike(
    cli: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "variants.fa"
    path.write_text(">a\nMKAYW\n>b\nMRAYW\n>c\nMKGYV\n")
    assert "positions    3 of 5 vary: 2-3, 5\n" in cli("inspect", path).out
    path.write_text(">a\nMKAYW\n>b\nMRAY\n")
    assert " of 5 vary" not in cli("inspect", path).out
    path.write_text(">a\nMKAYW\n>b\nmkayw\n")
    assert "positions    0 of 5 vary\n" in cli("inspect", path).out


def test_replicates_are_said_with_what_their_noise_allows(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = [f"ACGTA{'ACGT'[i % 4]}{'ACGT'[i // 4]},{i},{i + 0.5}" for i in range(16)]
    path.write_text("\n".join(["sequence,rep1,rep2", *rows]) + "\n")
    assert "replicates   " in look(path, replicates="rep1,rep2").text()


def test_a_title_with_a_comma_and_limits_with_one_are_read_as_their_laboratory_meant(tmp_path: Path) -> None:
    """Semicolons cut most lines alike; ``ND`` is missing, and a limit is something to learn from."""
    path, wild_type = tmp_path / "x.csv", tmp_path / "wt.fa"
    wild_type.write_text(">wt\nMAKTLWDE\n")
    rows = ["A2G;1,5;good", "K3R;0,8;", "T4S;<0,1;", "T4del;ND;", "L5P;1,1;"]
    path.write_text("\n".join(["AmiE, plate 1;;", "variant;activity;note", *rows]) + "\n")
    options = {"mutations": "variant", "wild_type": wild_type, "outcome": "activity"}
    found = look(path, **options)
    assert "separated by semicolons, 1 line above the header" in found.dialect
    assert found.read_with == "--decimal-comma --missing ND --on-missing drop"
    again = look(path, **options, decimal_comma=True, missing=("ND",))
    assert "1 limit" in again.text()
    assert again.read_with == "--on-missing drop"


def test_lines_that_are_the_wild_type_because_they_name_no_mutation_are_said(tmp_path: Path) -> None:
    path, wild_type = tmp_path / "x.csv", tmp_path / "wt.fa"
    wild_type.write_text(">wt\nMAKTLWDE\n")
    path.write_text("variant,activity\nA2G,1\nWT,2\n,1.5\n")
    found = look(path, wild_type=wild_type)
    assert found.empty_mutations == (4,)
    assert "wild type    1 record without a mutation: line 4\n" in found.text()
    assert look(path, wild_type=wild_type, mutations="variant", missing=("A2G",)).n_records == 2


def test_t_and_u_in_one_file_are_converted_and_never_left_out(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("sequence,outcome\n" + 9 * "ACGTACGTACGTACGT,1\nacguacguacguacgu,2\n")
    assert inspect(InspectConfig(input=path)).read_with == "--alphabet dna --convert-ut"
    assert inspect(InspectConfig(input=path, alphabet="rna")).read_with == "--convert-ut"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["a,ACGT,1", "a,ACGT,2"], "add --on-duplicate keep"),
        (["a,ACGT,", "a,ACGT,"], "add --on-duplicate first"),
        (["a,ACGT,1", "a,ACGA,2", "b,ACGA,2"], "add --on-duplicate rename"),
        (["a,ACGT,7"], "1 number: mean 7, 7 to 7"),
        (
            [f"{i},ACGT,{10 ** (3 - i % 2):d}" for i in range(30)],
            "30 numbers over 2.0 powers of ten (--task log10",
        ),
        ([f"{i},ACGT,{9 + i % 3}" for i in range(30)], "30 numbers: mean"),
    ],
)
def test_what_is_said_of_outcomes_and_of_ids_that_occur_twice(
    rows: list[str], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("\n".join(["id,sequence,outcome", *rows]) + "\n")
    assert said in look(path).text()


def test_many_numbers_at_an_end_may_be_limits_without_their_sign(tmp_path: Path) -> None:
    """12 of 40 are 128; of zeros, few equal ones and two values nothing is said."""
    path = tmp_path / "x.csv"

    def said(values: list[float]) -> str:
        rows = [f"r{i},{'ACGT' * (i + 1)},{value:g}" for i, value in enumerate(values)]
        path.write_text("\n".join(["id,sequence,outcome", *rows]) + "\n")
        return look(path).text()

    others = [float(i) for i in range(1, 29)]
    assert "12 are 128, the largest: where that is a limit and no measured value, write >128" in said(
        [*others, *[128.0] * 12]
    )
    assert "12 are -5, the smallest: where that is a limit and no measured value, write <-5" in said(
        [*others, *[-5.0] * 12]
    )
    for values in ([*others, *[0.0] * 12], [*others, *[128.0] * 9], [1.0] * 20 + [2.0] * 20):
        assert "limit" not in said(values)


def test_a_table_without_an_outcome_says_how_to_name_one(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("sequence,activity\nACGT,1\n")
    assert "outcome      none; --outcome names its column" in look(path).text()
