"""What holds designs near what was learned from."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from seqdesign.design.evidence import Evidence
from seqdesign.design.model import DesignModel
from seqdesign.design.usual import (
    HELD,
    STEEP,
    Counting,
    Excess,
    Pull,
    count_on,
    counting,
    made_rare,
    pull,
    strange,
)
from seqdesign.judging.ends import Ends
from seqdesign.metrics.novelty_model import fit_novelty
from seqdesign.models.predictor.store import Reference
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import TokenArray, one_hot
from seqdesign.tasks.by_name import get_task
from seqdesign.training.measured import Measured

DNA = get_alphabet("dna")
LENGTH = 24


def _rows(seed: int, count: int) -> np.ndarray:
    """Sequences (n, L) in which C stands only behind A."""
    rng = np.random.default_rng(seed)
    tokens = rng.choice([0, 2, 3], size=(count, LENGTH)).astype(np.uint8)
    behind = np.zeros_like(tokens, dtype=bool)
    behind[:, 1:] = (tokens[:, :-1] == 0) & (rng.random((count, LENGTH - 1)) < 0.8)
    tokens[behind] = 1
    return tokens


def _excess(*, positional: bool) -> tuple[Excess, Reference, Evidence]:
    tokens, fresh = _rows(0, 400), _rows(1, 200)
    lengths = np.full(len(tokens), LENGTH, dtype=np.int64)
    novelty = fit_novelty(tokens, lengths, 4, positional=positional)
    percentiles = np.percentile(novelty.nats(fresh, lengths[:200]), np.arange(101))
    array = TokenArray(tokens, lengths, DNA, np.arange(len(tokens)))
    measured = Measured.of(array, None, np.arange(0))
    evidence = Evidence(measured, DNA, positional=positional)
    reference = Reference(tokens, lengths, novelty, percentiles)
    assert evidence.pairs is not None
    return Excess(reference, evidence.usual_letters, evidence.pairs), reference, evidence


@pytest.mark.parametrize("positional", [True, False])
def test_what_it_holds_is_never_unusual_and_what_is_unusual_is_held(positional: bool) -> None:
    excess, reference, evidence = _excess(positional=positional)
    rng = np.random.default_rng(2)
    alike, strange = _rows(3, 100), rng.integers(0, 4, (100, LENGTH)).astype(np.uint8)
    strange[:10] = 1
    both = np.concatenate([alike, strange])
    found = excess(one_hot(torch.from_numpy(both.astype(np.int64)), DNA)).numpy()
    texts = ["".join(DNA.letters[i] for i in row) for row in both]
    unusual = reference.far(both, np.full(len(both), LENGTH)) | evidence.unlike(texts)
    assert (found[:100] == 0).mean() > 0.9  # two limits of 99%, of which samples know little
    assert unusual[100:].any()
    assert (found[unusual] > 0).all()


@pytest.mark.parametrize("positional", [True, False])
def test_slope_is_what_a_change_of_one_letter_costs(positional: bool) -> None:
    excess, reference, _ = _excess(positional=positional)
    tokens = np.random.default_rng(4).integers(0, 4, (5, LENGTH)).astype(np.uint8)
    x = one_hot(torch.from_numpy(tokens.astype(np.int64)), DNA).requires_grad_(True)
    excess._tensors[2:] = [torch.full((4,), 1e12)]  # composition and pairs have slopes of their own
    (slope,) = torch.autograd.grad(excess(x).sum(), x)
    typical, most = reference.spread
    lengths = np.full(1, LENGTH)
    for row in range(5):
        before = reference.novelty.nats(tokens[row : row + 1], lengths)[0]
        for place in (0, 1, 11, LENGTH - 1):
            for letter in range(4):
                changed = tokens[row : row + 1].copy()
                changed[0, place] = letter
                cost = (reference.novelty.nats(changed, lengths)[0] - before) / (most - typical)
                told = slope[row, letter, place] - slope[row, tokens[row, place], place]
                assert float(told) == pytest.approx(cost, abs=1e-3)


def test_a_start_may_stay_as_far_outside_as_it_is() -> None:
    excess, _, _ = _excess(positional=True)
    x = one_hot(torch.ones(1, LENGTH, dtype=torch.long), DNA)
    key = torch.zeros(1, dtype=torch.long)
    beyond = float(excess(x))
    assert beyond > HELD
    assert float(Pull(excess, 0.5)(x, key)) == pytest.approx(STEEP * 0.5 * beyond)
    assert float(Pull(excess, 0.5, excess(x))(x, key)) == 0


class _Noise:
    """Starts without parents."""

    compared = None

    def __init__(self, tokens: np.ndarray) -> None:
        self.tokens = torch.from_numpy(tokens.astype(np.int64))


class _CountOfG:
    """An oracle."""

    alphabet, outcomes, differentiable = DNA, ("outcome",), True

    def __call__(self, x: torch.Tensor, /) -> torch.Tensor:
        return x[:, 2].sum(1)[None, :, None]


class _Record:
    """Of a regression."""

    head, classes, outcome_scale, strands = get_task("regression"), (), (1.0,), "one"


@pytest.mark.parametrize("held_out", [4, 5])
def test_what_is_typical_needs_some_rows_that_were_held_out(held_out: int) -> None:
    _, reference, evidence = _excess(positional=True)
    measured = replace(evidence.measured, held_out=np.arange(400) < held_out)
    evidence = Evidence(measured, DNA, positional=True)
    model = DesignModel("G", _CountOfG(), torch.device("cpu"), reference=reference, evidence=evidence)
    assert (pull(model, ["max"], "mean", _Noise(_rows(5, 30))) is not None) == (held_out == 5)
    assert pull(model, ["max"], "mean", _Noise(np.ones((30, LENGTH)))) is None  # nothing to gain anywhere


def test_what_is_typical_is_predicted_once() -> None:
    _, reference, evidence = _excess(positional=True)
    evidence = Evidence(replace(evidence.measured, held_out=np.arange(400) < 50), DNA, positional=True)
    model = DesignModel("G", _CountOfG(), torch.device("cpu"), reference=reference, evidence=evidence)
    asked = []

    def score_tokens(tokens: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        asked.append(len(tokens))
        return (tokens == 2).sum(1).float()[None, :, None]

    model.trained = SimpleNamespace(  # type: ignore[assignment]
        model=SimpleNamespace(score_tokens=score_tokens), record=_Record()
    )
    noise = _Noise(_rows(5, 30))
    assert pull(model, ["max"], "mean", noise) is not None
    assert float(model.before(noise, torch.zeros(1, dtype=torch.long))) == pytest.approx(
        (reference.tokens == 2).sum(1).mean(), rel=1e-6
    )
    counting(model, model.composite(["max"], "mean"), noise)
    assert asked == [400]


def test_pairs_are_held_where_letters_are_as_usual() -> None:
    rows = np.random.default_rng(0).integers(0, 4, (300, LENGTH)).astype(np.uint8)
    lengths = np.full(300, LENGTH, dtype=np.int64)
    measured = Measured.of(TokenArray(rows, lengths, DNA, np.arange(300)), None, np.arange(0))
    evidence = Evidence(measured, DNA, positional=False)
    assert evidence.pairs is not None
    assert evidence.pairs[1][1] == max("".join("ACGT"[i] for i in row).count("AC") for row in rows) / 23
    reference = Reference(rows, lengths, fit_novelty(rows, lengths, 4, positional=False), np.arange(101.0))
    letters = Excess(reference, evidence.usual_letters)
    both = Excess(reference, evidence.usual_letters, evidence.pairs)
    x = one_hot(torch.tensor([[0, 1] * 7 + [2, 3] * 5, [0, 1, 1, 3, 2, 0, 3, 2, 2, 1, 0, 3] * 2]), DNA)
    assert letters(x).tolist() == [0, 0]
    assert (both(x) > 0).tolist() == [True, False]
    few = replace(measured, held_out=np.arange(300) > 4)
    assert Evidence(few, DNA, positional=False).pairs is None  # ten of each pair were not seen


class _Judges:
    """That have passed the test of going beyond the rows upwards."""

    tested = torch.tensor([[False], [True]])
    typical = torch.zeros(1, dtype=torch.float64)
    measured = SimpleNamespace(values=np.array([[0.0], [1.0]]))


@pytest.mark.parametrize(("objective", "held"), [("max", 3), ("min", 5)])
def test_pairs_are_free_where_judges_can_go_beyond_the_rows(
    objective: str, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, reference, evidence = _excess(positional=True)
    evidence = Evidence(replace(evidence.measured, held_out=np.arange(400) < 50), DNA, positional=True)
    model = DesignModel("G", _CountOfG(), torch.device("cpu"), reference=reference, evidence=evidence)
    monkeypatch.setattr(model, "panel", lambda length: _Judges())
    found = pull(model, [objective], "mean", _Noise(_rows(5, 30)))
    assert found is not None
    assert len(found.excess._tensors) == held


def test_what_leaving_out_better_rows_made_rare_may_be_written() -> None:
    nats = np.arange(20.0)
    assert made_rare(nats, torch.arange(20.0))
    assert not made_rare(nats, -torch.arange(20.0))
    assert not made_rare(nats, torch.ones(20))  # nothing is better
    _, reference, evidence = _excess(positional=True)
    strange = one_hot(torch.from_numpy(_rows(6, 3).astype(np.int64)).flip(1), DNA)  # C in front of A
    held, free = (
        Excess(reference, evidence.usual_letters, counting=Counting(likelihood=likely))
        for likely in (True, False)
    )
    assert (held(strange) > 0).all()
    assert (free(strange) == 0).all()


def test_letters_that_leaving_out_better_rows_made_rare_may_be_written() -> None:
    _, reference, evidence = _excess(positional=True)
    usual = evidence.usual_letters
    rows = reference.some(500)
    nats, far = reference.novelty.nats(*rows), usual.distance(*rows)
    shared = np.cov(nats, far)
    better_far = torch.from_numpy(far - shared[0, 1] / shared[0, 0] * 1.01 * nats)
    better_unlikely = torch.from_numpy(nats - shared[0, 1] / shared[1, 1] * 1.01 * far)
    assert count_on(reference, usual, *rows, better_far) == (True, False)
    assert count_on(reference, usual, *rows, better_unlikely) == (False, True)
    assert count_on(reference, None, *rows, torch.from_numpy(-nats)) == (True, True)
    strange = one_hot(torch.ones(3, LENGTH, dtype=torch.long), DNA)
    held, free = (
        Excess(reference, usual, counting=Counting(likelihood=False, composition=counts))
        for counts in (True, False)
    )
    assert (held(strange) > 0).all()
    assert (free(strange) == 0).all()


@pytest.mark.parametrize(("high", "free"), [(20.0, True), (None, False)])
def test_where_better_rows_were_left_out_the_rare_ones_say_why(
    high: float | None, free: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows with few G are rare, and have been left out among the better ones."""
    _, reference, evidence = _excess(positional=True)
    evidence = Evidence(replace(evidence.measured, held_out=np.arange(400) < 50), DNA, positional=True)
    model = DesignModel("G", _CountOfG(), torch.device("cpu"), reference=reference, evidence=evidence)
    monkeypatch.setattr(model, "composite", lambda *_: lambda outcomes, rows: outcomes[0, :, 0])
    monkeypatch.setattr(model, "may_go_on", lambda *_: False)
    monkeypatch.setattr(model, "trained", object())
    scores = torch.from_numpy(reference.novelty.nats(*reference.some(500)))
    monkeypatch.setattr(model, "typical", lambda starts: scores[None, :, None])
    monkeypatch.setattr(model, "panel", lambda length: SimpleNamespace(ends=[Ends(high, None)]))
    monkeypatch.setattr(model, "better_ends", lambda *_: [(0, True)])
    noise = _Noise(_rows(5, 30))
    found = pull(model, ["max"], "mean", noise)
    assert found is not None
    assert found.excess.counting.likelihood != free
    # What designers may write for that reason is not called unusual for it either.
    far, _ = strange(model, ["C" * LENGTH], counting(model, model.composite(["max"], "mean"), noise))
    assert far.tolist() == [not free]
