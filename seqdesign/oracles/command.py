"""A program of the user's as an oracle: FASTA on its standard input, a table of scores on its output."""

from __future__ import annotations

import math
import os
import shlex
import signal
import subprocess
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from seqdesign.errors import InputError
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import decode

SHOWN = 200
"""Characters of a program's own words in a message."""


class CommandOracle:
    """Scores by a command that is started once for each batch. Without gradients.

    It reads FASTA records ``s1``, ``s2``, ... and writes a line ``ID<TAB>SCORE`` for each, in any order,
    with more scores behind more tabs. A first line ``id<TAB>NAME`` names the outcomes. ``-inf`` says that a
    sequence is not feasible. The command runs without a shell.

    timeout: seconds that one batch may take. Raises InputError, here and at each call, where the command
    cannot be started, fails, takes too long, or writes anything else.
    """

    differentiable = False

    def __init__(self, command: str, *, alphabet: Alphabet, length: int, timeout: float = 600.0) -> None:
        try:
            self.arguments = shlex.split(command)
        except ValueError as error:
            raise InputError(f"cmd:{command}: {str(error).lower()}") from None
        if not self.arguments:
            raise InputError("cmd: needs a command, such as cmd:./score.sh")
        self.name, self.alphabet, self.timeout = f"cmd:{command}", alphabet, timeout
        names, scores = self._run([alphabet.letters[0] * length])
        count = scores.shape[1]
        self.outcomes = names or (("score",) if count == 1 else tuple(f"score{i + 1}" for i in range(count)))

    def __call__(self, x: Tensor, /) -> Tensor:
        """Scores (1, N, K) of one-hot (N, V, L)."""
        if not len(x):
            return x.new_zeros(1, 0, len(self.outcomes))
        _, scores = self._run(decode(x.argmax(1).cpu(), self.alphabet))
        if scores.shape[1] != len(self.outcomes):
            raise self._error(f"gave {len(self.outcomes)} scores at first and now {scores.shape[1]}")
        return torch.as_tensor(scores, dtype=x.dtype, device=x.device).unsqueeze(0)

    def _run(
        self, sequences: Sequence[str]
    ) -> tuple[tuple[str, ...], np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
        """(names of outcomes or nothing, scores (N, K))."""
        fasta = "".join(f">s{i}\n{sequence}\n" for i, sequence in enumerate(sequences, start=1))
        return self._parse(self._output(fasta), len(sequences))

    def _output(self, fasta: str) -> str:
        try:
            process = subprocess.Popen(
                self.arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # so that what it starts itself can be ended with it
            )
        except OSError as error:
            raise self._error(f"cannot be started: {error.strerror or error}") from None
        try:
            out, err = process.communicate(fasta.encode(), timeout=self.timeout)
        except subprocess.TimeoutExpired:
            raise self._error(f"took longer than {self.timeout:g} s for a batch") from None
        finally:
            if process.poll() is None:
                _end(process)
        if process.returncode:
            words = " ".join(err.decode(errors="replace").split())[-SHOWN:] or "nothing on standard error"
            raise self._error(f"ended with exit code {process.returncode}: {words}")
        return out.decode(errors="replace")

    def _parse(
        self, text: str, count: int
    ) -> tuple[tuple[str, ...], np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
        rows = [
            (number, line.split("\t")) for number, line in enumerate(text.splitlines(), 1) if line.strip()
        ]
        names: tuple[str, ...] = ()
        if rows and rows[0][1][0] == "id":
            names = tuple(rows.pop(0)[1][1:])
        if len(rows) != count:
            raise self._error(f"must write one line for each of {count} sequences, got {len(rows)}")
        width = len(rows[0][1])
        scores = np.full((count, width - 1), np.nan)
        seen = set()
        for line, fields in rows:
            place = fields[0][1:] if fields[0][:1] == "s" else ""
            if not place.isascii() or not place.isdecimal() or not 1 <= int(place) <= count:
                raise self._error(
                    f"line {line}: must begin with an id from s1 to s{count}, got {fields[0]!r}"
                )
            if place in seen:
                raise self._error(f"line {line}: {fields[0]} was there before")
            if len(fields) != width or width < 2 or (names and len(names) != width - 1):
                raise self._error(
                    f"line {line}: must be ID<TAB>SCORE with as many scores in each line, got "
                    f"{len(fields)} fields"
                )
            seen.add(place)
            scores[int(place) - 1] = [self._number(field, line) for field in fields[1:]]
        return names, scores

    def _number(self, text: str, line: int) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if math.isnan(value) or value == math.inf:
            raise self._error(f"line {line}: a score must be a finite number or -inf, got {text[:40]!r}")
        return value

    def _error(self, message: str) -> InputError:
        return InputError(f"{self.name} {message}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command and whatever it has started."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()
