"""Threads are one, or as many as large operations keep busy; never more than there may be."""

from __future__ import annotations

import pytest
import torch

from seqdesign.devices import threads
from seqdesign.devices.threads import available, suited_threads, threads_of


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Eight cores, whose threads sleep while they wait; what torch is told."""
    told = [torch.get_num_threads()]
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads, "cores", lambda: 8)
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    monkeypatch.setattr(torch, "get_num_threads", lambda: told[-1])
    return told


def chosen(machine: list[int], size: int, asked: int | None = None) -> int:
    """Threads for products of two matrices with so many rows and columns."""
    x = torch.ones(size, size)
    with threads_of(asked), suited_threads(lambda: x @ x):
        return machine[-1]


def test_large_operations_get_threads_and_small_ones_one(machine: list[int]) -> None:
    """2 x 100^3 and 2 x 200^3 are 2 and 16 million."""
    assert [chosen(machine, size) for size in (10, 99, 100, 130, 200)] == [1, 1, 1, 2, 8]
    assert machine[-1] == machine[0]


def test_convolutions_and_their_gradients_count(machine: list[int]) -> None:
    """4 filters of 5 letters in 10 channels at 100 places of 200 rows: 8 million, and 8 for the slope."""
    x, weight = torch.ones(200, 10, 100), torch.ones(4, 10, 5, requires_grad=True)

    def work() -> None:
        torch.autograd.grad(torch.conv1d(x, weight, padding=2), weight, torch.ones(200, 4, 100))

    with threads._Sizes() as found:
        work()
    assert found.flops == 16_000_000
    with threads_of(None), suited_threads(work):
        assert machine[-1] == 16 // 2 // found.operations


def test_who_asks_for_threads_gets_them_and_nothing_is_tried(machine: list[int]) -> None:
    def fail() -> None:
        raise AssertionError("the work was tried")

    with threads_of(3) as number, suited_threads(fail):
        assert number == machine[-1] == 3
    with suited_threads(fail):
        assert machine[-1] == machine[0]


@pytest.mark.parametrize(
    ("policy", "limit", "expected"),
    [
        ("PASSIVE", "", 8), ("passive", "3", 3), ("passive", "4,2", 4), ("passive", "0", 8),
        ("passive", "many", 8), ("ACTIVE", "", 1), ("", "4", 1),
    ],
)  # fmt: skip
def test_threads_that_spin_are_left_alone(
    machine: list[int], monkeypatch: pytest.MonkeyPatch, policy: str, limit: str, expected: int
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", policy)
    monkeypatch.setenv("OMP_NUM_THREADS", limit)
    assert available() == expected
