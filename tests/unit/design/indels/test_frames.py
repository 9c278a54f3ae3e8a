"""Insertions and deletions for designers that only substitute."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import seqdesign as sd
from seqdesign import rules
from seqdesign.constraints.options import ConstraintOptions
from seqdesign.design.indels.frames import Frame, fixed_places, moved_rules
from seqdesign.errors import UsageError
from seqdesign.metrics.edits import apply_edits, edit_list, levenshtein

LETTERS = "ACGT"
START = "ACGTTGCAAGCTTACGGATC"


def like(target: str) -> Any:
    """Scores (N, 1): minus the edits to a target; an oracle of sequences of any length."""

    def score(x: Tensor) -> Tensor:
        texts = ["".join(LETTERS[i] for i in row) for row in x.argmax(1).tolist()]
        return torch.tensor([[-float(levenshtein(text, target))] for text in texts])

    return score


def indels(edits: str) -> int:
    return sum(edit.startswith(("del", "ins")) for edit in edits.split(",") if edit)


@pytest.mark.parametrize("method", ["evolution", "greedy", "annealing", "adalead", "ada-beam"])
def test_all_methods_reach_what_only_indels_reach(method: str) -> None:
    target = START[:5] + "GG" + START[5:14] + START[15:]
    found = sd.maximize(
        like(target), start=[START], num=1, indels=3, rules=[rules.max_edits(3)], method=method, budget=60
    )
    assert found[0].sequence == target
    assert found[0].edit_list == ",".join(edit_list(START, target))
    assert found[0].original == START


def test_no_more_letters_come_and_go_than_are_permitted_nor_other_lengths() -> None:
    target = START[3:] + "TTT"
    for options, most, lengths in (
        ({"indels": 2}, 2, range(18, 23)),
        ({"indels": 4, "lengths": "19-20"}, 4, range(19, 21)),
        ({"indels": 3, "lengths": "19"}, 3, range(19, 20)),
    ):
        found = sd.maximize(like(target), start=[START], num=6, budget=60, method="evolution", **options)
        assert len({one.sequence for one in found}) == 6
        for one in found:
            assert len(one.sequence) in lengths
            assert indels(one.edit_list) <= most
            assert apply_edits(START, one.edit_list.split(",") if one.edit_list else []) == one.sequence


def test_rules_move_with_the_letters() -> None:
    target = "TT" + START[:8] + START[10:]
    held = [
        rules.keep((5, 8)),
        rules.allow({12: "T", 15: "AG"}),
        rules.max_homopolymer(3),
        rules.max_edits(5),
    ]
    found = sd.maximize(
        like(target), start=[START], num=4, indels=4, rules=held, budget=60, method="evolution"
    )
    for one in found:
        assert START[4:8] in one.sequence
        assert levenshtein(START, one.sequence) <= 5
        assert not any(4 * letter in one.sequence for letter in LETTERS)
        assert any(one.sequence[i:].startswith("T") for i in range(9, 14))  # what stood at 12


def test_kept_neighbours_are_not_parted_and_flanks_see_no_site() -> None:
    target = START[:6] + "A" + START[6:]
    whole = sd.maximize(
        like(target), start=[START], num=1, indels=1, rules=[rules.keep((1, 20))], budget=40, method="greedy"
    )
    assert whole[0].sequence in (START, "A" + START, START + "A") or START in whole[0].sequence
    found = sd.maximize(
        like("AATTC" + START), start=[START], num=3, indels=5, budget=60, method="evolution",
        rules=[rules.left("TTG"), rules.forbid("GAATTC")],
    )  # fmt: skip
    assert not any("GAATTC" in "TTG" + one.sequence for one in found)


def test_rules_in_the_numbers_of_a_frame() -> None:
    stated = ConstraintOptions(keep="12-14,18", allow="15:AG,20:C", max_edits=4)
    frame = Frame("x" * 11, (0, 1, -1, 2, 3, 4, 6, 7, 8, 9, 10), 2)  # one letter came, number 15 went
    moved = moved_rules(stated, frame, 10)
    assert moved.keep == "13-15,18"
    assert moved.allow == "20:C"
    assert moved.max_edits == 2
    fixed = fixed_places(stated, 11, 10)
    assert fixed.kept == {2, 3, 4, 8}
    assert fixed.named == {5, 10}


def test_wrong_wishes_are_refused() -> None:
    for options, message in (
        ({"indels": 1}, "refers to"),
        ({"indels": 1, "start": [START], "rules": [rules.translate(1, 18)]}, "fixed places"),
        ({"indels": 1, "start": [START], "lengths": "9-5"}, "fewest and most letters"),
        ({"indels": 1, "start": [START], "lengths": "40-50"}, "takes only designs"),
    ):
        with pytest.raises(UsageError, match=message):
            sd.maximize(like(START), **{"length": 20, "budget": 20, **options})
    texts = [START[:i] + letter + START[i + 1 :] for i in range(20) for letter in "ACG"]
    model = sd.train_predictor(texts, [*range(60)], architecture="ridge", strands="one", members=2)
    with pytest.raises(UsageError, match="several lengths"):
        sd.maximize(model, start=[START], indels=2)


def test_frames_longer_than_the_model_reads_are_not_asked_about() -> None:
    """The start has the most letters that training had, and networks that read windows take no more."""
    texts = [START[: 20 - i] for i in range(3)]
    texts += [t[:k] + c + t[k + 1 :] for t in texts[:] for k in range(0, 18, 2) for c in "ACGT" if c != t[k]]
    outcomes = [float(text.count("G")) for text in texts]
    options = {"architecture": "motif", "epochs": 1, "members": 2, "strands": "one"}
    model = sd.train_predictor(texts, outcomes, **options)
    found = sd.maximize(model, start=[START], num=2, indels=2, budget=60, tries=1, letters="any")
    assert {len(design.sequence) for design in found} <= {18, 19, 20}
