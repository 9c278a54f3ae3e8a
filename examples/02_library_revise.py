"""REVISE as a library: a trained model, sequences as tokens, and an objective of one's own.

An objective is any differentiable function from predicted outcomes (N,) to what is maximised (N,). Here:
reach an outcome of 1 (10% spliced in), but do not pay for more. `sd.revise` covers the usual objectives
(`minimize`, `target`); this is the level below it.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

import seqdesign as sd
from seqdesign.revisers.methods.revise import DesignProblem, ReviseOptions, revise
from seqdesign.sequences.encoders import decode, encode

NUM_TRAIN, EPOCHS, ENOUGH = 1000, 10, 1.0
FOLDER = Path("example-02")
STARTS = ["CAGGUACGU", "AAGGCAAGU", "UCGGUUCCA"]


def good_enough(outcome: Tensor) -> Tensor:
    """Outcomes (N,) -> scores (N,): rises to 0 at ENOUGH and stays there."""
    return -(ENOUGH - outcome).clamp(min=0).square()


def main() -> None:
    vae = sd.train_vae(sd.load_dataset("rna_mpsa_5ss9").take(range(NUM_TRAIN)), epochs=EPOCHS)
    vae.save(FOLDER / "model")
    starts = encode(STARTS, vae.alphabet)
    problem = DesignProblem(
        model=vae.trained.model,
        tokens=torch.from_numpy(starts.tokens).long(),
        lengths=torch.from_numpy(starts.lengths),
        score=good_enough,
        max_edits=2,
        floor_per_letter=vae.trained.record.naturalness_floor,
        top=2,
    )
    result = revise(problem, ReviseOptions(alpha=-100.0, rounds=1), seed=0)
    for i, start in enumerate(STARTS):
        print(f"{start}  F = {result.before.outcome[i]:+.2f}")
        designs = decode(result.tokens[i], vae.alphabet)
        for k in result.found[i].nonzero().flatten().tolist():
            print(f"  {designs[k]}  F = {result.outcome[i, k]:+.2f}")


if __name__ == "__main__":
    main()
