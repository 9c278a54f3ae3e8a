"""Campaigns that are killed: 10,000 records on 16 shards, kill -9 at random times, another number of workers.

    python benchmarks/speed/campaign.py FOLDER [--kills 40] [--commands predict maximize] [--budget 20]

Makes 10,000 sequences of DNA and a small predictor in FOLDER and runs each command once as it is, then as a
campaign: again and again some of the 16 shards are started, some twice at once, and killed once they have
done up to six blocks together and a random while. In the end one process does what is left, all is merged,
and the bytes compared. These processes are forked from one that has imported everything. Then one worker
does the whole campaign undisturbed, beside the run as it is, some times in turn, each as a program of its
own, as a user starts it; --budget says how long maximize takes for a start.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

MODULES = "modules.txt"
SHARDS, RECORDS, LENGTH = 16, 10_000, 60
BLOCKS, PATIENCE = 6, 60.0
SIZES = {"predict": (25, 125), "maximize": (50, 250), "sample": (None, None)}
"""Records of a block where workers are killed, and where time is taken."""
ORACLE = "def a_content(x):\n    return x[:, 0].mean(1)\n"
COMMANDS = {
    "predict": ["predict", "-m", "model", "many.fa"],
    "maximize": [
        "maximize", "--oracle", "campaign_oracle:a_content", "--start", "many.fa", "--method", "evolution",
        "--tries", "1", "--forbid", "GGTCTC",
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
    parser.add_argument("--times", type=int, default=3, help="undisturbed runs of each sort")
    parser.add_argument("--budget", default="20", help="tries of maximize for a start in undisturbed runs")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    os.chdir(args.folder)
    sys.path.insert(0, str(Path.cwd()))
    rng = random.Random(args.seed)
    _prepare(random.Random(1), args.commands)
    for name in args.commands:
        _killed(name, COMMANDS[name], args.kills, rng)
        _undisturbed(name, COMMANDS[name], args.times, args.budget)


def _prepare(rng: random.Random, commands: list[str]) -> None:
    """Sequences, an oracle, and the models that the commands need, unless they are there."""
    Path("campaign_oracle.py").write_text(ORACLE)
    texts = ["".join(rng.choices("ACGT", k=LENGTH)) for _ in range(RECORDS)]
    Path("many.fa").write_text("".join(f">s{i}\n{text}\n" for i, text in enumerate(texts)))
    if not Path("model").exists():
        rows = "".join(f"{t},{t.count('A') + rng.gauss(0, 1)}\n" for t in texts[:400])
        Path("train.csv").write_text("sequence,outcome\n" + rows)
        _finish(_start(["train-predictor", "train.csv", "--architecture", "ridge", "-o", "model"]))
    if "sample" in commands and not Path("lm").exists():
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
        if not os.path.exists(MODULES):
            Path(MODULES).write_text("\n".join(sorted(sys.modules)))
        os._exit(code)


def _program(words: list[str]) -> int:
    """The command as a program of its own."""
    with open("log.txt", "a") as log:
        return subprocess.Popen([sys.executable, "-m", "seqdesign", *words, "-q"], stdout=log, stderr=log).pid


def _finish(child: int) -> float:
    """Wait; CPU seconds of the process."""
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"a command failed, see {Path('log.txt').resolve()}")
    return usage.ru_utime + usage.ru_stime


def _killed(name: str, words: list[str], kills: int, rng: random.Random) -> None:
    suffix = _suffix(name)
    shutil.rmtree("killed", ignore_errors=True)
    small = [*_blocks(SIZES[name][0]), *_budget(name, "20")]
    Path(MODULES).unlink(missing_ok=True)
    _finish(_start([*words, *small, "-o", f"whole.{suffix}"]))
    for module in Path(MODULES).read_text().split():  # what workers would import again and again
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    work = [*words, *small, "-o", f"merged.{suffix}", "--campaign", "killed"]
    killed = amid = early = 0
    while killed + early < kills:
        some = [
            _start([*work, "--shard", f"{rng.randint(1, SHARDS)}/{SHARDS}"]) for _ in range(rng.randint(1, 4))
        ]
        held = _locks()
        until, deadline = _done() + rng.randint(0, BLOCKS), time.monotonic() + PATIENCE
        while _done() < until and time.monotonic() < deadline and not all(map(_ended, some)):
            time.sleep(0.002)
        for child in some:
            time.sleep(rng.uniform(0, 0.05))
            os.kill(child, signal.SIGKILL)
        for child in some:
            _, status = os.waitpid(child, 0)
            killed, early = killed + os.WIFSIGNALED(status), early + (not os.WIFSIGNALED(status))
        amid += len(_locks() - held)
    left = _done()
    _finish(_start(work))
    blocks = _done()
    _finish(_start(["merge", "killed"]))
    same = _digest(f"whole.{suffix}") == _digest(f"merged.{suffix}")
    print(
        f"{name}: {killed} workers killed, {amid} of them in a block, {early} were done before; {left} of "
        f"{blocks} blocks done then; same bytes: {same}",
        flush=True,
    )


def _suffix(name: str) -> str:
    return "csv" if name == "predict" else "fa"


def _blocks(size: int | None) -> list[str]:
    return [] if size is None else ["--block-size", str(size)]


def _budget(name: str, tries: str) -> list[str]:
    return ["--budget", tries] if name == "maximize" else []


def _undisturbed(name: str, words: list[str], times: int, budget: str) -> None:
    """CPU seconds of runs as they are and of one worker that does a campaign, in turn."""
    alone, one, merging, suffix = [], [], [], _suffix(name)
    words = [*words, *_blocks(SIZES[name][1]), *_budget(name, budget)]
    for _ in range(times):
        shutil.rmtree("kept", ignore_errors=True)
        alone.append(_finish(_program([*words, "-o", f"whole.{suffix}"])))
        one.append(_finish(_program([*words, "-o", f"kept.{suffix}", "--campaign", "kept"])))
        merging.append(_finish(_program(["merge", "kept"])))
        print(
            f"{name}: CPU seconds alone {alone[-1]:.2f}, one worker of a campaign {one[-1]:.2f}, merge "
            f"{merging[-1]:.2f}; medians {median(alone):.2f}, {median(one):.2f}, {median(merging):.2f}",
            flush=True,
        )


def _ended(child: int) -> bool:
    """Whether a process is at its end, without reaping it."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _done() -> int:
    """Blocks of the campaign."""
    return len(list(Path("killed").glob("*.part")))


def _locks() -> set[str]:
    """Blocks that somebody is at, or was when he was killed."""
    return {path.name for path in Path("killed").glob("*.lock")}


def _digest(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
