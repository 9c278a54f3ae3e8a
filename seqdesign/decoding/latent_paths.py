"""Paths, grids and arithmetic among latent codes. All shapes (..., d); nothing here knows a model."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from seqdesign.errors import UsageError

Curve = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(start (..., d), end (..., d), t (...)) -> codes (..., d)."""
PARALLEL = 1e-6
"""Sine of an angle below which two directions count as one, or as opposite."""


def line(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    """(1 - t) start + t end. Between codes drawn from N(0, I) the middle is shorter than codes ever are."""
    t = t.unsqueeze(-1)
    return torch.where(t == 1, end, start + t * (end - start))


def sphere(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    """Along the great circle between the directions, with a length that goes evenly from one to the other.

    Shoemake (1985), SIGGRAPH, section 3.3, for directions; for codes of N(0, I), White (2016), arXiv
    1609.04468. Codes of one direction, or a code of zero length, are joined by the line. Raises UsageError
    for opposite directions, between which there is no shortest way.
    """
    start, end, t = torch.broadcast_tensors(start, end, t.unsqueeze(-1))
    t = t[..., :1]
    lengths = start.norm(dim=-1, keepdim=True), end.norm(dim=-1, keepdim=True)
    a, b = (v / n.clamp(min=torch.finfo(v.dtype).tiny) for v, n in zip((start, end), lengths, strict=True))
    # atan2 is exact for small angles too, where the arc cosine of the product is not.
    angle = 2 * torch.atan2((a - b).norm(dim=-1, keepdim=True), (a + b).norm(dim=-1, keepdim=True))
    sine = angle.sin()
    flat = (sine.abs() < PARALLEL) | (torch.minimum(*lengths) == 0)
    if bool((flat & (angle > 1) & (torch.minimum(*lengths) > 0)).any()):
        raise UsageError("there is no shortest way around the sphere between opposite codes; use a line")
    turned = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / sine.masked_fill(flat, 1.0)
    length = lengths[0] + t * (lengths[1] - lengths[0])
    found = torch.where(flat, line(start, end, t.squeeze(-1)), length * turned)
    return torch.where(t == 0, start, torch.where(t == 1, end, found))


CURVES: dict[str, Curve] = {"line": line, "sphere": sphere}


def path(start: Tensor, end: Tensor, steps: int, curve: Curve = sphere) -> Tensor:
    """``steps`` codes (..., steps, d) from ``start`` to ``end`` (..., d), both included; at least 2."""
    t = torch.linspace(0, 1, steps, dtype=start.dtype, device=start.device)
    return curve(start.unsqueeze(-2), end.unsqueeze(-2), t)


def grid(corners: Tensor, steps: int, curve: Curve = sphere) -> Tensor:
    """Codes (..., steps, steps, d) between corners (..., 4, d): top left and right, bottom left and right.

    The sides come first, then each row between them, so that rows 0 and -1 and columns 0 and -1 are paths.
    """
    left = path(corners[..., 0, :], corners[..., 2, :], steps, curve)
    right = path(corners[..., 1, :], corners[..., 3, :], steps, curve)
    return path(left, right, steps, curve)


def analogy(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """The code that differs from c as a differs from b: a - b + c (Mikolov et al. 2013)."""
    return a - b + c
