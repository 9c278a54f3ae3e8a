"""The next order: what it may not hold, and what is said of the rounds before."""

from __future__ import annotations

import numpy as np
import pytest

from seqdesign.constraints.options import LetterRules
from seqdesign.design.proposal import Feasible, ProposalSummary, Proposed, propose_round
from seqdesign.errors import InputError
from seqdesign.sequences.alphabets import get_alphabet

DNA = get_alphabet("dna")
RNG = np.random.default_rng(3)
TEXTS = list(dict.fromkeys("".join(RNG.choice(list("ACGT"), 6)) for _ in range(80)))


def worth(texts: list[str]) -> np.ndarray:
    return np.array([text.count("G") - 0.5 * text.count("T") for text in texts])


def rounds(*parts: list[str]) -> list[tuple[list[str], np.ndarray]]:
    return [(part, worth(part)) for part in parts]


def test_nothing_measured_or_excluded_is_proposed_and_rules_are_obeyed() -> None:
    excluded = ["GGAGGA", "GGCGGA"]
    found, summary = propose_round(
        rounds(TEXTS[:30], TEXTS[30:60]),
        DNA,
        12,
        exclude=excluded,
        rules=LetterRules(max_homopolymer="2"),
        min_distance=2,
    )
    batch = [one.sequence for one in found]
    assert len(set(batch)) == 12
    assert not set(batch) & {*TEXTS[:60], *excluded}
    assert not any("GGG" in text for text in batch)
    assert [one.id for one in found[:2]] == ["r3_1", "r3_2"]
    assert worth(batch).mean() > worth(TEXTS).mean() + 1
    one = found[0]
    assert one.predicted_low < one.predicted_mean < one.predicted_high
    assert one.measured_nearest == worth([one.nearest])[0]
    assert one.distance == sum(a != b for a, b in zip(one.sequence, one.nearest, strict=True))
    assert summary.rounds == (30, 30)
    assert summary.last is not None
    assert summary.last.num == 30
    assert any("rank correlation" in line for line in summary.lines())


def test_lower_is_better_turns_everything_round() -> None:
    parts = rounds(TEXTS[:20], TEXTS[20:40])
    up, raised = propose_round(parts, DNA, 5, candidates=TEXTS)
    turned = [(texts, -values) for texts, values in parts]
    down, summary = propose_round(turned, DNA, 5, candidates=TEXTS, minimize=True)
    assert [one.sequence for one in up] == [one.sequence for one in down]
    assert [one.predicted_low for one in down] == pytest.approx([-one.predicted_high for one in up])
    assert summary.best == -worth(TEXTS[:40]).max()
    assert summary.last is not None
    assert raised.last is not None
    for one, other in zip(summary.last.points, raised.last.points, strict=True):
        assert (one.measured, one.predicted) == pytest.approx((-other.measured, -other.predicted))
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


def test_repeats_are_averaged_and_unmeasured_rows_are_open_again() -> None:
    texts = [*TEXTS[:20], TEXTS[0], TEXTS[70]]
    values = np.array([*worth(TEXTS[:20]), 9.0, np.nan])
    found, summary = propose_round([(texts, values)], DNA, 3, candidates=[*TEXTS[:20], TEXTS[70]])
    assert [one.sequence for one in found] == [TEXTS[70]]
    assert (summary.rounds, summary.missing, summary.pool) == ((20,), 2, 1)
    assert "fewer than asked for" in summary.warnings[-1]
    assert summary.last is None


def test_too_little_is_said() -> None:
    with pytest.raises(InputError, match="too few to learn from"):
        propose_round(rounds(TEXTS[:5]), DNA, 3)
    with pytest.raises(InputError, match="no candidate is new"):
        propose_round(rounds(TEXTS[:20]), DNA, 3, candidates=TEXTS[:20])


def test_rules_of_each_length_are_checked() -> None:
    assert Feasible(LetterRules(forbid=("GAT",)), DNA)(["GATC", "AC", "ATCA"]) == [False, True, False]
    row = propose_round(rounds(TEXTS[:20]), DNA, 1)[0][0].row()
    assert row.keys() == Proposed.__dataclass_fields__.keys() - {"variant"}
    assert ProposalSummary.__doc__


@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_predicted_beyond_all_rows_is_no_promise(sign: int) -> None:
    low = [text for text in TEXTS if worth([text])[0] <= 1.5]
    parts = [(low, sign * worth(low))]
    minimize = sign < 0
    found, summary = propose_round(parts, DNA, 6, minimize=minimize)
    best = max(worth(low))
    sure = [one for one in found if one.better > 0.975]
    assert all(min(sign * one.predicted_low, sign * one.predicted_high) <= best for one in found)
    assert summary.beyond == len(sure) > 0
    gains = [sign * one.predicted_mean - best for one in sure]
    assert summary.beyond_by == pytest.approx(np.mean(gains))
    assert f"{len(sure)} of 6 are predicted far beyond everything measured" in summary.warnings[-1]
    assert summary.lines()[-1].endswith("if what was learned goes on beyond what was measured")
    inside = propose_round(
        parts, DNA, 3, candidates=[*low[:5], "TTTTTA", "TTTTAT", "TTTATT"], minimize=minimize
    )
    assert (inside[1].beyond, inside[1].warnings) == (0, ())
