"""The archive keeps what a sort over everything would keep."""

from __future__ import annotations

import pytest
import torch

from seqdesign.designers.archive import Archive


@pytest.mark.parametrize(("capacity", "batch"), [(3, 5), (10, 40), (1, 1)])
def test_archive_holds_the_best_distinct_sequences_of_each_group(capacity: int, batch: int) -> None:
    rng = torch.Generator().manual_seed(capacity)
    groups = torch.tensor([0, 0, 1, 2])
    tokens = torch.randint(3, (600, 4), generator=rng)
    value = torch.rand(3**4, generator=rng)
    scores = value[(tokens * torch.tensor([27, 9, 3, 1])).sum(1)]
    rows = torch.randint(3, (600,), generator=rng)  # nothing is ever told of the group of start 3
    archive = Archive(capacity, groups)
    for part in range(0, 600, batch):
        archive.add(tokens[part : part + batch], scores[part : part + batch], rows[part : part + batch])
    found, found_scores, found_groups = archive.best()
    expected = []
    for group in (0, 1):
        mine = {
            tuple(t): float(s)
            for t, s, r in zip(tokens.tolist(), scores, rows.tolist(), strict=True)
            if int(groups[r]) == group
        }
        expected += [(group, s) for s in sorted(mine.values(), reverse=True)[:capacity]]
    assert found_groups.tolist() == [group for group, _ in expected]
    assert found_scores.tolist() == [score for _, score in expected]
    assert len({(int(g), *t) for g, t in zip(found_groups, found.tolist(), strict=True)}) == len(found)


def test_an_archive_that_was_told_nothing_is_empty() -> None:
    tokens, scores, groups = Archive(5, torch.zeros(2, dtype=torch.long)).best()
    assert (len(tokens), len(scores), len(groups)) == (0, 0, 0)
