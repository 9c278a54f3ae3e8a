"""A command of the user's as an oracle: what it reads, and every way in which it can let us down."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from seqdesign.errors import InputError
from seqdesign.oracles.command import CommandOracle
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode, one_hot

DNA = get_alphabet("dna")
COUNT_G = """awk '/^>/ {id = substr($1, 2); next} {print id "\\t" gsub(/G/, "")}'"""


def hot(*sequences: str) -> Tensor:
    return torch.from_numpy(one_hot(encode(list(sequences), DNA).tokens, DNA))


@pytest.fixture
def oracle(tmp_path: Path) -> Callable[..., CommandOracle]:
    def make(body: str, **options: float) -> CommandOracle:
        path = tmp_path / "score.sh"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return CommandOracle(f"'{path}'", alphabet=DNA, length=4, **options)

    return make


def test_it_gets_fasta_and_its_scores_are_taken(oracle: Callable[..., CommandOracle]) -> None:
    found = oracle(COUNT_G)
    assert found.outcomes == ("score",)
    assert not found.differentiable
    predictions = found(hot("GGAC", "AAAA", "GGGG"))
    assert predictions.shape == (1, 3, 1)
    assert predictions.flatten().tolist() == [2.0, 0.0, 4.0]
    assert found(hot("GGAC")[:0]).shape == (1, 0, 1)


def test_lines_may_come_in_any_order_with_names_and_several_scores(
    oracle: Callable[..., CommandOracle],
) -> None:
    found = oracle(f"printf 'id\\tg\\ttwice\\n'; {COUNT_G} | awk '{{print $0 \"\\t\" 2 * $2}}' | tac")
    assert found.outcomes == ("g", "twice")
    assert found(hot("GGAC", "AAAA"))[0].tolist() == [[2.0, 4.0], [0.0, 0.0]]


def test_what_is_not_feasible_scores_minus_infinity(oracle: Callable[..., CommandOracle]) -> None:
    assert oracle("printf 's1\\t-inf\\n'")(hot("GGAC")).item() == -torch.inf


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("cat > /dev/null; echo 'no such model' >&2; exit 3", "ended with exit code 3: no such model"),
        ("exit 1", "ended with exit code 1: nothing on standard error"),
        ("true", "must write one line for each of 1 sequences, got 0"),
        ("printf 's1\\t1\\ns1\\t2\\n'", "must write one line for each of 1 sequences, got 2"),
        ("printf 'seq1\\t1\\n'", "line 1: must begin with an id from s1 to s1, got 'seq1'"),
        ("printf 's2\\t1\\n'", "line 1: must begin with an id from s1 to s1, got 's2'"),
        ("printf 's1 1\\n'", "line 1: must begin with an id from s1 to s1, got 's1 1'"),
        ("printf 's1\\n'", "line 1: must be ID<TAB>SCORE .* got 1 fields"),
        ("printf 's1\\thigh\\n'", "line 1: a score must be a finite number or -inf, got 'high'"),
        ("printf 's1\\tnan\\n'", "line 1: a score must be a finite number or -inf, got 'nan'"),
        ("printf 's1\\tinf\\n'", "line 1: a score must be a finite number or -inf, got 'inf'"),
        ("printf 'id\\ta\\tb\\ns1\\t1\\n'", "line 2: must be ID<TAB>SCORE"),
    ],
)
def test_a_command_that_lets_us_down_is_named_with_what_it_did(
    oracle: Callable[..., CommandOracle], body: str, message: str
) -> None:
    with pytest.raises(InputError, match=f"^cmd:'.*score.sh' {message}") as raised:
        oracle(body)
    assert "\n" not in str(raised.value)


def test_a_line_twice_is_found(oracle: Callable[..., CommandOracle]) -> None:
    found = oracle(f"{COUNT_G} | sed s/s2/s1/")
    with pytest.raises(InputError, match="line 2: s1 was there before"):
        found(hot("GGAC", "AAAA"))


def test_a_command_that_hangs_is_ended_with_what_it_started(
    oracle: Callable[..., CommandOracle], tmp_path: Path
) -> None:
    mark = tmp_path / "pid"
    start = time.monotonic()
    with pytest.raises(InputError, match="took longer than 0.5 s for a batch"):
        oracle(f"sleep 60 & echo $! > '{mark}'; wait", timeout=0.5)
    assert time.monotonic() - start < 20
    child = int(mark.read_text())
    state = Path(f"/proc/{child}/stat")
    for _ in range(100):  # the kernel takes a moment
        if not state.exists() or state.read_text().split()[2] == "Z":
            break
        time.sleep(0.05)
    else:
        os.kill(child, 9)
        pytest.fail("the command's own child lived on")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("./no-such-program", "cmd:./no-such-program cannot be started: No such file or directory"),
        ("", "cmd: needs a command"),
        ("score 'open", "no closing quotation"),
    ],
)
def test_a_command_that_cannot_be_started_is_refused(command: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        CommandOracle(command, alphabet=DNA, length=4)
