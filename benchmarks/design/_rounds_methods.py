"""Ways to choose a batch from what was measured so far, at equal budgets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqdesign.design.rounds import Acquisition, Surrogate, choose, neighbourhood
from seqdesign.judging.processes import KINDS
from seqdesign.sequences.alphabets import Alphabet

METHODS = ("greedy", "gp-ucb", "propose")
"""greedy: the highest means of the surrogate of ``seqdesign propose``. gp-ucb: one Gaussian process over near
sequences (like words on both strands), values as they are, the highest mean + 2 sd. propose: as by default.
"""


def pick(
    method: str,
    texts: Sequence[str],
    values: NDArray[np.float64],
    alphabet: Alphabet,
    num: int,
    *,
    both: bool = False,
    pool: Sequence[str] | None = None,
    seed: int = 0,
) -> tuple[list[str], str]:
    """The next ``num`` sequences, of a pool or of those that ``propose`` finds, and by which kernel."""
    if method == "gp-ucb":
        name = "like words" if both else "near sequences"
        kinds = [kind for kind in KINDS if kind.name == name]
        surrogate = Surrogate(
            texts, values, alphabet, both_strands=both, kinds=kinds, floors=(None,), seed=seed
        )
    else:
        surrogate = Surrogate(texts, values, alphabet, both_strands=both, seed=seed)
    if pool is None:
        pool = neighbourhood(surrogate, texts, values, lambda some: [True] * len(some), seed=seed)
    if method == "gp-ucb":
        places = np.argsort(-surrogate.upper(pool), kind="stable")[:num].tolist()
    else:
        how: Acquisition = "mean" if method == "greedy" else "upper"
        places = choose(surrogate, pool, num, acquisition=how, both_strands=both).places
    return [pool[i] for i in places], f"{surrogate.kind}, floor {surrogate.warp.floor}"
