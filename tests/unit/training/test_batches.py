"""How a pass is cut into batches."""

from __future__ import annotations

import torch

from seqdesign.training.data import TokenData


def data(lengths: list[int]) -> TokenData:
    n = len(lengths)
    tokens = torch.zeros(n, max(lengths), dtype=torch.uint8)
    return TokenData(tokens, torch.tensor(lengths), torch.zeros(n))


def test_every_row_is_in_exactly_one_batch_and_batches_have_nearly_one_size() -> None:
    for lengths in ([5] * 103, [3 + i % 50 for i in range(103)]):
        order = torch.randperm(103, generator=torch.Generator().manual_seed(1))
        batches = data(lengths).batches(order, 11, torch.Generator().manual_seed(2))
        assert len(batches) == 11
        assert sorted(torch.cat(list(batches)).tolist()) == list(range(103))
        assert max(map(len, batches)) <= 10


def test_rows_of_similar_length_share_a_batch() -> None:
    lengths = [5 + (i * 37) % 170 for i in range(640)]
    rows = data(lengths)
    order = torch.randperm(640, generator=torch.Generator().manual_seed(1))
    padded = sum(
        int(rows.lengths[batch].max()) * len(batch) for batch in rows.batches(order, 20, torch.Generator())
    )
    plain = sum(int(rows.lengths[batch].max()) * len(batch) for batch in order.tensor_split(20))
    assert padded < 1.15 * sum(lengths)
    assert plain > 1.6 * sum(lengths)


def test_rows_of_one_length_keep_the_order_given() -> None:
    order = torch.randperm(30, generator=torch.Generator().manual_seed(1))
    assert torch.equal(torch.cat(list(data([4] * 30).batches(order, 4, torch.Generator()))), order)


def test_every_process_finds_a_row_in_every_batch() -> None:
    """Sizes differ by one at most, so a batch has a row for each of n // num processes."""
    for n in (20, 43, 100):
        for num in range(1, n + 1):
            batches = data([1 + i % 7 for i in range(n)]).batches(torch.arange(n), num, torch.Generator())
            sizes = [len(batch) for batch in batches]
            assert (len(sizes), min(sizes), sum(sizes)) == (num, n // num, n)
            assert max(sizes) - min(sizes) <= 1
