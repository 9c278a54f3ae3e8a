"""Order, distance and copies of words are read, and learned by a judge and by a predictor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor

import seqdesign as sd
from seqdesign.ensembles.found_words import MOST_WORDS
from seqdesign.ensembles.grammar import (
    PARTS,
    WITHIN,
    Grammar,
    has_room,
    learn_words,
    pack_words,
    spelled,
)
from seqdesign.ensembles.options import PredictorOptions
from seqdesign.ensembles.reader import Basis
from seqdesign.errors import InputError
from seqdesign.judging.processes import GRAMMAR, KINDS, GaussianProcess, hyperparameters, kinds_for, read_as
from seqdesign.models.predictor.choice import candidates
from seqdesign.models.predictor.known import Known
from seqdesign.models.predictor.learn import learn
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.models.predictor.predictions import member_scores
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import TokenArray, encode, one_hot
from seqdesign.training.config import FitOptions

DNA = get_alphabet("dna")


def packed(*words: str, both: bool = False) -> Tensor:
    some = [np.eye(4, dtype=bool)[["ACGT".index(c) for c in word]] for word in words]
    return pack_words(some, DNA, both_strands=both)


def reader(found: Tensor, longest: int) -> Grammar:
    both = len(found) > MOST_WORDS
    return Grammar(Basis(alphabet=DNA, max_length=longest, both_strands=both, found=found))


def said(text: str, longest: int = 40) -> tuple[Tensor, Tensor, Tensor]:
    """Counts (A,), singles (A, parts + 1) and pairs (A, A, distances) of GATA and CCC in a text."""
    count, single, pair = reader(packed("GATA", "CCC"), longest).of_tokens(rows([text])[1])
    return count[0], single.view(MOST_WORDS, PARTS + 1), pair.view(MOST_WORDS, MOST_WORDS, -1)


def test_words_are_written_as_people_write_them() -> None:
    words = packed("GATA", both=True)
    words[0, 2] = torch.tensor([1, 0, 0, 1])
    words[1, :3] = torch.tensor([[0, 1, 0, 0], [1, 1, 1, 1], [0, 0, 1, 0]])
    assert spelled(words, DNA) == ("GA[AT]A", "C.G")


def test_words_are_counted_and_placed() -> None:
    count, single, _ = said("GATATTTTTTTTTTGATATTTTTTTTTCCC")
    assert count.tolist() == [2, 1, 0, 0, 0, 0]
    assert single[:, 0].tolist() == [1, 1, 0, 0, 0, 0]
    assert single[0, 1:].tolist() == [1, 0, 0, 1, 0, 0, 0, 0]
    assert single[1, 1:].tolist() == [0, 0, 0, 0, 0, 0, 0, 1]
    assert not bool(single[2:].any())


def test_pairs_have_an_order_and_a_distance() -> None:
    gaps = [gap for gap in WITHIN if gap < 20]
    *_, pair = said("GATATTTTTTTTCCCTTTTTTTTTTTTTTTT")  # eight letters between them
    assert pair[0, 1].tolist() == [float(gap >= 8) for gap in gaps] + [1.0]
    assert not bool(pair[1, 0].any())
    assert not bool(pair[0, 0].any())
    *_, pair = said("CCCTTTTTTTTTTTTGATATTGATATTTTTT")
    assert pair[1, 0].tolist() == [0.0, 0.0, 1.0]
    assert pair[0, 0].tolist() == [1.0, 1.0, 1.0]  # two copies, two letters apart
    *_, pair = said("GATAAATTTTTTTTTTTTTTTTTTTTTTTTT")
    assert not bool(pair.any())


def test_columns_do_not_depend_on_the_length_of_what_is_read() -> None:
    x = one_hot(torch.randint(4, (3, 25)), DNA)
    for found in (packed("GATA"), packed("GATA", both=True)):
        grammar = reader(found, 200)
        both = grammar(x, torch.ones(3, 25, dtype=torch.bool))
        assert sum(part.shape[1] for part in both) == grammar.columns


def test_on_both_strands_a_pair_is_one_on_whichever_strands_it_is() -> None:
    texts = [
        "GATATTTTTTTTCCCTTTTTTTTTTTTTTT",
        "GATATTTTTTTTGGGTTTTTTTTTTTTTTT",
        "CCCTTTTTTTTAATCTTTTTTTTTTTTTTT",
    ]
    _, tokens = rows(texts)
    *_, pair = reader(packed("GATA", "CCC", both=True), 30).of_tokens(tokens)
    either = pair[:, MOST_WORDS**2 * 3 :].view(3, -1, 3)
    assert either[:, 1].tolist() == [[0, 1, 1], [0, 1, 1], [0, 0, 0]]  # TATC is GATA, AATC is not


def test_letters_have_slopes() -> None:
    x = one_hot(torch.tensor([["ACGT".index(c) for c in "GATATTCCTTTT"]]), DNA).requires_grad_()
    count, single, pair = reader(packed("GATA", "CCC"), 12)(x, torch.ones(1, 12, dtype=torch.bool))
    (slope,) = torch.autograd.grad(count.sum() + single.sum() + pair.sum(), x)
    assert float(slope[0, 1, 8]) > 1  # a third C makes CCC, and the pair


def ordered(count: int = 260, *, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Texts with GATAAG and CCCTG, active in this order and silent in the other."""
    rng = np.random.default_rng(seed)
    texts, truth = [], []
    for _ in range(count):
        text = list(rng.choice(list("ACGT"), 40))
        words = ["GATAAG", "CCCTG"] if rng.random() < 0.5 else ["CCCTG", "GATAAG"]
        for word, start in zip(words, (int(rng.integers(13)), 20 + int(rng.integers(13))), strict=True):
            text[start : start + len(word)] = word
        texts.append("".join(text))
        truth.append(1.0 if words[0] == "GATAAG" else -1.0)
    return texts, np.array(truth)


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((count, 1))


def rows(texts: list[str]) -> tuple[TokenArray, Tensor]:
    array = encode(texts, DNA)
    return array, torch.from_numpy(array.tokens.astype(np.int64))


def test_a_judge_of_grammar_knows_what_a_judge_of_words_does_not() -> None:
    texts, truth = ordered()
    array, tokens = rows(texts)
    y = torch.from_numpy(truth + 0.5 * np.random.default_rng(1).standard_normal(len(texts)))[:, None]
    kinds, basis = kinds_for(KINDS, array, same=False, both_strands=False, values=y[:200])
    assert GRAMMAR in kinds
    found = {}
    for kind in (GRAMMAR, next(kind for kind in KINDS if kind.name == "words")):
        read = read_as(kind, basis, tokens[:200], y[:200])
        x = read(tokens[:200])
        theta = hyperparameters(kind, read, x, y[:200], 0)
        mean = GaussianProcess(kind, theta, read, x, y[:200])(read(tokens[200:]))[0][:, 0]
        found[kind.name] = float(torch.corrcoef(torch.stack([mean, torch.from_numpy(truth[200:])]))[0, 1])
    assert found["grammar of words"] > 0.85 > 0.4 > found["words"]


def test_of_noise_and_of_variants_the_grammar_is_not_read() -> None:
    texts, _ = ordered()
    array, _ = rows(texts)
    some = torch.from_numpy(noise(len(texts)))
    assert GRAMMAR not in kinds_for(KINDS, array, same=False, both_strands=False, values=some)[0]
    parent = "GATAAGCCCTGACGTTAGCA"
    mutants = [parent[:i] + c + parent[i + 1 :] for i in range(20) for c in "ACGT"]
    array, _ = rows(mutants)
    assert not has_room(array)
    value = torch.tensor([[float("GATAAG" in t)] for t in mutants])
    assert GRAMMAR not in kinds_for(KINDS, array, same=True, both_strands=False, values=value)[0]


def test_train_predictor_tries_it_and_keeps_it(tmp_path: object) -> None:
    texts, truth = ordered(140)
    y = truth + 0.5 * np.random.default_rng(1).standard_normal(len(texts))
    array, _ = rows(texts)
    for values, tried in ((y, True), (noise(len(y))[:, 0], False)):
        known = Known(array, Outcomes(("y",), "regression", values[:, None], np.ones(len(y))))
        assert ("grammar" in candidates(known, PredictorOptions(strands="one"))) is tried
    model = sd.train_predictor(texts, y, architecture="grammar", strands="one", seed=0, device="cpu")
    model.save(tmp_path / "model")  # type: ignore[operator]
    assert any(word in "GATAAG CCCTG" for word in model.trained.model.words)
    again = sd.load(tmp_path / "model", device="cpu")  # type: ignore[operator]
    fresh, signs = ordered(60, seed=9)
    predicted = again.predict(fresh)["mean"].to_numpy()
    assert np.corrcoef(predicted, signs)[0, 1] > 0.85
    assert np.allclose(predicted, model.predict(fresh)["mean"].to_numpy())


def test_the_words_of_some_rows_are_looked_for_once(monkeypatch: pytest.MonkeyPatch, fabric: Fabric) -> None:
    """Whether to try the grammar, and the grammar itself, take one search."""
    searched = []

    def counted(*args: Any, **kwargs: Any) -> torch.Tensor:
        searched.append(kwargs["both_strands"])
        return learn_words(*args, **kwargs)

    monkeypatch.setattr("seqdesign.models.predictor.known.learn_words", counted)
    texts, truth = ordered(140)
    known = Known(rows(texts)[0], Outcomes(("y",), "regression", truth[:, None], np.ones(len(truth))))
    options = PredictorOptions(architecture="grammar", strands="one", members=2)
    assert "grammar" in candidates(known, options)
    learned = learn(known, np.arange(140), options, FitOptions(), seed=0, fabric=fabric)
    assert searched == [False]
    assert learned.model.words


def test_asked_for_without_any_word_it_says_so() -> None:
    texts, _ = ordered(100)
    with pytest.raises(InputError, match="no word surely changes the outcome in 90 sequences"):
        sd.train_predictor(texts, noise(100)[:, 0], architecture="grammar", strands="one", device="cpu")


def test_where_no_word_is_found_a_trial_is_one_of_counts_of_words(fabric: Fabric) -> None:
    texts, _ = ordered(100)
    known = Known(rows(texts)[0], Outcomes(("y",), "regression", noise(100), np.ones(100)))
    said = []
    for kind in ("words", "grammar"):
        options = PredictorOptions(architecture=kind, strands="one", members=2)  # type: ignore[arg-type]
        learned = learn(known, np.arange(100), options, FitOptions(), seed=0, fabric=fabric)
        said.append(member_scores(learned.model, known.tokens.tokens, known.tokens.lengths))
    assert np.std(said[0]) > 0.01
    assert np.allclose(*said, atol=1e-5)


def test_labels_and_gaps_in_several_outcomes_are_read() -> None:
    texts, truth = ordered()
    _, tokens = rows(texts)
    values = torch.full((len(texts), 2), torch.nan, dtype=torch.float64)
    values[::2, 0] = torch.from_numpy((truth[::2] > 0).astype(float))
    values[:, 1] = torch.from_numpy(np.random.default_rng(0).standard_normal(len(texts)))
    values[5, 1] = torch.nan
    found = learn_words(tokens, values, DNA, both_strands=False)
    assert 1 <= int(found.flatten(1).any(1).sum()) <= MOST_WORDS
