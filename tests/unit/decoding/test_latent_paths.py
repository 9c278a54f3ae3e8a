"""Paths among codes: ends are exact, great circles keep the length, grids have paths as sides."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from seqdesign.decoding.latent_paths import CURVES, analogy, grid, line, path, sphere
from seqdesign.errors import UsageError


def codes(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_path_begins_and_ends_at_its_codes_exactly(name: str, dtype: torch.dtype) -> None:
    a, b = codes(5, 9).to(dtype), codes(5, 9, seed=1).to(dtype)
    for steps in (2, 3, 8):
        made = path(a, b, steps, CURVES[name])
        assert made.shape == (5, steps, 9)
        assert torch.equal(made[:, 0], a)
        assert torch.equal(made[:, -1], b)


def test_a_great_circle_keeps_the_length_and_turns_evenly() -> None:
    """Between codes of one length all have it, and neighbours are one angle apart."""
    a, b = (torch.nn.functional.normalize(codes(7, 20, seed=s), dim=1) * 4.5 for s in (2, 3))
    made = path(a, b, 9)
    torch.testing.assert_close(made.norm(dim=2), torch.full((7, 9), 4.5, dtype=torch.float64))
    cosine = (made[:, 1:] * made[:, :-1]).sum(2) / 4.5**2
    whole = torch.acos((a * b).sum(1) / 4.5**2)
    torch.testing.assert_close(torch.acos(cosine), (whole / 8)[:, None].expand(7, 8))


def test_a_quarter_circle_is_cosine_and_sine() -> None:
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    t = torch.linspace(0, 1, 5)
    angle = t * math.pi / 2
    torch.testing.assert_close(sphere(a, b, t), torch.stack([angle.cos(), angle.sin()], 1))


def test_the_length_goes_evenly_where_the_ends_differ() -> None:
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 3.0])
    torch.testing.assert_close(path(a, b, 5).norm(dim=1), torch.tensor([1.0, 1.5, 2.0, 2.5, 3.0]))


def test_the_middle_of_a_line_is_the_mean_and_shorter_than_its_ends() -> None:
    a, b = codes(400), codes(400, seed=5)
    middle = line(a, b, torch.tensor(0.5))
    torch.testing.assert_close(middle, (a + b) / 2)
    assert float(middle.norm() / a.norm()) == pytest.approx(math.sqrt(0.5), abs=0.05)


@pytest.mark.parametrize("scale", [1.0, 2.5, 0.0])
def test_codes_of_one_direction_and_zero_are_joined_by_the_line(scale: float) -> None:
    a = codes(6)
    torch.testing.assert_close(path(a, scale * a, 4), path(a, scale * a, 4, line))


def test_opposite_codes_have_no_shortest_way() -> None:
    a = codes(6)
    with pytest.raises(UsageError, match="opposite"):
        path(a, -2 * a, 5)
    assert torch.equal(path(a, -a, 3, line)[1], torch.zeros(6, dtype=torch.float64))


def test_nearly_equal_codes_are_no_trouble() -> None:
    a = codes(50).float()
    b = a * (1 + 1e-4 * torch.arange(50) % 2)
    torch.testing.assert_close(path(a, b, 5), path(a, b, 5, line), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", CURVES)
def test_a_grid_has_the_paths_between_its_corners_as_sides(name: str) -> None:
    corners, curve = codes(3, 4, 8), CURVES[name]
    made = grid(corners, 5, curve)
    assert made.shape == (3, 5, 5, 8)
    for place, (u, v) in enumerate([(0, 0), (0, -1), (-1, 0), (-1, -1)]):
        assert torch.equal(made[:, u, v], corners[:, place])
    torch.testing.assert_close(made[:, 0], path(corners[:, 0], corners[:, 1], 5, curve))
    torch.testing.assert_close(made[:, -1], path(corners[:, 2], corners[:, 3], 5, curve))
    torch.testing.assert_close(made[:, :, 0], path(corners[:, 0], corners[:, 2], 5, curve))
    torch.testing.assert_close(made[:, :, -1], path(corners[:, 1], corners[:, 3], 5, curve))


def test_the_grid_of_lines_is_bilinear() -> None:
    corners = codes(4, 3)
    middle = grid(corners, 3, line)[1, 1]
    torch.testing.assert_close(middle, corners.mean(0))


def test_an_analogy_closes_the_parallelogram() -> None:
    a, b, c = codes(3, 10)
    torch.testing.assert_close(analogy(a, b, c) - c, a - b)
    torch.testing.assert_close(analogy(a, a, c), c)


def test_arguments_stay_as_they_are() -> None:
    a, b = codes(4, 6), codes(4, 6, seed=9)
    kept = a.clone(), b.clone()
    grid(torch.stack([a, b, b, a], 1), 4)
    assert torch.equal(a, kept[0])
    assert torch.equal(b, kept[1])
