"""How long ``seqdesign --help`` takes, against a bare Typer program whose commands import their library
inside.

Usage: python benchmarks/speed/startup.py [RUNS]. Prints the median wall times of alternating runs and their
ratios, into a pipe (where seqdesign prints plain help) and on a terminal (where both draw it); each is
promised to be at most 2.
"""

from __future__ import annotations

import os
import pty
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

BARE = """
import typer

app = typer.Typer(add_completion=False)


@app.command()
def train(path: str, seed: int = 0) -> None:
    import torch

    print(torch.__version__, path, seed)


@app.command()
def revise(path: str, seed: int = 0) -> None:
    import torch

    print(torch.__version__, path, seed)


if __name__ == "__main__":
    app()
"""


def wall_time(command: list[str], *, terminal: bool) -> float:
    """Seconds from start to end, with stdout thrown away or a terminal that somebody reads."""
    if not terminal:
        begin = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - begin
    reader, writer = pty.openpty()
    thread = threading.Thread(target=drain, args=(reader,))
    thread.start()
    begin = time.perf_counter()
    subprocess.run(command, stdout=writer, check=True)
    seconds = time.perf_counter() - begin
    os.close(writer)
    thread.join()
    os.close(reader)
    return seconds


def drain(reader: int) -> None:
    try:
        while os.read(reader, 65536):
            pass
    except OSError:  # how Linux says that the last writer has left
        return


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE)
        seqdesign = [sys.executable, "-m", "seqdesign_cli"]
        programs = {
            "bare Typer --help": ([sys.executable, str(bare), "--help"], False),
            "seqdesign --help": ([*seqdesign, "--help"], False),
            "bare Typer --help, terminal": ([sys.executable, str(bare), "--help"], True),
            "seqdesign --help, terminal": ([*seqdesign, "--help"], True),
            "seqdesign --version": ([*seqdesign, "--version"], False),
            "seqdesign inspect --help": ([*seqdesign, "inspect", "--help"], False),
        }
        times: dict[str, list[float]] = {name: [] for name in programs}
        for turn in range(runs + 1):
            for name, (command, terminal) in programs.items():
                seconds = wall_time(command, terminal=terminal)
                if turn:  # the first turn fills the caches
                    times[name].append(seconds)
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"{runs} runs, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    for name, median in medians.items():
        spread = f"{min(times[name]) * 1000:.0f}-{max(times[name]) * 1000:.0f}"
        print(f"{name:28} {median * 1000:6.0f} ms  ({spread})")
    for where in ("", ", terminal"):
        ratio = medians[f"seqdesign --help{where}"] / medians[f"bare Typer --help{where}"]
        print(f"ratio seqdesign / bare Typer{where}: {ratio:.2f} (promised: at most 2)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
