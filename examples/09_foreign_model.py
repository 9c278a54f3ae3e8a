"""A PyTorch model of somebody else, edited by Ledidi: few letters changed, to a prediction that is wanted.

Any module or function of one-hot sequences (N, V, L) will do; the channels are the letters in the order of
the alphabet, A, C, G, T for DNA. It runs in evaluation mode and is left as it was.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

import seqdesign as sd

BUDGET = 200
FOLDER = Path("example-09")
START = "ACGTTGACCTGATTACGGATCCAGTCATGCAACTTGGCAT"


class SomeNetwork(nn.Module):
    """Stands for a published network with its weights loaded."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv1d(4, 16, 7, padding=3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(16, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """One-hot DNA (N, 4, L) -> activity (N, 1)."""
        return self.layers(x)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    net = SomeNetwork()
    found = sd.maximize(
        net,
        start=[START],
        num=3,
        method="ledidi",
        rules=[sd.rules.forbid("BamHI"), sd.rules.keep((1, 5)), sd.rules.max_edits(6)],
        budget=BUDGET,
    )
    print(found.text())
    for row in found.to_frame().to_dict("records"):
        print(f"{row['sequence']}  {row['score']:+.3f}  {row['edit_list']}")
    why = sd.attribute(net, found.sequences)
    print(why.text())
    why.to_frame().to_csv(FOLDER / "contributions.csv", index=False)


if __name__ == "__main__":
    main()
