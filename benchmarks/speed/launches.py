"""What `revise` and `sample` launch on a GPU, with recordings (CUDA graphs) and without; no GPU is needed.

    python benchmarks/speed/launches.py [--sites 160] [--samples 2000]

A VAE and a language model of splice sites are trained a little, on a CPU. Then the commands run on the
simulated GPU (``seqdesign.testing.simulated_gpu``), which counts operations that launch a kernel, replays of
recordings, and how often the host waits.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seqdesign.commands.design.revise import ReviseConfig, revise
from seqdesign.commands.design.sample import SampleConfig, sample
from seqdesign.commands.train.train_lm import TrainLMConfig, train_lm
from seqdesign.commands.train.train_vae import TrainVAEConfig, train_vae
from seqdesign.devices.capture import SWITCH
from seqdesign.sequences.datasets import load_dataset
from seqdesign.testing.operations import Counting, Operations
from seqdesign.testing.simulated_gpu import SimulatedGPU

TRAINED_ON = 2_000


def fasta(path: Path, first: int, num: int) -> Path:
    """Splice sites with their outcomes."""
    data = load_dataset("rna_mpsa_5ss9")
    assert data.outcomes is not None
    rows = range(first, first + num)
    path.write_text("".join(f">s{i} outcome={data.outcomes[i]:.6g}\n{data.sequences[i]}\n" for i in rows))
    return path


def told(name: str, run: Callable[[], Any]) -> None:
    """A row: without recordings and with them."""
    found = []
    for switch in ("off", "on"):
        os.environ[SWITCH] = switch
        seen = Operations()
        with SimulatedGPU() as gpu, Counting(seen):
            run()
        found.append(f"{seen.total:,} | {gpu.replays:,} | {gpu.waits.total() + gpu.moves.total():,}")
    print(f"| {name} | {' | '.join(found)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sites", type=int, default=160)
    parser.add_argument("--samples", type=int, default=2_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        seqs = fasta(folder / "sites.fa", 0, TRAINED_ON)
        here: dict[str, Any] = {"device": "cpu", "threads": 1, "quiet": True}
        train_vae(TrainVAEConfig(sequences=seqs, output=folder / "vae", epochs=3, **here))
        train_lm(TrainLMConfig(sequences=seqs, output=folder / "lm", epochs=1, **here))
        there: dict[str, Any] = {"device": "cuda", "threads": 1, "quiet": True, "output": folder / "out.fa"}
        starts = fasta(folder / "starts.fa", 28_000, arguments.sites)
        print(
            "| | launches, replays, waits without recordings | | | with | | |\n|---|---|---|---|---|---|---|"
        )
        for neighbours in (None, 0):
            given = {} if neighbours is None else {"neighbours": neighbours}
            config = ReviseConfig(input=starts, model=folder / "vae", max_edits=3, **given, **there)
            name = "" if neighbours is None else ", `--neighbours 0`"
            told(
                f"`revise`, {arguments.sites} sites, three edits{name}", lambda config=config: revise(config)
            )
        for kind in ("vae", "lm"):
            drawn = SampleConfig(model=folder / kind, num=arguments.samples, **there)
            told(f"`sample`, {arguments.samples:,} of a {kind.upper()}", lambda drawn=drawn: sample(drawn))


if __name__ == "__main__":
    main()
