"""Every model of the registry keeps the promises of `seqdesign.testing.check_model`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from seqdesign.ensembles.model import PredictorBatch, SequencePredictor
from seqdesign.ensembles.options import PredictorOptions
from seqdesign.language.config import LMOptions
from seqdesign.language.model import SequenceLM
from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.model import SequenceGAN
from seqdesign.models.similarity.config import SimilarityOptions
from seqdesign.models.similarity.data import PairBatch
from seqdesign.models.similarity.model import SequenceSimilarity
from seqdesign.models.translate.config import TranslateOptions
from seqdesign.models.translate.model import Pair, SequenceTranslator
from seqdesign.models.vae.config import VAEOptions
from seqdesign.models.vae.model import SequenceVAE
from seqdesign.registry import Registry
from seqdesign.testing import check_model, model_checks
from seqdesign.testing.models import MAX_LENGTH, VOCABULARY
from seqdesign.training.data import Batch

MODELS = Registry("model", "seqdesign.models")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """Steps this small lose more to waiting threads than they win."""
    torch.set_num_threads(1)


def vae(**options: Any) -> SequenceVAE:
    torch.manual_seed(0)
    small = {"hidden": 16, "latent_dim": 4, "embedding": 6, "invariance_batch": 8, "dropout": 0.1}
    return SequenceVAE(
        VAEOptions(**(small | options)), VOCABULARY, MAX_LENGTH, outcome_mean=1.0, outcome_scale=2.0
    )


def predictor(**options: Any) -> SequencePredictor:
    torch.manual_seed(0)
    positional = options.pop("positional", True)
    small = {"members": 3, "hidden": 16, "channels": 6, "width": 3, "dropout": 0.1, "paths": "both"}
    small["architecture"] = "residual"
    given = PredictorOptions(**(small | {"task": "regression", "strands": "one"} | options))
    return SequencePredictor(
        given, VOCABULARY, MAX_LENGTH, positional=positional, outcome_mean=(1.0,), outcome_scale=(2.0,)
    )


def gan(shortest: int = 1, **options: Any) -> SequenceGAN:
    torch.manual_seed(0)
    small = {"latent_dim": 5, "channels": 8, "mapping": 12, "penalty_every": 1}
    classes = (0.1, 1.0) if options.get("condition") == "label" else ()
    return SequenceGAN(GANOptions(**(small | options)), VOCABULARY, MAX_LENGTH, shortest, classes)


def lm(shortest: int = 1, knots: tuple[float, ...] = (), **options: Any) -> SequenceLM:
    torch.manual_seed(0)
    small: dict[str, Any] = {"architecture": "transformer", "width": 16, "dropout": 0.1}
    if options.get("architecture") != "gru":
        small |= {"heads": 2, "window": 3}
    return SequenceLM(LMOptions(**(small | options)), VOCABULARY, MAX_LENGTH, shortest, knots)


def translator(shortest: int = 1, **options: Any) -> SequenceTranslator:
    torch.manual_seed(0)
    return SequenceTranslator(
        TranslateOptions(**({"channels": 8, "stay": 0.1} | options)), VOCABULARY, MAX_LENGTH, shortest
    )


def similarity() -> SequenceSimilarity:
    torch.manual_seed(0)
    return SequenceSimilarity(SimilarityOptions(hidden=8, embedding=4, dropout=0.1), VOCABULARY, 3)


KINDS: dict[str, dict[str, Callable[[], Any]]] = {
    "vae": {
        "dense": lambda: vae(encoder="dense"),
        "conv": lambda: vae(encoder="conv"),
        "gru": lambda: vae(encoder="gru"),
        "lstm": lambda: vae(encoder="lstm", decoder="lstm"),
    },
    "predictor": {
        "positional": predictor,
        "pooled": lambda: predictor(positional=False),
        "both strands": lambda: predictor(positional=False, strands="both"),
        "motif": lambda: predictor(positional=False, strands="both", architecture="motif"),
        "killoran": lambda: predictor(architecture="killoran"),
        "binary": lambda: predictor(task="binary"),
    },
    "lm": {
        "transformer": lm,
        "gru": lambda: lm(architecture="gru"),
        "ensemble": lambda: lm(architecture="ensemble"),
        "masked": lambda: lm(architecture="masked"),
        "conditional": lambda: lm(knots=(0.0, 0.5, 1.0)),
        "masked, conditional": lambda: lm(architecture="masked", knots=(0.0, 0.5, 1.0)),
    },
    "similarity": {"lstm": similarity},
    "gan": {
        "sobolev": gan,
        "mmd": lambda: gan(objective="mmd"),
        "r3gan": lambda: gan(objective="r3gan"),
        "wgan-gp": lambda: gan(objective="wgan-gp"),
        "wgan, softmax": lambda: gan(objective="wgan", outputs="softmax"),
        "minimax, gumbel": lambda: gan(objective="minimax", outputs="gumbel"),
        "non-saturating, labels": lambda: gan(objective="non-saturating", condition="label"),
    },
}
KINDS["translate"] = {"lengths differ": translator, "one length": lambda: translator(MAX_LENGTH)}
"""Registry name -> the makes of it to be held to the contract."""

DETERMINISTIC = {"predictor", "similarity", "lm-transformer", "lm-gru", "lm-ensemble", "lm-conditional"}
"""Models, or makes of them, whose losses in eval mode have no noise."""
ADVERSARIAL = {"gan", "translate"}
"""Models whose players lose what others win; that they learn is shown elsewhere."""

CASES = [
    pytest.param(name, f"{name}-{kind}", make, check, id=f"{name}-{kind}-{check}")
    for name in KINDS
    for kind, make in KINDS[name].items()
    for check in model_checks()
    if not (name in ADVERSARIAL and check == "every_loss_falls_on_sixteen_sequences")
]


def of(model: Any, batch: Batch) -> Any:
    """The batch as the model takes it."""
    if isinstance(model, SequenceTranslator):
        return Pair(batch.tokens, batch.tokens.flip(0))
    if isinstance(model, SequenceSimilarity):
        first, second = torch.triu_indices(len(batch.lengths), len(batch.lengths), 1)
        score = 1 - (batch.outcomes[first] - batch.outcomes[second]).abs()
        return PairBatch(batch.tokens, batch.lengths, first, second, score)
    if not isinstance(model, SequencePredictor):
        return batch
    outcomes = batch.outcomes[:, None].float()
    if model.task.name == "binary":
        outcomes = (outcomes > 0.25).float()
    ones = torch.ones(len(outcomes), model.num_members)
    return PredictorBatch(batch.tokens, batch.lengths, outcomes, torch.ones_like(outcomes), ones)


def test_every_model_of_the_registry_is_held_to_the_contract() -> None:
    assert set(MODELS.names()) == set(KINDS)


@pytest.mark.parametrize(("name", "kind", "make", "check"), CASES)
def test_a_model_keeps_its_promises(name: str, kind: str, make: Callable[[], Any], check: str) -> None:
    check_model(make, batch=of, deterministic=bool({name, kind} & DETERMINISTIC), name=kind, checks=[check])
