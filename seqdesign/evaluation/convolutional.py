"""A small convolutional network that is trained to tell generated from real sequences."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from seqdesign.metrics.classifier import auc_with_error
from seqdesign.metrics.dependence import Codes

CHANNELS, KERNEL, REGIONS = 48, 9, 6
"""Filters, their letters, and stretches of positions for each of which a filter's largest value counts."""
EPOCHS, BATCH, RATE, DROPOUT = 8, 50, 2e-3, 0.3


def convolutional_auc(
    fit: tuple[Codes, Codes], judge: tuple[Codes, Codes], size: int, seed: int
) -> tuple[float, float]:
    """(AUC, standard error) with which generated are told from real sequences that the network has not seen.

    ``fit`` and ``judge`` are each (generated, real), codes (N, L) with ``size`` behind the end. Filters of 9
    letters, the largest value of each in 6 stretches of positions, one linear layer.
    """
    rng = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        network = nn.Sequential(
            nn.Conv2d(size + 1, CHANNELS, (1, KERNEL), padding=(0, KERNEL // 2)),
            nn.AdaptiveMaxPool2d((1, REGIONS)),
            nn.ReLU(),  # of the largest values alone, which is the same
            nn.Flatten(),
            nn.Dropout(DROPOUT),
            nn.Linear(CHANNELS * REGIONS, 1),
        )
        rows = torch.from_numpy(np.concatenate(fit)).to(torch.int16)
        labels = torch.cat([torch.ones(len(fit[0])), torch.zeros(len(fit[1]))])
        _train(network, rows, labels, size, rng)
    network.eval()
    first, second = (_scores(network, codes, size) for codes in judge)
    return auc_with_error(first, second)


def _train(network: nn.Module, rows: Tensor, labels: Tensor, size: int, rng: torch.Generator) -> None:
    optimizer = torch.optim.Adam(network.parameters(), RATE, fused=True)
    share = labels.mean()
    weights = torch.where(labels > 0, 0.5 / share, 0.5 / (1 - share))  # both kinds count the same
    for _ in range(EPOCHS):
        for index in torch.randperm(len(rows), generator=rng).split(BATCH):
            scores = network(_hot(rows[index], size)).squeeze(1)
            loss = functional.binary_cross_entropy_with_logits(scores, labels[index], weights[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def _hot(codes: Tensor, size: int) -> Tensor:
    return (codes.unsqueeze(2) == torch.arange(size + 1)).permute(0, 2, 1).unsqueeze(2).float()


@torch.no_grad()
def _scores(network: nn.Module, codes: Codes, size: int) -> NDArray[np.float64]:
    parts = torch.from_numpy(codes).to(torch.int16).split(500)
    scores = torch.cat([network(_hot(part, size)).squeeze(1) for part in parts])
    return scores.double().numpy()
