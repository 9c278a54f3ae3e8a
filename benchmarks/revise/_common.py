"""What the science benchmarks share: a model trained once and kept, and designs as text."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.models.vae.config import VAEOptions
from seqdesign.models.vae.fit import train_sequence_vae
from seqdesign.models.vae.store import TrainedVAE, load_vae
from seqdesign.objectives.goals.maximize import maximize
from seqdesign.revisers.problem import DesignProblem, DesignResult
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import Vocabulary, decode, encode
from seqdesign.training.config import FitOptions
from seqdesign.training.loop import make_fabric
from seqdesign.training.store import save_model

RECIPE = "benchmark.json"
CPU = torch.device("cpu")


def parser(description: str | None, folder_help: str) -> argparse.ArgumentParser:
    """A parser with the options of every benchmark that trains."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--model", type=Path, metavar="DIR", help=folder_help)
    made.add_argument(
        "--epochs", type=int, help="passes over the training set (default: as train-vae chooses)"
    )
    made.add_argument("--seed", type=int, default=0)
    return made


def trained(
    sequences: Sequence[str],
    outcomes: NDArray[np.float64],
    alphabet: Alphabet,
    *,
    options: VAEOptions,
    fit: FitOptions,
    seed: int,
    folder: Path | None,
    recipe: dict[str, Any],
) -> TrainedVAE:
    """Train, or load the model that an earlier run kept in ``folder``.

    ``recipe`` says what the model is made from. A kept model with another recipe may have been trained on
    what is now held out, so it is refused.
    """
    if folder is not None and (folder / RECIPE).exists():
        kept = json.loads((folder / RECIPE).read_text(encoding="utf-8"))
        if kept != recipe:
            sys.exit(f"{folder} holds a model made with {kept}, not {recipe}; name another folder")
        return load_vae(folder, CPU)
    begin = time.perf_counter()
    result = train_sequence_vae(
        encode(sequences, alphabet),
        outcomes,
        options=options,
        fit_options=fit,
        seed=seed,
        fabric=make_fabric(fit, CPU),
        on_epoch=lambda record: _progress(record, time.perf_counter() - begin),
    )
    print(f"trained in {time.perf_counter() - begin:.0f} s; {_quality(result.quality)}", flush=True)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        save_model(folder, result.trained.model, result.trained.record)
        (folder / RECIPE).write_text(json.dumps(recipe), encoding="utf-8")
    return result.trained


def _progress(record: dict[str, float], elapsed: float) -> None:
    loss = record["held_out_vae_loss"]
    print(
        f"  epoch {record['epoch']:.0f}: held-out loss {loss:.3f}, {elapsed:.0f} s",
        file=sys.stderr,
        flush=True,
    )


def _quality(quality: Any) -> str:
    return (
        f"its own held-out share: {quality.exact_accuracy:.0%} of the strings reconstructed, "
        f"KL {quality.kl:.1f} nats, "
        f"R2 {quality.outcome_r2:.3f}, invariance / Var(y) {quality.invariance:.3f}, "
        f"-log p {quality.language_nll:.2f} nats"
    )


def as_problem(model: TrainedVAE, starts: Sequence[str], **rules: Any) -> DesignProblem:
    """The wish for a larger outcome of ``starts``, under ``rules`` (fields of ``DesignProblem``)."""
    tokens, lengths = as_tensors(model, starts)
    return DesignProblem(
        model.model, tokens, lengths, maximize, **{"min_length": model.record.min_length, **rules}
    )


def as_tensors(model: TrainedVAE, sequences: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens (N, max_length) int64 and lengths (N,)."""
    array = encode(sequences, model.record.alphabet, max_length=model.record.max_length)
    tokens = torch.full(
        (len(array), model.record.max_length), Vocabulary(model.record.alphabet).pad, dtype=torch.int64
    )
    tokens[:, : array.tokens.shape[1]] = torch.from_numpy(array.tokens.astype(np.int64))
    return tokens, torch.from_numpy(array.lengths)


def first_designs(model: TrainedVAE, result: DesignResult) -> list[str]:
    """The best design of each start; the start itself where none was found."""
    return decode(result.tokens[:, 0], model.record.alphabet)
