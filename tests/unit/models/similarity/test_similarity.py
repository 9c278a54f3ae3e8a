"""The learned similarity: its formula, its teachers, what it learns, and how it holds revisions."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import seqdesign as sd
from seqdesign.constraints.starts import Starts
from seqdesign.errors import InputError, UsageError
from seqdesign.metrics.likeness import edit_similarity
from seqdesign.models.similarity.config import SimilarityOptions
from seqdesign.models.similarity.data import PairData
from seqdesign.models.similarity.fit import read_pairs
from seqdesign.models.similarity.limit import SimilarToStart
from seqdesign.models.similarity.model import SequenceSimilarity
from seqdesign.models.similarity.quality import cosine
from seqdesign.models.similarity.store import SimilarityRecord, TrainedSimilarity
from seqdesign.models.similarity.teachers import (
    LabelTeacher,
    MeasureTeacher,
    PairTeacher,
    make_mutants,
)
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary, encode
from seqdesign.training.store import save_model

DNA, PROTEIN = get_alphabet("dna"), get_alphabet("protein")


def network(seed: int = 0, stretches: int = 0) -> SequenceSimilarity:
    torch.manual_seed(seed)
    options = SimilarityOptions(hidden=8, embedding=4, stretches=stretches)
    return SequenceSimilarity(options, Vocabulary(DNA), 2).eval()


def texts(num: int, seed: int = 0, low: int = 8, high: int = 12) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), int(rng.integers(low, high + 1)))) for _ in range(num)]


def tensors(sequences: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    array = encode(sequences, DNA)
    return torch.from_numpy(array.tokens.astype(np.int64)), torch.from_numpy(array.lengths)


def test_the_similarity_is_exp_of_minus_the_l1_distance() -> None:
    """exp(-1) = .3678794412 at distance 1; oracles.md 18."""
    model = network()
    a = torch.zeros(1, 16)
    b = torch.zeros(1, 16)
    b[0, 3], b[0, 7] = 0.25, -0.75
    with torch.no_grad():
        model.log_scale.fill_(math.log(4.0))  # times 4 / sqrt(16) = 1
    assert model.similarity(a, b).item() == pytest.approx(0.3678794412, rel=1e-6)
    assert model.similarities(a, b).item() == pytest.approx(0.3678794412, rel=1e-6)


@pytest.mark.parametrize("stretches", [0, 1, 3, 20])
def test_it_is_one_for_equal_sequences_symmetric_and_blind_to_padding(stretches: int) -> None:
    model = network(stretches=stretches)
    tokens, lengths = tensors(texts(6))
    padded = torch.cat([tokens, torch.full((6, 5), Vocabulary(DNA).pad)], 1)
    with torch.no_grad():
        code = model.code(tokens, lengths)
        assert torch.allclose(code, model.code(padded, lengths))
        alike = model.similarities(code, code)
    assert torch.allclose(alike.diagonal(), torch.ones(6))
    assert torch.allclose(alike, alike.T)
    assert bool(((alike > 0) & (alike <= 1)).all())


def test_models_of_earlier_versions_read_the_last_states(tmp_path: Path) -> None:
    model = network(stretches=0)
    record = SimilarityRecord(SimilarityOptions(hidden=8, embedding=4, stretches=0), DNA, 12, 8, "edits", 2)
    save_model(tmp_path, model, record)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["options"]["stretches"]
    assert SimilarityRecord.from_dict(config) == record


def test_mutants_have_few_edits_as_often_as_many_and_keep_a_common_length() -> None:
    originals = texts(300, low=16, high=16)
    mutants = make_mutants(originals, "ACGT", indels=False, seed=0)
    edits = [sum(a != b for a, b in zip(x, y, strict=True)) for x, y in zip(originals, mutants, strict=True)]
    assert max(edits) <= 8
    assert np.mean(np.array(edits) <= 2) > 0.4
    longer = {len(m) for m in make_mutants(originals, "ACGT", indels=True, seed=0)}
    assert len(longer) > 2


@pytest.mark.parametrize("dear", [False, True])
def test_a_lesson_of_a_measure_pairs_sequences_with_their_mutants(dear: bool) -> None:
    originals = texts(40)
    mutants = make_mutants(originals, "ACGT", indels=True, seed=0)
    teacher = MeasureTeacher(originals + mutants, edit_similarity, dear=dear)
    rows = np.arange(40)[::-1].copy()
    lesson = teacher.lesson(rows)
    assert sorted(lesson.members) == list(range(80))
    pairs = {
        tuple(sorted((int(lesson.members[i]), int(lesson.members[j]))))
        for i, j in zip(lesson.first, lesson.second, strict=True)
    }
    assert all((i, i + 40) in pairs for i in range(40))
    assert len(pairs) == len(lesson.first)
    for i, j, score in zip(lesson.first, lesson.second, lesson.score, strict=True):
        a, b = teacher.texts[lesson.members[i]], teacher.texts[lesson.members[j]]
        assert score == edit_similarity([a], [b])[0]


def test_labels_give_as_many_unlike_pairs_as_alike_ones() -> None:
    lesson = LabelTeacher(np.repeat(np.arange(10), 3)).lesson(np.arange(30))
    assert (lesson.score == 1).sum() == (lesson.score == 0).sum() == 30
    assert (lesson.first // 3 == lesson.second // 3).tolist() == (lesson.score == 1).tolist()


def test_given_pairs_are_rows() -> None:
    teacher = PairTeacher(4, np.array([0, 2]), np.array([1, 3]), np.array([0.2, 0.9]))
    tokens, lengths = tensors(texts(4))
    batch = PairData(tokens, lengths, teacher).rows(torch.tensor([1]))
    assert torch.equal(batch.lengths, lengths[[2, 3]])
    assert batch.score.tolist() == pytest.approx([0.9])


def test_the_cosine_of_words_is_that_of_their_counts() -> None:
    found = cosine(["AAC", "AAC", "GGT"], "ACGT", 2, np.array([0, 0]), np.array([1, 2]))
    assert found.tolist() == pytest.approx([1.0, 0.0])


def limit(least: float, sequences: list[str]) -> SimilarToStart:
    tokens, lengths = tensors(sequences)
    record = SimilarityRecord(SimilarityOptions(hidden=8, embedding=4, stretches=0), DNA, 12, 8, "edits", 2)
    return SimilarToStart(TrainedSimilarity(network(), record), least, Starts(DNA, tokens, lengths, 1))


def test_the_limit_compares_each_design_with_its_own_start() -> None:
    sequences = texts(3)
    rule = limit(0.999999, sequences)
    tokens, _ = tensors(sequences)
    assert rule.is_feasible(tokens, torch.arange(3)).tolist() == [True] * 3
    assert rule.is_feasible(tokens, torch.tensor([1, 2, 0])).tolist() == [False] * 3
    (breach,) = rule.explain(tokens[0], 1)
    assert breach.code == "min-similarity:0.999999"
    assert "has a similarity of 0." in breach.message
    assert rule.explain(tokens[0], 0) == []


def test_a_limit_of_other_letters_is_refused() -> None:
    starts = Starts(PROTEIN, torch.zeros(1, 4, dtype=torch.long), torch.tensor([4]), 1)
    record = SimilarityRecord(SimilarityOptions(), DNA, 12, 8, "edits", 2)
    with pytest.raises(UsageError, match="reads dna, the sequences are protein"):
        SimilarToStart(TrainedSimilarity(network(), record), 0.5, starts)


def test_it_learns_families_and_says_so(tmp_path: Path) -> None:
    """Sequences of A and C, and of G and T; the AUROC on held-out pairs must be high, other letters' not."""
    rng = np.random.default_rng(0)
    sequences = ["".join(rng.choice(list(("AC", "GT")[i % 2]), 8)) for i in range(120)]
    labels = [("weak", "strong")[i % 2] for i in range(120)]
    model: Any = sd.train_similarity(sequences, labels, epochs=20, hidden=8, learning_rate=0.02)
    assert model.quality.measure == "AUROC"
    assert model.quality.agreement > 0.95
    alike, other = model.between(["ACACACAC", "ACACACAC"], ["CCCCAAAA", "GTGTGGTT"])
    assert alike > 0.8 > 0.2 > other
    table = sd.predict(sd.load(model.save(tmp_path / "m"), device="cpu"), ["ACACACAC", "ACGTACGT"])
    assert table["nearest"][0] > table["nearest"][1]
    assert (table["typical"] <= table["nearest"]).all()


def test_given_pairs_are_read_and_wrong_ones_named(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("a,b,similarity\nx,y,0.25\ny,z,1\n")
    pairs = read_pairs(path, ["x", "y", "z"])
    assert pairs.first.tolist() == [0, 1]
    assert pairs.second.tolist() == [1, 2]
    assert pairs.score.tolist() == [0.25, 1]
    path.write_text("a,b,similarity\nx,w,0.25\n")
    with pytest.raises(InputError, match="column b: no sequence has the id 'w'"):
        read_pairs(path, ["x", "y", "z"])
    path.write_text("a,b,similarity\nx,y,25\n")
    with pytest.raises(InputError, match=r"row 1: must lie in 0 \.\. 1, got 25"):
        read_pairs(path, ["x", "y", "z"])


def test_labels_that_are_all_the_same_are_refused() -> None:
    with pytest.raises(InputError, match="have 1 labels"):
        sd.train_similarity(texts(40), ["one"] * 40, epochs=1, hidden=4)
