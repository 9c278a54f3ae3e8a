"""Kinds of predictor: what they read, how they are solved and chosen, and nothing is made of no evidence."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from seqdesign.ensembles import ridge
from seqdesign.ensembles.descriptors import letter_descriptors
from seqdesign.ensembles.features import (
    Codons,
    Pairs,
    common_pairs,
    word_counts,
    word_shapes,
)
from seqdesign.ensembles.options import PredictorOptions
from seqdesign.ensembles.reader import Basis
from seqdesign.errors import InputError
from seqdesign.models.predictor import choice
from seqdesign.models.predictor import learn as learning
from seqdesign.models.predictor.choice import _near
from seqdesign.models.predictor.fit import PredictorTraining, train_sequence_predictor
from seqdesign.models.predictor.known import Known
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.models.predictor.predictions import member_scores, predict_outcomes
from seqdesign.models.predictor.store import load_predictor, save_predictor
from seqdesign.sequences.alphabets import Alphabet, get_alphabet
from seqdesign.sequences.encoders import encode, one_hot
from seqdesign.tasks.by_name import get_task
from seqdesign.training.config import FitOptions

DNA, PROTEIN = get_alphabet("dna"), get_alphabet("protein")
CPU = torch.device("cpu")
PLACED = ("ridge", "pairs", "kernel", "residual", "motif", "killoran")
"""Kinds that may read sequences of one length on one strand."""


def random_texts(n: int, length: int, letters: str = "ACGT", seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(row) for row in rng.choice(list(letters), size=(n, length))]


def learn(
    fabric: Fabric, texts: list[str], values: Any, alphabet: Alphabet = DNA, **options: Any
) -> PredictorTraining:
    y = np.asarray(values, dtype=np.float64).reshape(len(texts), -1)
    outcomes = Outcomes(("y",), options.pop("task", "regression"), y, np.ones(len(texts)))
    small = {"hidden": 8, "channels": 4, "width": 3, "strands": "one"}
    split = options.pop("split", "random")
    return train_sequence_predictor(
        encode(texts, alphabet), outcomes, options=PredictorOptions(**(small | options)),
        fit_options=FitOptions(epochs=2, batch_size=32, split=split), seed=0, fabric=fabric,
    )  # fmt: skip


def predicted(
    result: PredictorTraining, texts: list[str]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Means (N,) and half widths of the 95% intervals (N,)."""
    alphabet = result.trained.record.alphabet
    array = encode(texts, alphabet)
    found = predict_outcomes(result.trained, array.tokens, array.lengths)
    assert found.half_widths is not None
    return found.mean[:, 0], found.half_widths[:, 0, -1]


@pytest.mark.parametrize("rows", [60, 20])
def test_all_ways_to_solve_a_ridge_agree(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(rows, 40, generator=rng)
    y = x[:, :2] @ torch.tensor([[1.0, 0.5], [-1.0, 2.0]]) + torch.randn(rows, 2, generator=rng)
    judge = (torch.arange(rows)[:, None] % 3 == torch.arange(3)).float()
    exact = ridge.ridge_start(x, y, 1 - judge, judge, task=get_task("regression"))
    monkeypatch.setattr(ridge, "SMALL_EIGEN", 0)
    factored = ridge.ridge_start(x, y, 1 - judge, judge, task=get_task("regression"))
    monkeypatch.setattr(ridge, "EXACT", 0)
    monkeypatch.setattr(ridge, "TOLERANCE", 1e-6)
    stepped = ridge.ridge_start(x, y, 1 - judge, judge, task=get_task("regression"))
    for one, other, third in zip(exact, factored, stepped, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)
        torch.testing.assert_close(one, third, atol=5e-3, rtol=1e-2)


def test_words_are_counted_as_in_the_text() -> None:
    texts = ["GATAGATA", "ACGTACGT", "GGGGGGGG"]
    shapes = word_shapes(4, 8)
    counts = word_counts(one_hot(torch.from_numpy(encode(texts, DNA).tokens.astype(np.int64)), DNA), shapes)
    column = 0
    for word in shapes:
        block = counts[:, column : column + 4 ** len(word)]
        for i, text in enumerate(texts):
            expected = torch.zeros(4 ** len(word))
            for start in range(8 - word[-1]):
                code = 0
                for place in word:
                    code = 4 * code + "ACGT".index(text[start + place])
                expected[code] += 1
            assert torch.equal(block[i], expected)
        column += 4 ** len(word)
    assert column == counts.shape[1]


def test_pairs_are_those_that_several_sequences_have() -> None:
    texts = ["AAA"] * 5 + ["CCA"] * 2 + ["CAG"]
    x = one_hot(torch.from_numpy(encode(texts, DNA).tokens.astype(np.int64)), DNA)
    pairs = common_pairs(x)
    assert pairs is not None
    assert pairs.tolist() == [[1 * 3 + 0, 1 * 3 + 1]]  # C at 1 with C at 2, twice; C with G is there once
    (found,) = Pairs(Basis(alphabet=DNA, max_length=3, pairs=pairs))(x, x.any(1))
    assert found[:, 0].tolist() == [0] * 5 + [1, 1, 0]


@pytest.mark.parametrize("kind", PLACED)
def test_a_letter_that_training_never_has_there_changes_nothing_and_widens(fabric: Fabric, kind: str) -> None:
    texts = [f"A{text}GC" for text in random_texts(150, 4)]
    y = [text.count("A") - 2.0 * (text[2:4] == "CG") for text in texts]
    result = learn(fabric, texts, y, architecture=kind, members=2)
    parents = texts[:20]
    strange = [f"T{text[1:6]}A" for text in parents]
    (mean, half), (new, wide) = predicted(result, parents), predicted(result, strange)
    np.testing.assert_allclose(new, mean, atol=1e-5)
    assert (wide > half).all()
    evidence = result.trained.model.evidence
    assert evidence.shape == (7, 4)
    train = [texts[i] for i in result.train]
    assert evidence[2].tolist() == [sum(t[2] == letter for t in train) for letter in "ACGT"]


def test_where_lengths_vary_the_evidence_counts_words(fabric: Fabric) -> None:
    texts = [t[: 5 + i % 3] for i, t in enumerate(random_texts(120, 7, "ACG"))]
    result = learn(fabric, texts, [t.count("A") for t in texts], architecture="words", members=2)
    model = result.trained.model
    train = [texts[i] for i in result.train]
    assert model.evidence.shape == (4,) * 6
    assert int(model.evidence.sum()) == sum(len({t[i : i + 6] for i in range(len(t) - 5)}) for t in train)
    (mean, _), (new, _) = predicted(result, ["ACGAC", "TCGAC"]), predicted(result, ["ACGAC", "TCGAC"])
    assert np.isfinite(mean).all()
    assert np.array_equal(mean, new)


@pytest.mark.parametrize("kind", ["ridge", "pairs", "words", "kernel"])
def test_closed_forms_have_gradients_and_are_read_back(fabric: Fabric, kind: str, tmp_path: Path) -> None:
    texts = random_texts(120, 6)
    y = [text.count("A") + 1.5 * (text[1] == text[4]) for text in texts]
    result = learn(fabric, texts, y, architecture=kind, members=3)
    model = result.trained.model
    assert result.fit.stop_reason == "closed form"
    x = one_hot(torch.from_numpy(encode(texts[:4], DNA).tokens.astype(np.int64)), DNA)
    soft = (0.7 * x + 0.3 * torch.rand(x.shape, generator=torch.Generator().manual_seed(0))).requires_grad_()
    (slope,) = torch.autograd.grad(model(soft).sum(), soft)
    step = 1e-2 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        change = (model(soft + step) - model(soft - step)).sum() / 2
    torch.testing.assert_close(change, (slope * step).sum(), rtol=0.02, atol=2e-3)
    assert (model(x).std(0) > 0).any()
    save_predictor(tmp_path, model, result.trained.record, result.reference)
    loaded = load_predictor(tmp_path, CPU)
    assert loaded.record == result.trained.record
    assert torch.equal(loaded.model(x), model(x))
    assert torch.equal(loaded.model.evidence, model.evidence)


def test_what_substitutions_do_carries_over_to_letters_and_places_that_were_not_tried(fabric: Fabric) -> None:
    """All effects are changes of hydropathy: a kernel of letters finds it, letters by themselves cannot."""
    hydropathy = letter_descriptors(PROTEIN)[:, 0].tolist()
    parent = "MKTAYIAKQR"
    places = [(i, letter) for i in range(10) for letter in PROTEIN.letters if letter != parent[i]]
    texts = [parent[:i] + letter + parent[i + 1 :] for i, letter in places]
    rng = np.random.default_rng(0)
    value = {letter: hydropathy[i] for i, letter in enumerate(PROTEIN.letters)}
    y = [value[letter] - value[parent[i]] + rng.normal(0, 0.2) for i, letter in places]
    result = learn(fabric, texts, y, PROTEIN)
    assert result.trained.record.options.architecture == "kernel"
    assert result.trained.record.carries
    (one,) = result.quality.outcomes
    assert one.spearman is not None
    assert one.spearman > 0.8
    held_out = learn(fabric, texts, y, PROTEIN, split="modulo", architecture="kernel")
    assert (held_out.quality.outcomes[0].spearman or 0) > 0.7
    labels = learn(fabric, texts, np.array(y) > np.median(y), PROTEIN, task="binary", architecture="kernel")
    assert labels.trained.record.carries
    assert (labels.quality.outcomes[0].auroc or 0) > 0.85


def test_what_two_changes_do_is_told_from_a_guess_of_the_parent_that_was_not_measured(fabric: Fabric) -> None:
    """Three places in ten tolerate nothing; the others tolerate all but some letters."""
    rng = np.random.default_rng(1)
    parent = "".join(rng.choice(list(PROTEIN.letters), 40))
    effect = -0.1 - 2.0 * (rng.random((40, 20)) < np.where(rng.random(40) < 0.3, 1.0, 0.1)[:, None])
    changes = [(i, v) for i in range(40) for v in range(0, 20, 2) if PROTEIN.letters[v] != parent[i]]

    def changed(*made: tuple[int, int]) -> str:
        letters = list(parent)
        for i, v in made:
            letters[i] = PROTEIN.letters[v]
        return "".join(letters)

    singles = [changed(one) for one in changes]
    y = [5 + effect[one] + rng.normal(0, 0.1) for one in changes]
    result = learn(fabric, singles, y, PROTEIN, architecture="kernel")
    assert any("single mutants of a parent" in text for text in result.quality.warnings)
    mild = [one for one in changes if effect[one] == -0.1]
    pairs = [(mild[i], mild[j]) for i, j in rng.choice(len(mild), (60, 2)) if mild[i][0] != mild[j][0]]
    tokens = encode([parent, *(changed(*two) for two in pairs)], PROTEIN)
    said = member_scores(result.trained.model, tokens.tokens, tokens.lengths).mean(0)[:, 0]
    assert abs(said[0] - 5) < 0.3 < 5 - np.mean(y)
    assert abs(said[1:].mean() - 4.8) < 0.3
    known = learn(fabric, [parent, *singles], [5.0, *y], PROTEIN, architecture="kernel")
    assert not any("single mutants of a parent" in text for text in known.quality.warnings)
    measured = member_scores(known.trained.model, tokens.tokens, tokens.lengths).mean(0)[:, 0]
    assert abs(measured[0] - 5) < 0.1
    assert abs(measured[1:].mean() - 4.8) < 0.2


def test_counts_of_a_word_anywhere_are_learned_by_the_word(fabric: Fabric) -> None:
    rng = np.random.default_rng(0)
    texts = []
    for text in random_texts(400, 24):
        letters = list(text)
        for place in rng.choice(6, size=rng.integers(0, 4), replace=False):
            letters[4 * place : 4 * place + 4] = "GATA"
        texts.append("".join(letters))
    y = [t.count("GATA") + rng.normal(0, 0.2) for t in texts]
    result = learn(fabric, texts, y)
    assert result.trained.record.options.architecture == "grammar"
    assert (result.quality.outcomes[0].r2 or 0) > 0.9
    assert [trial.kind for trial in result.trials][:3] == ["ridge", "words", "grammar"]
    assert [trial.chosen for trial in result.trials].count(True) == 1
    # What predicts like rows worse is asked no more.
    asked = {trial.kind: trial.better is not None for trial in result.trials}
    assert asked["grammar"]
    assert not asked["ridge"]


@pytest.mark.parametrize(("kind", "rate", "steps"), [("motif", 8e-3, 1350), ("residual", 2e-3, 2250)])
def test_motif_networks_learn_faster_than_others(kind: Any, rate: float, steps: int) -> None:
    texts = random_texts(1000, 80)
    tokens, outcomes = encode(texts, DNA), Outcomes(("y",), "regression", np.ones((1000, 1)), np.ones(1000))
    record = learning._describe(Known(tokens, outcomes), PredictorOptions(strands="one", architecture=kind))
    data, _ = learning._data(Known(tokens, outcomes), record, np.arange(1000), 0)
    plan = learning._plan(record.build(), FitOptions(), data)
    assert {one.learning_rate for one in plan.players.values()} == {rate}
    assert abs(plan.epochs * 8 - steps) <= 8
    asked = learning._plan(record.build(), FitOptions(learning_rate=0.1, epochs=3), data)
    assert {one.learning_rate for one in asked.players.values()} == {0.1}
    assert asked.epochs == 3


def test_codons_and_first_letters_are_columns_of_genes() -> None:
    texts = ["ATGGCAGCA" * 8, "ATGTTT" + "GCC" * 22]
    x = one_hot(torch.from_numpy(encode(texts, DNA).tokens.astype(np.int64)), DNA)
    reader = Codons(Basis(alphabet=DNA, max_length=72))
    counted, first = reader(x, x.any(1))
    codons = ["".join(c) for c in itertools.product("ACGT", repeat=3)]
    counts = [[[t[i : i + 3] for i in range(0, len(t), 3)].count(c) for c in codons] for t in texts]
    assert torch.allclose(counted, torch.tensor(counts) * 4 / 24**0.5)
    assert torch.equal(first.view(2, 4, 60), x[:, :, :60])


def test_of_genes_codons_are_counted(fabric: Fabric) -> None:
    rng = np.random.default_rng(0)
    codons = [c for c in map("".join, itertools.product("ACGT", repeat=3)) if c not in ("TAA", "TAG", "TGA")]
    worth = dict(zip(codons, rng.normal(size=61), strict=True))
    texts = ["".join(rng.choice(codons, 40, p=rng.dirichlet(np.full(61, 0.3)))) for _ in range(300)]
    y = [np.mean([worth[t[i : i + 3]] for i in range(0, 120, 3)]) + rng.normal(0, 0.05) for t in texts]
    known = Known(encode(texts, DNA), Outcomes(("y",), "regression", np.array(y)[:, None], np.ones(300)))
    assert choice.candidates(known, PredictorOptions(strands="one"))[:3] == ["ridge", "codons", "words"]
    assert "codons" not in choice.candidates(known, PredictorOptions(strands="both"))
    fresh = [
        learn(fabric, texts, y, architecture=kind).quality.outcomes[0].r2 or 0 for kind in ("codons", "words")
    ]
    assert fresh[0] > 0.8 > fresh[1]
    with pytest.raises(InputError, match=r"--architecture codons: counts of codons needs genes, read from"):
        learn(fabric, [t[1:] for t in texts], y, architecture="codons")


def test_ridge_is_kept_where_nothing_is_clearly_better(fabric: Fabric) -> None:
    texts = random_texts(200, 6)
    rng = np.random.default_rng(0)
    effects = rng.normal(size=(6, 4))
    y = [sum(effects[i, "ACGT".index(c)] for i, c in enumerate(t)) + rng.normal() for t in texts]
    said: list[tuple[int, int, str]] = []
    tokens, outcomes = encode(texts, DNA), Outcomes(("y",), "regression", np.array(y)[:, None], np.ones(200))
    trials = choice.choose(
        Known(tokens, outcomes), np.arange(200), PredictorOptions(strands="one"), FitOptions(), seed=0,
        fabric=fabric, on_trial=lambda done, total, label: said.append((done, total, label)),
    )  # fmt: skip
    assert next(trial.kind for trial in trials if trial.chosen) == "ridge"
    assert said[0] == (0, 3, "ridge regression")
    assert [done for done, _, _ in said] == [0, 1, 2, 3]


def test_networks_are_tried_where_rows_are_many() -> None:
    tokens = encode(random_texts(600, 6), DNA)
    outcomes = Outcomes(("y",), "regression", np.zeros((600, 1)), np.ones(600))
    options = PredictorOptions(strands="one")
    known = Known(tokens, outcomes)
    assert choice.candidates(known, options) == ["ridge", "pairs", "kernel", "residual", "motif"]
    both = replace(options, strands="both")
    assert choice.candidates(known, both) == ["ridge", "words", "motif"]


def test_too_few_distinct_sequences_are_refused(fabric: Fabric) -> None:
    texts = ["ACGTACGT", "ACGTACGA", "ACGTACGC", "ACGTACGG"] * 25
    y = np.random.default_rng(0).normal(size=100)
    for kind in ("residual", "ridge", "auto"):
        with pytest.raises(InputError, match="4 different sequences only"):
            learn(fabric, texts, y, architecture=kind)


def test_a_significant_difference_that_does_not_matter_buys_no_networks() -> None:
    for simple, networks, alike in ((0.9975, 0.9976, True), (0.990, 0.993, False), (0.600, 0.602, True)):
        score = np.array([simple, networks])
        drawn = score + 1e-6 * np.random.default_rng(0).normal(size=(50, 2))
        assert _near(score, drawn).tolist() == [alike, True]
