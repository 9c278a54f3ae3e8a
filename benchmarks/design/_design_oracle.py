"""The oracle of design.py, without seqdesign, so that peers in another environment see the same one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LENGTH, LETTERS = 200, "ACGT"


def network(seed: int) -> nn.Module:
    """Random conv 64 x 11, conv 64 x 7, linear, (N, 4, 200) -> (N, 1).

    Random sequences score 0 on average, with deviation 1.
    """
    torch.manual_seed(seed)
    head = nn.Linear(64 * LENGTH, 1)
    net = nn.Sequential(
        nn.Conv1d(4, 64, 11, padding=5),
        nn.ReLU(),
        nn.Conv1d(64, 64, 7, padding=3),
        nn.ReLU(),
        nn.Flatten(),
        head,
    )
    with torch.no_grad():
        y = net(one_hot(starts(512, seed)))
        head.weight /= y.std()
        head.bias -= net(one_hot(starts(512, seed))).mean()
    return net.requires_grad_(False).eval()


def starts(count: int, seed: int) -> Tensor:
    """Random sequences (N, 200)."""
    return torch.randint(4, (count, LENGTH), generator=torch.Generator().manual_seed(seed + 1000))


def one_hot(tokens: Tensor) -> Tensor:
    """(N, L) -> (N, 4, L) float."""
    return (tokens.unsqueeze(1) == torch.arange(4)[:, None]).float()


def text(tokens: Tensor) -> str:
    """One sequence (L,) as letters."""
    return "".join(LETTERS[i] for i in tokens.tolist())
