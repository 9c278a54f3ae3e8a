"""Everything that computes does so on a GPU as well: the real one where there is one, else a simulated one.

What a GPU refuses (two devices in one operation, the generator of another device, a number that the host
reads while a step is captured) is seen on any machine, before a user sees it.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd.graph import get_gradient_edge

from seqdesign.devices import capture
from seqdesign.devices.arithmetic import running_sum
from seqdesign.devices.randomness import generator
from seqdesign.language.config import LMOptions
from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.sampling import draw
from seqdesign.models.gan.store import GANRecord, save_gan
from seqdesign.models.lm.store import LMRecord, load_lm
from seqdesign.models.similarity.config import SimilarityOptions
from seqdesign.models.similarity.store import SimilarityRecord
from seqdesign.models.translate.config import TranslateOptions
from seqdesign.models.translate.fit import TwoSets
from seqdesign.models.translate.store import TranslateRecord
from seqdesign.models.vae.config import VAEOptions
from seqdesign.models.vae.store import VAERecord, load_vae
from seqdesign.testing.battery import default_options
from seqdesign.testing.simulated_gpu import SimulatedGPU
from seqdesign.training.config import FitOptions
from seqdesign.training.loop import Hooks, fit, make_fabric
from seqdesign.training.plan import Plan
from seqdesign.training.store import save_model
from tests.contracts.test_hot_loops import (
    DESIGNERS,
    STEPS,
    VOCABULARY,
    asked,
    gan,
    rows,
    run_of,
    translator,
    vae,
)

pytestmark = pytest.mark.device
DEVICE = torch.device("cuda", 0)
ROWS, BATCH = 12, 4
"""Three steps: one as it is, one that is recorded and replayed, and a replay."""


@pytest.fixture
def gpu() -> Iterator[SimulatedGPU | None]:
    """None where the GPU is a real one."""
    if torch.cuda.is_available():
        yield None
        return
    with SimulatedGPU() as simulated:
        yield simulated


def both_sets() -> tuple[Any, ...]:
    model, _, plan = translator()
    return model, TwoSets(rows(20, ROWS), rows(20, ROWS), ROWS), plan


MAKES: dict[str, Callable[[], tuple[Any, ...]]] = {name: make for name, (make, _) in STEPS.items()}
MAKES |= {
    "translate": both_sets,
    "vae recurrent": lambda: (vae(encoder="gru", decoder="lstm"), rows(9)),
    "vae conv encoder": lambda: (vae(encoder="conv"), rows(9)),
}
for objective, outputs in (
    ("sobolev", "straight-through"), ("mmd", "straight-through"), ("wgan", "softmax"),
    ("minimax", "gumbel"), ("non-saturating", "straight-through"),
):  # fmt: skip
    given = {"objective": objective} | ({} if outputs == "straight-through" else {"outputs": outputs})
    MAKES[f"gan {objective}"] = lambda given=given: (gan(**given)[0], rows(20), gan(**given)[1])


LATER = {
    "vae conditional", "vae conv encoder", "vae recurrent", "gan sobolev", "gan mmd", "gan minimax",
    "gan non-saturating", "predictor killoran",
    "adalead", "annealing", "evolution", "gibbs", "greedy", "taylor",
}  # fmt: skip
"""What differs little from others: the slow tests have it."""


def some_slow(names: Iterable[str], slow: set[str]) -> list[Any]:
    return [pytest.param(name, marks=pytest.mark.slow if name in slow else ()) for name in names]


def trained(make: Callable[[], tuple[Any, ...]], seen: list[tuple[int, int]], gpu: Any) -> Any:
    """Weights, how far they have moved, history; ``seen``: copies and waits after each step."""
    torch.manual_seed(1)
    model, data, *given = make()
    if not isinstance(data, TwoSets):
        parts = [getattr(data, name) for name in data.__dataclass_fields__]
        data = type(data)(*(None if part is None else part[:ROWS] for part in parts))
    options = FitOptions(epochs=1, batch_size=BATCH)
    plan = given[0] if given else Plan.plain(model.players, options, ROWS, data.typical_length)
    players = {name: replace(settings, every=1) for name, settings in plan.players.items()}
    judge = None if plan.judge is None and not given else lambda model: {"score": 0.0}
    plan = replace(plan, epochs=1, players=players, judge=judge)

    def look(step: int, total: int) -> None:
        if gpu is not None:
            seen.append((gpu.moves.total(), gpu.waits.total()))

    fabric = make_fabric(options, DEVICE)
    begun = [p.detach().clone() for p in model.parameters()]
    found = fit(model, data, data, options, seed=3, fabric=fabric, hooks=Hooks(on_step=look), plan=plan)
    weights = [p.detach().cpu().clone() for p in model.parameters()]
    return weights, distance(weights, begun), found.state.history


def distance(some: list[Tensor], others: list[Tensor]) -> float:
    """Sum of all absolute differences."""
    return sum(float((one - other).abs().sum()) for one, other in zip(some, others, strict=True))


@contextlib.contextmanager
def deterministic(on: bool) -> Iterator[None]:
    """Inside, torch refuses what may differ from run to run."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(on or before)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


@pytest.mark.parametrize("refused", [True, False])
def test_what_differs_from_run_to_run_is_refused_where_that_is_asked_for(refused: bool) -> None:
    if torch.cuda.is_available():
        pytest.skip("it is about the simulated GPU")
    values = torch.arange(6.0).view(2, 3)
    with SimulatedGPU(), deterministic(refused):
        there = values.to(DEVICE)
        assert running_sum(there, 1).tolist() == values.cumsum(1).tolist()
        assert there.long().cumsum(1).tolist() == values.cumsum(1).tolist()
        for varying in (lambda: there.cumsum(1), lambda: there.median(0), lambda: there.histc(3)):
            with pytest.raises(RuntimeError, match="deterministic") if refused else contextlib.nullcontext():
                varying()


@pytest.mark.parametrize("name", some_slow(MAKES, LATER))
def test_replayed_steps_do_what_plain_ones_do(
    name: str, gpu: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Weights and history; the rows of a batch are all that a step brings over, and nothing is read.

    On the simulated GPU nothing is done, either, that torch refuses in deterministic mode.
    """
    monkeypatch.setattr(capture, "WARM", 1)
    seen: list[tuple[int, int]] = []
    with caplog.at_level(logging.INFO, logger="seqdesign"), deterministic(gpu is not None):
        replayed = trained(MAKES[name], seen, gpu)
    assert "one by one" not in caplog.text
    assert all(b[1] == a[1] and b[0] - a[0] <= 2 for a, b in itertools.pairwise(seen)), seen
    if gpu is not None:
        assert gpu.replays > 0
        assert len(gpu.pools) == 1, "all graphs of a run share their memory"
    monkeypatch.setenv(capture.SWITCH, "off")
    plain = trained(MAKES[name], [], gpu)
    if gpu is None:
        # Sums of a real GPU may be in any order, and where a gradient is nothing but rounding, as that of a
        # key's bias is, its optimizer goes a whole step somewhere. But that is little of all.
        assert distance(replayed[0], plain[0]) <= 0.1 * plain[1]
        return
    assert all(torch.equal(*both) for both in zip(replayed[0], plain[0], strict=True))
    assert replayed[2] == plain[2]


@pytest.mark.parametrize("name", ["vae", "gan r3gan", "lm masked", "predictor motif"])
def test_no_graph_of_a_step_outlives_it(name: str) -> None:
    """What is left of one ties the next step to the stream of this one, for which a capture may not wait."""
    model, data, *plan = STEPS[name][0]()
    run = run_of(model, data, "cpu", *plan)
    parameters = [p for player in run.players for p in run.parameters[player] if p.requires_grad]
    plain = run.fabric.backward

    def backward(total: Tensor) -> None:
        for p in parameters:
            get_gradient_edge(p).node.metadata["old"] = True
        plain(total)

    run.fabric.backward = backward
    run._step(torch.arange(8))
    assert not any("old" in get_gradient_edge(p).node.metadata for p in parameters)


@pytest.mark.parametrize("name", some_slow(sorted(DESIGNERS.built_in - {"guided"}), LATER))
def test_every_designer_designs_on_a_gpu(name: str, gpu: Any) -> None:
    """And what it gives lies there; ``guided`` is slow, and among the commands."""
    design = DESIGNERS.load(name)
    found = design(asked(str(DEVICE), 24), default_options(design), 0)
    assert found.tokens.device == DEVICE


def test_blocks_that_are_too_large_are_halved_and_change_nothing(gpu: Any) -> None:
    if gpu is None:
        pytest.skip("the memory of a real GPU is not made smaller")
    model = gan()[0].eval().to(DEVICE).generator

    def sampled() -> Tensor:
        return torch.cat([tokens for tokens, _ in draw(model, 300, generator(0), end=None)])

    whole = sampled()
    gpu.most_bytes = 3 << 20
    assert torch.equal(sampled(), whole)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of every family that is saved as it begins, and ``few.fa``, ``all.fa``: DNA of 9 letters."""
    made = tmp_path_factory.mktemp("models")
    rng, alphabet = torch.Generator().manual_seed(0), VOCABULARY.alphabet
    texts = ["".join("ACGT"[i] for i in row) for row in torch.randint(4, (40, 9), generator=rng).tolist()]
    records = [f">s{i} outcome={text.count('G')}.{i % 5}\n{text}\n" for i, text in enumerate(texts)]
    (made / "all.fa").write_text("".join(records))
    (made / "few.fa").write_text("".join(records[:4]))
    for name in ("transformer", "ensemble", "masked", "gru", "vae", "gan", "similarity", "translator"):
        (made / name).mkdir()
    torch.manual_seed(0)
    small = {"width": 16, "dropout": 0.1}
    attention = small | {"heads": 2, "window": 3}
    kinds = {name: attention | {"architecture": name} for name in ("transformer", "ensemble", "masked")}
    kinds["gru"] = small | {"architecture": "gru"}
    for name, options in kinds.items():
        record = LMRecord(LMOptions(**options), alphabet, 9, 9)
        save_model(made / name, record.build(), record)
    own = {
        "encoder": "gru",
        "latent_dim": 4,
        "hidden": 16,
        "embedding": 8,
        "dropout": 0.1,
        "word_dropout": 0.1,
    }
    vae_record = VAERecord(
        VAEOptions(**own), LMOptions(**kinds["gru"]), alphabet, 9, 9, "outcome", 1.0, 1.0, (0.0, 3.0), None, 0
    )
    save_model(made / "vae", vae_record.build(), vae_record)
    bins = {"classes": (1.0, 3.0), "shares": (0.5, 0.5), "outcome": "outcome"}
    gan_record = GANRecord(
        GANOptions(channels=8, mapping=16, latent_dim=8, condition="bins"), alphabet, 9, 9, **bins
    )
    save_gan(made / "gan", gan_record.build(), gan_record)
    near = SimilarityRecord(SimilarityOptions(hidden=8, embedding=4), alphabet, 9, 9, "edits", 3)
    save_model(made / "similarity", near.build(), near)
    there = TranslateRecord(TranslateOptions(channels=8, stay=0.1), alphabet, 9, 9, ("a", "b"))
    save_model(made / "translator", there.build(), there)
    return made


COMMANDS = """
train-predictor all.fa -o fitted --architecture residual --epochs 1
train-predictor all.fa -o process --architecture kernel
predict few.fa -m fitted -o predicted.csv
predict few.fa -m process -o predicted.csv
predict few.fa -m vae -o predicted.csv
predict few.fa -m transformer -o predicted.csv
sample vae -n 3 -o samples.fa
sample gan -n 3 -o samples.fa --condition 2
sample gru -n 3 -o samples.fa --gc 0.2-0.8
sample transformer -n 3 -o samples.fa
sample ensemble -n 3 -o samples.fa --start few.fa --max-edits 2
translate translator few.fa -o translated.fa --max-edits 3
interpolate few.fa -m vae -o between.fa
revise few.fa -m vae -o revised.fa --max-edits 2 --steps 4 --width 2
revise few.fa -m vae -o revised.fa --max-edits 6 --steps 4 --survivors 1 --width 2 --neighbours 8
revise few.fa -m vae -o revised.fa --method search
attribute few.fa -m fitted -o effects.csv --method gradient
attribute few.fa -m vae -o effects.csv
"""
SLOW = """
train-predictor all.fa -o fitted2 --architecture residual --epochs 1
train-vae all.fa -o learned --epochs 1
train-lm all.fa -o written --epochs 1
train-gan all.fa -o drawn --steps 4 --batch-size 8
predict few.fa -m masked -o predicted.csv
sample-gan -m gan -n 3 -o samples.fa --reject 0.5
sample-vae -m vae -n 3 -o samples.fa --reject 0.5
sample masked -n 3 -o samples.fa --guide fitted2
sample masked -n 3 -o samples.fa --start few.fa --keep 1-4
sample masked -n 3 -o samples.fa --start few.fa --max-edits 2
revise few.fa -m learned -o revised.fa --judge fitted2 --similarity similarity --min-loglik-change -5
maximize -m fitted2 -n 2 -o designs.fa --budget 20 --gc 0.2-0.8
maximize -m fitted2 -n 2 -o designs.fa --budget 20 --method latent --generator vae
maximize -m fitted2 -n 2 -o designs.fa --budget 12 --method guided --generator gru
attribute few.fa -m fitted2 -o effects.csv --method integrated-gradients
"""


@pytest.mark.parametrize(
    "lines", [COMMANDS, pytest.param(SLOW, marks=pytest.mark.slow)], ids=["quick", "slow"]
)
def test_commands_compute_on_a_gpu(
    lines: str, gpu: Any, folder: Path, cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    failed = []
    for line in lines.strip().splitlines():
        done = cli(*line.split(), "--device", "cuda", "--overwrite" if "train" in line else "--quiet")
        if done.code:
            failed.append(f"{line}\n{done.err}")
    assert not failed, "\n".join(failed)


def test_a_trained_recurrent_model_has_a_gradient_on_a_gpu(gpu: Any, folder: Path) -> None:
    """cuDNN has none in evaluation."""
    decoder = load_vae(folder / "vae", DEVICE).model.decoder
    z = torch.randn(2, 4, device=DEVICE, requires_grad=True)
    letters = torch.randint(4, (2, 9), device=DEVICE)
    (slope,) = torch.autograd.grad(decoder(z, letters).sum(), z)
    assert slope.device == DEVICE
    soft = torch.rand(2, 4, 9, device=DEVICE, requires_grad=True)
    language = load_lm(folder / "gru", DEVICE).model
    (slope,) = torch.autograd.grad(language.log_prob_letters(soft).sum(), soft)
    assert slope.device == DEVICE
