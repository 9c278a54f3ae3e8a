"""Campaigns that are killed: 10,000 records on 16 shards, kill -9 at random times, another number of workers.

    python benchmarks/speed/campaign.py FOLDER [--kills 40] [--commands predict maximize]

Makes 10,000 sequences of DNA and a small predictor in FOLDER and runs each command once as it is, then as a
campaign: again and again some of the 16 shards are started, some twice at once, and killed after a random
time. In the end one process does what is left, all is merged, and the bytes compared. Then one worker does
the whole campaign undisturbed, beside the run as it is. Processes are forked from one that has imported
everything, so that nothing but the command counts.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

SHARDS, RECORDS, LENGTH = 16, 10_000, 60
ORACLE = "def a_content(x):\n    return x[:, 0].mean(1)\n"
COMMANDS = {
    "predict": ["predict", "-m", "model", "many.fa", "--block-size", "125"],
    "maximize": [
        "maximize", "--oracle", "campaign_oracle:a_content", "--start", "many.fa", "--method", "evolution",
        "--budget", "40", "--tries", "1", "--block-size", "250", "--forbid", "GGTCTC",
    ],
    "sample": ["sample", "lm", "-n", "10000"],
}  # fmt: skip


def main() -> None:
    """Print a line for each command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--commands", nargs="+", choices=list(COMMANDS), default=["predict", "maximize"])
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    os.chdir(args.folder)
    sys.path.insert(0, str(Path.cwd()))
    rng = random.Random(args.seed)
    _prepare(random.Random(1))
    for name in args.commands:
        _campaign(name, COMMANDS[name], args.kills, rng)


def _prepare(rng: random.Random) -> None:
    """Sequences, a predictor and an oracle, unless they are there."""
    Path("campaign_oracle.py").write_text(ORACLE)
    texts = ["".join(rng.choices("ACGT", k=LENGTH)) for _ in range(RECORDS)]
    Path("many.fa").write_text("".join(f">s{i}\n{text}\n" for i, text in enumerate(texts)))
    if not Path("model").exists():
        rows = "".join(f"{t},{t.count('A') + rng.gauss(0, 1)}\n" for t in texts[:400])
        Path("train.csv").write_text("sequence,outcome\n" + rows)
        _finish(_start(["train-predictor", "train.csv", "--architecture", "ridge", "-o", "model"]))
    if not Path("lm").exists():
        _finish(_start(["train-lm", "many.fa", "-o", "lm", "--epochs", "1"]))


def _start(words: list[str]) -> int:
    """A process that runs the command."""
    from seqdesign_cli.main import main as command_line

    child = os.fork()
    if child:
        return child
    os.setpgid(0, 0)
    with open("log.txt", "a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    sys.argv = ["seqdesign", *words, "-q"]
    code = 1
    try:
        command_line()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        os._exit(code)


def _finish(child: int) -> float:
    """Wait; CPU seconds of the process."""
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"a command failed, see {Path('log.txt').resolve()}")
    return usage.ru_utime + usage.ru_stime


def _campaign(name: str, words: list[str], kills: int, rng: random.Random) -> None:
    suffix = "csv" if name == "predict" else "fa"
    shutil.rmtree("killed", ignore_errors=True)
    shutil.rmtree("kept", ignore_errors=True)
    begin = time.monotonic()
    alone = _finish(_start([*words, "-o", f"whole.{suffix}"]))
    reach = time.monotonic() - begin
    work = [*words, "-o", f"merged.{suffix}", "--campaign", "killed"]
    killed = early = 0
    while killed + early < kills:
        some = [
            _start([*work, "--shard", f"{rng.randint(1, SHARDS)}/{SHARDS}"]) for _ in range(rng.randint(1, 4))
        ]
        before, until = _done(), time.monotonic() + rng.choice([0.5, 3.0, 3.0]) * reach
        while _done() == before and time.monotonic() < until:  # mostly until blocks are being done
            time.sleep(0.005)
        for child in some:
            time.sleep(rng.uniform(0, 0.2))
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            killed, early = killed + os.WIFSIGNALED(status), early + (not os.WIFSIGNALED(status))
    left = _done()
    _finish(_start(work))
    blocks = _done()
    _finish(_start(["merge", "killed"]))
    same = _digest(f"whole.{suffix}") == _digest(f"merged.{suffix}")
    begin = time.monotonic()
    one = _finish(_start([*words, "-o", f"kept.{suffix}", "--campaign", "kept"]))
    wall = time.monotonic() - begin
    merging = _finish(_start(["merge", "kept"]))
    print(
        f"{name}: {killed} workers killed, {early} were done before; {left} of {blocks} blocks done then; "
        f"same bytes: {same}; alone {alone:.2f} CPU s ({reach:.2f} s), one worker of a campaign {one:.2f} "
        f"({wall:.2f} s), merge {merging:.2f}",
        flush=True,
    )


def _done() -> int:
    """Blocks of the campaign."""
    return len(list(Path("killed").glob("*.part")))


def _digest(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
