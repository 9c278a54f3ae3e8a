"""What is known about the best sequence of each start: which of its letters are needed.

Every child that differs from it is a test of a group of letters. A child that is no worse clears all those
that it changed; a worse one accuses them, each the more, the more likely it was needed before and the fewer
others could be to blame (Bayes, as if letters were needed or not independently of each other).
"""

from __future__ import annotations

import torch
from torch import Tensor

IDLE = 0.1
"""Chance of being needed up to which a letter may change for the sake of a neighbour."""
SPARED = 0.1
"""Chance that a child is no worse although a needed letter was changed."""
OTHERWISE = 0.01
"""Chance that a child is worse although no needed letter was changed."""
NEW = 0.03
"""Chance that a new letter is needed in a child that is no better."""
SURE = 5.0
"""Largest log-odds."""


def learnt(need: Tensor, changed: Tensor, fine: Tensor, worse: Tensor) -> Tensor:
    """Chances (R, L) that letters are needed, after children that ``changed`` (R, P, L) some of them.

    fine, worse: (R, P) bool, children that were no worse, and that were worse.
    """
    spared = (1 - (1 - SPARED) * need).unsqueeze(1).where(changed, 1.0)
    others = spared.prod(2, keepdim=True) * (1 - OTHERWISE) / spared
    blame = ((1 - SPARED * others) / (1 - others)).log()
    news = torch.where(worse.unsqueeze(2), blame, 0.0) + torch.where(fine.unsqueeze(2), SPARED, 1.0).log()
    least = float(torch.tensor(-SURE).sigmoid())
    odds = need.clamp(least, 1 - least).logit() + (news * changed).sum(1)
    return odds.clamp(-SURE, SURE).sigmoid()


def of_new(number: Tensor, better: Tensor) -> Tensor:
    """Chance that one of ``number`` (...) new letters is needed; one at least in a ``better`` child."""
    some = 1 - (1 - NEW) ** number.clamp(min=1)
    return torch.where(better, NEW / some, NEW).float()


def tested(need: Tensor, clock: Tensor) -> tuple[Tensor, Tensor]:
    """Ranks (R, P, L) of positions in which to change them, and how many (R, P) are best changed at once.

    need: (R, P, L). clock: (R, P, L), exponential luck. Letters that are likely not to be needed come first.
    The number maximises the expected number of letters that are changed without harm, n prod_i (1 - need_i).
    """
    clock = clock * (need / (1 - need).clamp(min=1e-3)).clamp(min=1e-3)
    order = clock.argsort(2)
    harmless = (1 - (1 - SPARED) * need.gather(2, order)).cumprod(2)
    number = (torch.arange(1, need.shape[2] + 1, device=need.device) * harmless).argmax(2) + 1
    return order.argsort(2), number
