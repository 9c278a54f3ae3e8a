"""What a GPU is worth: the same commands on the GPU and on one CPU thread, quality beside times.

    python benchmarks/speed/gpu.py [--device auto|cpu|cuda] [--profile] [--small] [--output benchmarks/gpu.md]

First the tests that touch devices run (``pytest -m device``). Then each command works on the device, and on
one CPU thread does a smaller amount of the same work; ratios are of work per second. A row's time is that of
the whole command in a process that is up, so start-up is a row of its own. ``--small`` does a little of
everything, to see that it works; its figures mean nothing. ``--profile`` shows what one training step
launches, what makes the host wait, and which share of the time the GPU is idle.

It takes less than five minutes: what is not done ``--seconds`` after the start is stopped or left out, and
says so. A row that fails says why; the others are measured all the same. The exit code is 1 where a test or a
row failed or is missing.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch

from seqdesign.commands.design.maximize import MaximizeConfig, maximize
from seqdesign.commands.design.revise import ReviseConfig, revise
from seqdesign.commands.design.sample_gan import SampleGANConfig, sample_gan
from seqdesign.commands.look.predict import PredictConfig, predict
from seqdesign.commands.train.train_gan import TrainGANConfig, train_gan
from seqdesign.commands.train.train_predictor import TrainPredictorConfig, train_predictor
from seqdesign.commands.train.train_vae import TrainVAEConfig, train_vae
from seqdesign.devices.cores import cores
from seqdesign.sequences.datasets import load_dataset
from seqdesign.testing.operations import count_operations
from seqdesign.training import loop

BEGIN = time.monotonic()
ROOT = Path(__file__).resolve().parent.parent.parent
TEST_SECONDS = 120
"""What the tests may take; those that are not done then are stopped."""
SECONDS = 270
"""After which no row goes on."""


@dataclass(frozen=True)
class Sizes:
    """How much each row does."""

    vae_sequences: int
    vae_epochs: int
    gan_sequences: int
    gan_steps: int
    sites: int
    samples: int
    designs: int
    design_length: int
    predicted: int


FULL = Sizes(27_000, 10, 17_200, 200, 4_000, 1_000_000, 1_024, 75, 500_000)
ONE_THREAD = Sizes(2_700, 6, 17_200, 20, 100, 4_000, 4, 75, 5_000)
SMALL = Sizes(200, 1, 300, 2, 2, 300, 1, 75, 300)


@dataclass(frozen=True)
class Row:
    """One command on one device."""

    work: float
    """How much was done, in ``unit``."""
    unit: str
    seconds: float
    memory: float
    """Peak on the GPU, GiB."""
    quality: str


class OutOfTime(BaseException):
    """Nothing that a command catches."""


def out_of_time(*_: object) -> None:
    """What the alarm does."""
    raise OutOfTime


class Bench:
    """All rows on one device; models that a row makes serve the rows after it."""

    NAMES: ClassVar[dict[str, str]] = {
        "train-vae rna_mpsa_5ss9": "train_vae",
        "revise --max-edits 3, 9 letters": "revise",
        "train-gan promoters, 100 letters": "train_gan",
        "sample-gan, 100 letters": "sample",
        "train-predictor lac, 75 letters": "train_predictor",
        "predict, 75 letters": "predict",
        "maximize, 75 letters": "maximize",
    }

    def __init__(self, device: str, sizes: Sizes, folder: Path) -> None:
        self.device, self.sizes, self.folder = device, sizes, folder
        self.here: dict[str, Any] = {"device": device, "threads": 1, "quiet": True}
        folder.mkdir()

    def row(self, name: str, until: float) -> Row | str:
        """What it took, or why there is nothing to say. At ``until`` of the clock it is stopped."""
        left = until - time.monotonic()
        if left <= 0:
            return "left out: no time"
        signal.signal(signal.SIGALRM, out_of_time)
        signal.setitimer(signal.ITIMER_REAL, left)
        try:
            found: Row = getattr(self, self.NAMES[name])()
        except OutOfTime:
            return "stopped: no time"
        except Exception as error:  # one row of a GPU nobody has seen must not cost the others
            traceback.print_exc()
            return f"failed: {type(error).__name__}: {str(error).partition(chr(10))[0]}".replace("|", "/")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return found

    def timed(self, work: float, unit: str, run: Callable[[], Any], quality: Callable[[Any], str]) -> Row:
        """Run it. ``work`` is what it does."""
        cuda = self.device.startswith("cuda")
        if cuda:
            torch.cuda.synchronize(self.device)
            torch.cuda.reset_peak_memory_stats(self.device)
        begin = time.perf_counter()
        found = run()
        seconds = time.perf_counter() - begin
        memory = torch.cuda.max_memory_allocated(self.device) / 2**30 if cuda else 0.0
        return Row(work, unit, seconds, memory, quality(found))

    def fasta(self, name: str, dataset: str, num: int, skip: int = 0) -> Path:
        """The first sequences of a data set, again and again until there are ``num``."""
        data, path = load_dataset(dataset), self.folder / f"{name}.fa"
        texts = data.sequences[skip:]
        with open(path, "w", encoding="ascii") as file:
            for i in range(num):
                j = skip + i % len(texts)
                outcome = "" if data.outcomes is None else f" outcome={data.outcomes[j]:.6g}"
                file.write(f">s{i}{outcome}\n{data.sequences[j]}\n")
        return path

    def train_vae(self) -> Row:
        num, epochs = self.sizes.vae_sequences, self.sizes.vae_epochs
        config = TrainVAEConfig(
            sequences=self.fasta("sites", "rna_mpsa_5ss9", num), output=self.folder / "vae", epochs=epochs,
            **self.here,
        )  # fmt: skip
        steps = epochs * -(-int(num * 0.9) // config.batch_size)
        return self.timed(
            steps, "steps", lambda: train_vae(config),
            lambda r: f"R2 {r.quality.outcome_r2:.3f}, -log p {r.quality.language_nll:.2f} nats",
        )  # fmt: skip

    def revise(self) -> Row:
        starts = self.fasta("starts", "rna_mpsa_5ss9", self.sizes.sites, skip=28_000)
        config = ReviseConfig(
            input=starts, model=self.folder / "vae", output=self.folder / "revised.fa", max_edits=3,
            **self.here,
        )  # fmt: skip
        return self.timed(
            self.sizes.sites, "sites", lambda: revise(config),
            lambda r: f"{r.summary.revised} of {r.summary.inputs} revised, {r.summary.mean_delta:+.3f}",
        )  # fmt: skip

    def train_gan(self) -> Row:
        steps = self.sizes.gan_steps
        config = TrainGANConfig(
            sequences=self.fasta("promoters", "dna_dm3_core_promoter100", self.sizes.gan_sequences),
            output=self.folder / "gan", steps=steps, **self.here,
        )  # fmt: skip
        return self.timed(steps, "steps", lambda: train_gan(config), lambda r: r.health.verdict)

    def sample(self) -> Row:
        num = self.sizes.samples
        config = SampleGANConfig(
            num=num, model=self.folder / "gan", output=self.folder / "samples.fa", **self.here
        )
        return self.timed(num, "sequences", lambda: sample_gan(config), lambda r: "")

    def train_predictor(self) -> Row:
        lac = self.fasta("lac", "dna_lac_sortseq75", min(3_000, self.sizes.vae_sequences))
        config = TrainPredictorConfig(
            sequences=lac, output=self.folder / "predictor", epochs=min(6, self.sizes.vae_epochs),
            architecture="residual", **self.here,
        )  # fmt: skip
        passes = min(6, self.sizes.vae_epochs)
        return self.timed(passes, "passes", lambda: train_predictor(config), quality_of_predictor)

    def predict(self) -> Row:
        num = self.sizes.predicted
        config = PredictConfig(
            input=self.fasta("asked", "dna_lac_sortseq75", num), model=self.folder / "predictor",
            output=self.folder / "predictions.csv", **self.here,
        )  # fmt: skip
        return self.timed(num, "sequences", lambda: predict(config), lambda r: "")

    def maximize(self) -> Row:
        num = self.sizes.designs
        config = MaximizeConfig(
            num=num, model=self.folder / "predictor", output=self.folder / "designs.fa",
            length=self.sizes.design_length, budget=200, **self.here,
        )  # fmt: skip
        return self.timed(num, "designs", lambda: maximize(config), quality_of_designs)


def quality_of_predictor(result: Any) -> str:
    """Its own held-out figures."""
    one = result.quality.outcomes[0]
    return f"R2 {one.r2:.3f}, Spearman {one.spearman:.3f}"


def quality_of_designs(result: Any) -> str:
    """How good the designs are."""
    return f"mean score {result.summary.mean_score:.3f}"


def run_tests() -> tuple[str, bool]:
    """A line about the tests that touch devices, and whether all passed."""
    workers = str(min(8, cores()))
    words = [sys.executable, "-m", "pytest", "-q", "--maxfail=5", "-n", workers, "-m", "device and not slow"]
    with tempfile.TemporaryFile("w+") as said:
        begin = time.monotonic()
        tests = subprocess.Popen(
            [*words, "tests/contracts"],
            cwd=ROOT,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            tests.wait(timeout=TEST_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(tests.pid, signal.SIGKILL)  # and its workers
            tests.wait()
            return f"not done after {TEST_SECONDS} s, stopped", False
        said.seek(0)
        text = said.read().strip()
    if tests.returncode:
        print(text, flush=True)
    last = text.rpartition("\n")[2]
    return f"{last} ({time.monotonic() - begin:.0f} s by the clock)", tests.returncode == 0


def start_up(device: str) -> float:
    """Seconds from nothing to a device that computes."""
    code = f"import torch, seqdesign.models.vae.model; torch.ones(9, device={device!r}).sum().item()"
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    return time.perf_counter() - begin


def profile(device: str) -> list[str]:
    """Lines about one training step of a VAE as the docs recommend it, 9 letters, batches of 128."""
    from seqdesign.models.vae.config import VAEOptions, adapt
    from seqdesign.models.vae.model import SequenceVAE
    from seqdesign.sequences.alphabets import get_alphabet
    from seqdesign.sequences.encoders import Vocabulary, encode
    from seqdesign.training.config import FitOptions
    from seqdesign.training.data import TokenData
    from seqdesign.training.interrupt import Interrupt
    from seqdesign.training.plan import Plan

    known = load_dataset("rna_mpsa_5ss9")
    assert known.outcomes is not None
    alphabet, options = get_alphabet("rna"), FitOptions()
    data = TokenData.of(encode(known.sequences[:1280], alphabet), known.outcomes[:1280])
    given = adapt(VAEOptions(), max_length=9, fixed_length=True, num_train=20_000)
    model = SequenceVAE(given, Vocabulary(alphabet), 9, outcome_mean=0.0, outcome_scale=1.0)
    fabric = loop.make_fabric(options, torch.device(device))
    plan = Plan.plain(model.players, options, len(data), 9)
    run = loop._Run(
        model, data, data, 128, plan, seed=0, fabric=fabric, hooks=loop.Hooks(), interrupt=Interrupt()
    )
    run.state.stale = dict.fromkeys(run.players, 0)
    model.train()
    batch = torch.arange(128)
    make, run.replays.make = run.replays.make, None
    found = count_operations(lambda: run._step(batch))
    waits = dict(found.waits) or "never"
    own = "" if device.startswith("cuda") else " (mostly a CPU's optimizer, which reads its step counts)"
    lines = [f"operations of a step: {found.total:,}; the host waits: {waits}{own}"]
    run.replays.make = make
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    if device.startswith("cuda"):  # kernels of graphs that are older than the profiler are not seen
        with torch.profiler.profile(activities=activities):
            torch.ones(1, device=device).sum().item()
    for _ in range(10):
        run._step(batch)
    if not device.startswith("cuda"):
        return lines
    torch.cuda.synchronize(device)
    begin = time.perf_counter()
    with torch.profiler.profile(activities=activities) as seen:
        for _ in range(20):
            run._step(batch)
        torch.cuda.synchronize(device)
    wall = (time.perf_counter() - begin) / 20
    events = seen.key_averages()
    launches = sum(e.count for e in events if "Launch" in e.key) / 20
    # What the CPU's events know of the device's time is that of the kernels, which are events themselves.
    kernels = [e for e in events if e.device_type.name == "CUDA" and not e.is_user_annotation]
    busy = sum(e.self_device_time_total for e in kernels) / 20e6
    lines.append(
        f"launches of a step, with graphs: {launches:.0f}; {wall * 1e3:.2f} ms a step under the profiler"
    )
    lines.append(f"idle share of the GPU: {max(0.0, 1 - busy / wall):.0%}")
    return lines


HEAD = [
    "| | work | device, s | per second | CPU thread, per second | ratio | peak GiB | quality | on CPU |",
    "|---|---|---|---|---|---|---|---|---|",
]


def line(name: str, there: Row | str, here: Row | str) -> str:
    """One row in Markdown, the CPU beside the device."""
    if isinstance(there, str):
        return f"| {name} | | | | | | | {there} | |"
    fast = there.work / there.seconds
    slow, ratio, other = "", "", here if isinstance(here, str) else here.quality
    if isinstance(here, Row):
        per_second = here.work / here.seconds
        slow, ratio = f"{per_second:,.1f}", f"{fast / per_second:.1f}x"
    return (
        f"| {name} | {there.work:,.0f} {there.unit} | {there.seconds:.1f} | {fast:,.1f} | {slow} "
        f"| {ratio} | {there.memory:.2f} | {there.quality} | {other} |"
    )


def measured(device: str, until: float, *, small: bool) -> tuple[list[str], bool]:
    """The rows of the table, each printed as soon as it is there, and whether all could be measured."""
    lines, good = [], True
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        there = Bench(device, SMALL if small else FULL, folder / "there")
        # Of a little on a CPU the other side would be the same work on the same device.
        same = small and device == "cpu"
        here = None if same else Bench("cpu", SMALL if small else ONE_THREAD, folder / "here")
        for name in Bench.NAMES:
            first = there.row(name, until)
            second = first if here is None else here.row(name, until)
            lines.append(line(name, first, second))
            print(lines[-1], flush=True)
            good = good and isinstance(first, Row) and isinstance(second, Row)
    return lines, good


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:INDEX")
    parser.add_argument("--small", action="store_true", help="a little of everything; figures mean nothing")
    parser.add_argument("--profile", action="store_true", help="launches, waits and idle share of a step")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="for all rows and the tests (default 270)"
    )
    parser.add_argument("--no-tests", action="store_true", help="measure without running tests first")
    parser.add_argument("--output", type=Path, help="Markdown file to write the table to")
    arguments = parser.parse_args()
    device = arguments.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        sys.exit(f"there is no GPU here that torch sees; leave --device {device} out")
    card = torch.cuda.get_device_name(device) if device.startswith("cuda") else platform.processor() or "CPU"
    lines = [f"{card}, torch {torch.__version__}, Python {platform.python_version()}, {os.cpu_count()} cores"]
    print(lines[0], flush=True)
    good = True
    if not arguments.no_tests:
        said, good = run_tests()
        lines.append(f"tests that touch devices: {said}")
        print(lines[-1], flush=True)
    lines.append(f"from nothing to a device that computes: {start_up(device):.1f} s")
    print(lines[-1], *HEAD, sep="\n", flush=True)
    rows, all_rows = measured(device, BEGIN + arguments.seconds, small=arguments.small)
    lines += ["", *HEAD, *rows, ""]
    if arguments.profile:
        seen = profile(device)
        lines += seen
        print("\n".join(seen), flush=True)
    lines.append(f"{time.monotonic() - BEGIN:.0f} s in all")
    print(lines[-1], flush=True)
    if arguments.output:
        arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if not (good and all_rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
