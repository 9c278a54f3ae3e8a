"""What CPU threads bring to one training step of each family, and how many are chosen.

    OMP_WAIT_POLICY=PASSIVE GOMP_SPINCOUNT=3000 python benchmarks/speed/thread_speed.py [--threads 2]
        [--only gan]

One thread and several take turns, so that the load of the machine is the same for both. Prints floating-point
operations of products and convolutions per dispatched operation, from which the number of threads is chosen
(``seqdesign.devices.threads``), CPU time and the shortest and median wall time of a step.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seqdesign.devices.threads import FLOPS_PER_THREAD, _Sizes
from seqdesign.ensembles.model import SequencePredictor
from seqdesign.ensembles.options import PredictorOptions
from seqdesign.ensembles.options import adapt as adapt_predictor
from seqdesign.language.config import LMOptions
from seqdesign.language.config import adapt as adapt_lm
from seqdesign.language.model import SequenceLM
from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.fit import make_plan
from seqdesign.models.gan.fit_options import GANFitOptions
from seqdesign.models.gan.model import SequenceGAN
from seqdesign.models.predictor.data import PredictorData
from seqdesign.models.vae.config import VAEOptions
from seqdesign.models.vae.config import adapt as adapt_vae
from seqdesign.models.vae.model import SequenceVAE
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary
from seqdesign.training import loop
from seqdesign.training.config import FitOptions
from seqdesign.training.data import TokenData
from seqdesign.training.interrupt import Interrupt
from seqdesign.training.plan import Plan

VOCABULARY = Vocabulary(get_alphabet("dna"))
TURNS, TURN_SECONDS = 6, 0.3

Made = tuple[Any, Any, Plan | None]


def rows(length: int, count: int) -> TokenData:
    """Random DNA."""
    rng = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, 4, (count, length), generator=rng).to(torch.uint8)
    return TokenData(tokens, torch.full((count,), length), torch.randn(count, generator=rng))


def vae(length: int) -> Made:
    """A VAE with an outcome."""
    given = adapt_vae(VAEOptions(), max_length=length, fixed_length=True, num_train=20_000)
    model = SequenceVAE(given, VOCABULARY, length, outcome_mean=0.0, outcome_scale=1.0)
    return model, rows(length, 128), None


def gan(length: int, **given: Any) -> Made:
    """The default game."""
    options = GANOptions(**given)
    model = SequenceGAN(options, VOCABULARY, length, length)
    plan = make_plan(options, GANFitOptions(), lambda network: {}, model.num_symbols)
    return model, rows(length, 64), plan


def lm(length: int, **given: Any) -> Made:
    """A language model."""
    options = adapt_lm(LMOptions(**given), num_letters=length * 10_000)
    return SequenceLM(options, VOCABULARY, length, length), rows(length, 64), None


def predictor(length: int, **given: Any) -> Made:
    """An ensemble."""
    options = adapt_predictor(
        PredictorOptions(**given), max_length=length, num_train=10_000, task="regression", both_strands=False
    )
    model = SequencePredictor(options, VOCABULARY, length)
    data = rows(length, 128)
    ones: Tensor = torch.ones(len(data), model.num_members)
    return model, PredictorData(data.tokens, data.lengths, data.outcomes[:, None], ones[:, :1], ones), None


CASES: dict[str, Callable[[], Made]] = {
    "vae, 9 letters": lambda: vae(9),
    "vae, 100 letters": lambda: vae(100),
    "gan, 100 letters": lambda: gan(100),
    "lm gru, 100 letters": lambda: lm(100, architecture="gru"),
    "lm transformer, 100 letters": lambda: lm(100, architecture="transformer"),
    "predictor residual, 100 letters": lambda: predictor(100, architecture="residual"),
    "predictor residual, both paths": lambda: predictor(100, architecture="residual", paths="both"),
    "predictor motif, 100 letters": lambda: predictor(100, architecture="motif"),
}


def measure(name: str, threads: int) -> str:
    """One line of the table."""
    torch.manual_seed(0)
    model, data, plan = CASES[name]()
    options = FitOptions()
    plan = plan or Plan.plain(model.players, options, len(data), data.typical_length)
    run = loop._Run(
        model, data, data, len(data), plan, seed=0, fabric=loop.make_fabric(options, torch.device("cpu")),
        hooks=loop.Hooks(), interrupt=Interrupt(),
    )  # fmt: skip
    run.state.stale = dict.fromkeys(run.players, 0)
    model.train()
    with _Sizes() as found:
        run.try_a_step()
    size = found.flops / found.operations
    batch = torch.arange(len(data))
    torch.set_num_threads(1)
    for _ in range(2):
        begin = time.perf_counter()
        run._step(batch)
    steps = max(1, int(TURN_SECONDS / (time.perf_counter() - begin)))
    wall: dict[int, list[float]] = {1: [], threads: []}
    cpu = dict.fromkeys(wall, 0.0)
    for _ in range(TURNS):
        for number, times in wall.items():
            torch.set_num_threads(number)
            start, begin = time.process_time(), time.perf_counter()
            for _ in range(steps):
                run._step(batch)
            times.append(1e3 * (time.perf_counter() - begin) / steps)
            cpu[number] += 1e3 * (time.process_time() - start) / steps / TURNS
    torch.set_num_threads(1)
    cells = [f"{cpu[n]:.0f} / {min(wall[n]):.0f} / {statistics.median(wall[n]):.0f}" for n in wall]
    chosen, ratio = max(1, int(size / FLOPS_PER_THREAD)), min(wall[1]) / min(wall[threads])
    return f"| {name} | {size / 1e6:.1f} | {' | '.join(cells)} | {ratio:.2f} | {chosen} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2, help="threads beside one")
    parser.add_argument("--only", default="", help="cases with this in their name")
    arguments = parser.parse_args()
    print(
        "| step | MFLOP an operation | ms, 1 thread: CPU / shortest / median "
        f"| {arguments.threads} threads | ratio of the shortest | threads chosen at most |"
    )
    print("|---|---|---|---|---|---|")
    for name in CASES:
        if arguments.only in name:
            print(measure(name, arguments.threads), flush=True)


if __name__ == "__main__":
    main()
