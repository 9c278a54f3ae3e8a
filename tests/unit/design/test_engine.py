"""Which of the sequences that designers have found become designs."""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from seqdesign.design.engine import Campaign, Found, choose
from seqdesign.sequences.alphabets import get_alphabet

TOKENS = torch.tensor([[0, 0, 0, 0], [1, 1, 1, 1], [2, 2, 2, 2], [3, 3, 3, 3]])


def chosen(judge: Any, scores: tuple[float, ...] = (4.0, 3.0, 2.0, 1.0)) -> tuple[list[int], list[float]]:
    """First letters and scores of two designs, chosen of what came of two starts and two spare sequences."""
    plan = Campaign(
        oracle=SimpleNamespace(alphabet=get_alphabet("dna")), composite=None, members=(0,), designer=None,
        options=None, seed=0, budget=1, enough=None, num=2, min_distance=1, strict=False,
        both_strands=False, judge=judge,
    )  # type: ignore[arg-type]  # fmt: skip
    score = torch.tensor(scores, dtype=torch.float64)
    found = Found(TOKENS[:2], score[:2], score[:2], TOKENS[2:], score[2:], torch.zeros(2).long(), {}, 4)
    result = choose(plan, TOKENS[:2], torch.zeros(2).long(), [found])
    return result.tokens[:, 0].tolist(), result.score.tolist()


def test_without_judges_the_scores_of_designers_choose() -> None:
    assert chosen(None) == ([0, 1], [4.0, 3.0])


def test_judges_choose_among_all_that_was_found() -> None:
    def judge(tokens: Tensor, rows: Tensor) -> Tensor:
        assert rows.tolist() == [0] * len(tokens)
        return tokens[:, 0].double().masked_fill(tokens[:, 0] == 2, torch.nan)

    assert chosen(judge) == ([3, 1], [1.0, 3.0])  # what nobody can judge comes last


def test_what_has_no_score_is_not_chosen_by_judges_either() -> None:
    found, _ = chosen(lambda tokens, rows: tokens[:, 0].double(), (4.0, 3.0, 2.0, -torch.inf))
    assert found == [2, 1]
