"""What a GPU is worth: the same commands on the GPU and on one CPU thread, quality beside times.

    python benchmarks/speed/gpu.py [--device auto|cpu|cuda] [--profile] [--small] [--output benchmarks/gpu.md]

First the tests that touch devices run (``pytest -m device``). Then each command works on the device, and on
one CPU thread does a smaller amount of the same work; ratios are of work per second. A row's time is that of
the whole command in a process that is up, so start-up is a row of its own. ``--small`` does a little of
everything, to see that it works; its figures mean nothing. ``--profile`` shows what one training step
launches, what makes the host wait, and which share of the time the GPU is idle.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

ROOT = Path(__file__).resolve().parent.parent.parent
TEST_SECONDS = 120


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


class Bench:
    """All rows on one device; models that a row makes serve the rows after it."""

    def __init__(self, device: str, sizes: Sizes, folder: Path) -> None:
        self.device, self.sizes, self.folder = device, sizes, folder
        self.here: dict[str, Any] = {"device": device, "threads": 1, "quiet": True}
        folder.mkdir()

    def rows(self) -> dict[str, Row]:
        """Name of the row -> what it took."""
        return {
            "train-vae rna_mpsa_5ss9": self.train_vae(),
            "revise --max-edits 3, 9 letters": self.revise(),
            "train-gan promoters, 100 letters": self.train_gan(),
            "sample-gan, 100 letters": self.sample(),
            "train-predictor lac, 75 letters": self.train_predictor(),
            "predict, 75 letters": self.predict(),
            f"maximize, {self.sizes.design_length} letters": self.maximize(),
        }

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


def run_tests() -> str:
    """The tests that touch devices. Ends the program where they fail."""
    workers = str(min(8, cores()))
    words = [sys.executable, "-m", "pytest", "-q", "-x", "-n", workers, "-m", "device and not slow"]
    begin = time.perf_counter()
    try:
        done = subprocess.run(
            [*words, "tests/contracts"], cwd=ROOT, check=False, capture_output=True, text=True, timeout=600
        )
    except subprocess.TimeoutExpired:
        sys.exit("the tests that touch devices take more than ten minutes; nothing was measured")
    seconds = time.perf_counter() - begin
    last = (done.stdout.strip().splitlines() or ["nothing"])[-1]
    if done.returncode:
        sys.exit(f"{done.stdout}\n{done.stderr}\nthe tests that touch devices fail; nothing was measured")
    late = "" if seconds <= TEST_SECONDS else f"; longer than {TEST_SECONDS} s"
    return f"{last}{late}"


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


def table(there: dict[str, Row], here: dict[str, Row]) -> list[str]:
    """Markdown, the CPU beside the device."""
    lines = [
        "| | work | device, s | per second | CPU thread, per second | ratio | peak GiB | quality | on CPU |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in there.items():
        other = here[name]
        fast, slow = row.work / row.seconds, other.work / other.seconds
        lines.append(
            f"| {name} | {row.work:,.0f} {row.unit} | {row.seconds:.1f} | {fast:,.1f} | {slow:,.1f} "
            f"| {fast / slow:.1f}x | {row.memory:.2f} | {row.quality} | {other.quality} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:INDEX")
    parser.add_argument("--small", action="store_true", help="a little of everything; figures mean nothing")
    parser.add_argument("--profile", action="store_true", help="launches, waits and idle share of a step")
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
    if not arguments.no_tests:
        lines.append(f"tests that touch devices: {run_tests()}")
        print(lines[-1], flush=True)
    lines.append(f"from nothing to a device that computes: {start_up(device):.1f} s")
    print(lines[-1], flush=True)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        there = Bench(device, SMALL if arguments.small else FULL, folder / "there").rows()
        if arguments.small and device == "cpu":  # the other side would be the same work on the same device
            here = there
        else:
            here = Bench("cpu", SMALL if arguments.small else ONE_THREAD, folder / "here").rows()
    lines += ["", *table(there, here), ""]
    print("\n".join(lines[-len(there) - 4 :]), flush=True)
    if arguments.profile:
        seen = profile(device)
        lines += seen
        print("\n".join(seen), flush=True)
    if arguments.output:
        arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
