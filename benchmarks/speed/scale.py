"""How time and memory of commands grow: three sizes of each, exponents fitted on logarithms.

    python benchmarks/speed/scale.py                # every command, in number and length of sequences
    python benchmarks/speed/scale.py predict motifs --axis number

Every run is a process of its own; what a smallest input costs is taken off before the fit, and where the rest
is less than a tenth of that there is no exponent. Time and memory should be linear in the number of sequences
and at most quadratic in their length.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

NUMBERS, LENGTH = (1000, 4000, 16000), 40
LENGTHS, NUMBER = (50, 100, 200), 300
SMALL = "--members 2 --hidden 8 --channels 4 --epochs 1 --architecture residual -q"
TINY = "--hidden 8 --latent-dim 3 --embedding 4 --invariance-batch 8 --epochs 1 -q"
COMMANDS = {
    "inspect": "inspect {data} -q",
    "train-vae": "train-vae {data} -o {work}/new-vae --overwrite " + TINY,
    "train-predictor": "train-predictor {data} -o {work}/new-predictor --overwrite " + SMALL,
    "train-gan": "train-gan {data} -o {work}/new-gan --overwrite --latent-dim 8 --channels 4 --steps 20 -q",
    "predict": "predict {data} -m {work}/predictor -o {work}/p.csv -q",
    "revise": "revise {data} -m {work}/vae -o {work}/r.fa --restarts 1 --rounds 0 -q",
    "maximize": "maximize --start {data} -m {work}/predictor --tries 1 --budget 8 -o {work}/d.fa -q",
    "attribute": "attribute {data} -m {work}/predictor --method gradient -o {work}/a.csv -q",
    "motifs": "motifs {data} --table {work}/m.csv -q",
    "logo": "logo {data} -o {work}/l.svg -q",
    "evaluate": "evaluate {data} --train {data} -q",
    "sample-vae": "sample-vae -n {number} -m {work}/vae -o {work}/s.fa -q",
}
SETUP = {
    "predict": ("predictor",), "maximize": ("predictor",), "attribute": ("predictor",), "revise": ("vae",),
    "sample-vae": ("vae",),
}  # fmt: skip
"""Models that a command needs."""


def write_data(path: Path, number: int, length: int) -> None:
    """Random DNA, whose outcome is the number of A."""
    rng = random.Random(0)
    with open(path, "w", encoding="ascii") as handle:
        for i in range(number):
            text = "".join(rng.choice("ACGT") for _ in range(length))
            handle.write(f">s{i} outcome={text.count('A') + rng.random():.3f}\n{text}\n")


def measure(words: list[str], timeout: float) -> tuple[float, float]:
    """(CPU seconds, MiB at most) of one command; NaN where it took too long."""
    begin = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "seqdesign_cli", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        if time.monotonic() - begin > timeout:
            process.kill()
            os.wait4(process.pid, 0)
            return math.nan, math.nan
        time.sleep(0.02)
    if os.waitstatus_to_exitcode(status):
        assert process.stderr is not None
        raise SystemExit(f"{' '.join(words)}: {process.stderr.read().decode()[-500:]}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def exponent(sizes: tuple[int, ...], values: list[float], floor: float) -> float:
    """Slope of log(value - floor) over log(size); NaN where growth drowns in the floor."""
    above = np.array(values) - floor
    if not np.isfinite(above).all() or above[-1] < 0.1 * floor:
        return math.nan
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(above, 0.01 * floor)), 1)[0])


def prepare(work: Path, name: str, length: int) -> None:
    """The models that a command needs, of sequences of this length."""
    write_data(work / "setup.fa", 200, length)
    for kind in SETUP.get(name, ()):
        options = SMALL if kind == "predictor" else TINY
        words = f"train-{kind} {work}/setup.fa -o {work}/{kind} --overwrite {options}"
        measure(words.split(), 600)


def scan(name: str, axis: str, timeout: float) -> str:
    """One line of the table."""
    sizes = NUMBERS if axis == "number" else LENGTHS
    seconds, memory = [], []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for size in (50 if axis == "number" else 20, *sizes):
            number, length = (size, LENGTH) if axis == "number" else (NUMBER, size)
            if axis == "length" or not seconds:
                prepare(work, name, length)
            write_data(work / "data.fa", number, length)
            words = COMMANDS[name].format(data=work / "data.fa", work=work, number=number).split()
            spent, used = measure(words, timeout)
            seconds.append(spent)
            memory.append(used)
    slopes = [exponent(sizes, values[1:], values[0]) for values in (seconds, memory)]
    shown = " ".join(f"{value:9.1f}" for value in (*seconds[1:], *memory[1:]))
    return f"{name:<16} {axis:<7} {shown}  {slopes[0]:6.2f} {slopes[1]:6.2f}"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", nargs="*", default=list(COMMANDS), metavar="COMMAND")
    parser.add_argument("--axis", choices=("number", "length", "both"), default="both")
    parser.add_argument("--timeout", type=float, default=600.0)
    options = parser.parse_args()
    print(f"{'command':<16} {'axis':<7} {'CPU seconds':>29} {'MiB':>29}  {'time':>6} {'memory':>6}")
    for name in options.commands:
        for axis in ("number", "length") if options.axis == "both" else (options.axis,):
            print(scan(name, axis, options.timeout), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
