"""New letters at many positions of a sequence at once, such that neighbours suit each other.

A sequence is drawn with probability proportional to the product of a weight for each letter at its position
and of a weight for each pair of neighbours, exactly: sums backwards, draws forwards (Rabiner 1989, Proc. IEEE
77).

Shapes: R starts with P sequences each; L positions, V letters.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.evolving.neighbours import Neighbours
from seqdesign.devices.arithmetic import running_sum

HELD = 1 << 23
"""Weights held at once."""
TINY = 1e-30


def filled(
    tokens: Tensor, weight: Tensor, rows: Tensor, neighbours: Neighbours, courage: Tensor, chance: Tensor
) -> Tensor:
    """Sequences (R, P, L) drawn by ``weight`` (R, P, L, V) >= 0 and by what ``rows`` know of pairs.

    tokens: (R, P, L), what stays where nothing is possible. courage: (R, P), the weight of a pair that is not
    known to be good. chance: (R, P, L) in (0, 1), the luck.
    """
    made = _pick(weight, chance, tokens)
    some = neighbours.refused[rows].nonzero().squeeze(1)
    for part in some.split(max(1, HELD // weight[0].numel())):
        pairs = neighbours.pairs(rows[part])
        made[part] = _chain(tokens[part], weight[part], *pairs, courage[part], chance[part])
    return made


def _pick(weight: Tensor, chance: Tensor, otherwise: Tensor) -> Tensor:
    """Letters drawn by weight (..., V), ``chance`` (...) being the luck; ``otherwise`` where all are 0."""
    total = running_sum(weight, -1)
    letter = (total > (chance * total[..., -1]).unsqueeze(-1)).int().argmax(-1)
    return torch.where(total[..., -1] > 0, letter, otherwise)


def _chain(
    tokens: Tensor, weight: Tensor, good: Tensor, doubtful: Tensor, courage: Tensor, chance: Tensor
) -> Tensor:
    """As ``filled``; good, doubtful: (R, V, V), weights of pairs, the second to be multiplied by courage."""
    # In 64 bits, so that no letter depends on what else is computed at once.
    weight, good, doubtful = weight.double(), good.double(), doubtful.double()
    courage = courage.double().unsqueeze(2)
    after = torch.ones_like(weight[:, :, 0])
    later = []
    for here in weight.unbind(2)[::-1]:
        later.append(after)
        message = here * after
        message = message / message.sum(2, keepdim=True).clamp(min=TINY)
        after = message @ good.mT + courage * (message @ doubtful.mT)
    letter, made = tokens[:, :, 0], []
    for place, (here, after) in enumerate(zip(weight.unbind(2), later[::-1], strict=True)):
        worth = here * after
        if place:
            index = letter.unsqueeze(2).expand_as(worth)
            worth = worth * (good.gather(1, index) + courage * doubtful.gather(1, index))
        letter = _pick(worth, chance[:, :, place], tokens[:, :, place])
        made.append(letter)
    return torch.stack(made, 2)
