"""Training a predictor: what goes in, what is kept apart, and never worse than a straight line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from seqdesign.ensembles.options import PredictorOptions
from seqdesign.ensembles.ridge import ridge_start
from seqdesign.errors import InputError, ModelError, UsageError
from seqdesign.metrics.novelty_model import fit_novelty
from seqdesign.models.predictor.fit import PredictorTraining, train_sequence_predictor
from seqdesign.models.predictor.outcomes import Outcomes, read_outcomes
from seqdesign.models.predictor.predictions import predict_outcomes
from seqdesign.models.predictor.store import Reference, load_predictor, load_reference, save_predictor
from seqdesign.models.predictor.strands import same_on_both_strands
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode
from seqdesign.sequences.reader import SequenceSet
from seqdesign.tasks.by_name import get_task
from seqdesign.training.config import FitOptions
from seqdesign.training.splitting import folds, hold_out, reverse_complements, together

DNA = get_alphabet("dna")
SMALL = {"members": 2, "hidden": 8, "channels": 4, "width": 3}
CPU = torch.device("cpu")


def random_texts(n: int, length: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(row) for row in rng.choice(list("ACGT"), size=(n, length))]


def learn(
    fabric: Fabric, texts: list[str], values: Any, task: Any = "regression", **given: Any
) -> PredictorTraining:
    values = np.asarray(values, dtype=np.float64).reshape(len(texts), -1)
    names = tuple(f"y{k}" for k in range(values.shape[1]))
    fit = {"epochs": 3, "batch_size": 32} | given.pop("fit", {})
    weights = given.pop("weights", np.ones(len(texts)))
    folder = given.pop("folder", None)
    outcomes = Outcomes(names, task, values, weights, classes=given.pop("classes", ()))
    return train_sequence_predictor(
        encode(texts, DNA), outcomes, options=PredictorOptions(**(SMALL | given)),
        fit_options=FitOptions(**fit), seed=0, fabric=fabric, folder=folder,
    )  # fmt: skip


def test_an_additive_outcome_is_learned_by_the_linear_start(fabric: Fabric) -> None:
    texts = random_texts(300, 6)
    y = [t.count("A") + 2.0 * (t[0] == "C") for t in texts]
    result = learn(fabric, texts, y, fit={"epochs": 1})
    (one,) = result.quality.outcomes
    assert one.r2 is not None
    assert one.r2 > 0.99
    assert result.trained.record.positional


def test_the_longest_sequence_may_be_held_out_or_tried(fabric: Fabric) -> None:
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ACGT"), size=20 + i)) for i in range(60)]  # one of them is the longest
    outcomes = Outcomes(("y",), "regression", np.array([[t.count("A")] for t in texts], float), np.ones(60))
    for seed in range(2):
        found = train_sequence_predictor(
            encode(texts, DNA), outcomes, options=PredictorOptions(**(SMALL | {"architecture": "ridge"})),
            fit_options=FitOptions(epochs=1), seed=seed, fabric=fabric,
        )  # fmt: skip
        assert found.trained.record.max_length == 79
        assert found.quality.outcomes[0].rows == 6


def test_a_rare_value_is_said_to_be_rare(fabric: Fabric) -> None:
    texts = random_texts(400, 6)
    rare = learn(fabric, texts, [float(t.startswith("AA")) for t in texts], "binary", architecture="ridge")
    assert any("of the rarer value only" in warning for warning in rare.quality.warnings)
    even = learn(fabric, texts, [float(t < "G") for t in texts], "binary", architecture="ridge")
    assert even.quality.outcomes[0].rarer is not None
    assert even.quality.outcomes[0].rarer > 10


def test_noise_ends_no_worse_than_the_ridge(fabric: Fabric) -> None:
    rng = np.random.default_rng(0)
    result = learn(fabric, random_texts(200, 6), rng.normal(size=200), fit={"learning_rate": 0.05})
    (one,) = result.quality.outcomes
    assert one.r2 is not None
    assert one.baseline_value is not None
    assert one.r2 > one.baseline_value - 0.15
    assert any("can hardly be predicted" in w for w in result.quality.warnings)


def test_a_row_of_weight_zero_changes_nothing(fabric: Fabric) -> None:
    texts = random_texts(120, 6)
    y = np.array([float(t.count("A")) for t in texts])
    weights = np.ones(120)
    weights[100:] = 0
    wrong = np.where(weights == 0, 1e6, y)
    a = learn(fabric, texts, wrong, weights=weights)
    b = learn(fabric, texts[:100], y[:100])
    one, other = (result.trained.model.state_dict() for result in (a, b))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("task", ["binary", "classes"])
def test_labels_are_learned_with_probabilities(fabric: Fabric, task: str) -> None:
    texts = random_texts(400, 5)
    y = [float("ACGT".index(t[0])) if task == "classes" else float(t[0] in "AC") for t in texts]
    result = learn(fabric, texts, y, task=task, classes=tuple("ACGT") if task == "classes" else ())
    (one,) = result.quality.outcomes
    assert one.accuracy is not None
    assert one.accuracy > 0.95
    found = predict_outcomes(result.trained, encode(["AAAAA", "TTTTT"], DNA).tokens, np.array([5, 5]))
    if task == "classes":
        np.testing.assert_allclose(found.mean.sum(axis=1), 1)
        assert found.mean.argmax(axis=1).tolist() == [0, 3]
    else:
        assert found.mean[0, 0] > 0.9 > 0.1 > found.mean[1, 0]


def test_several_outcomes_may_lack_values(fabric: Fabric) -> None:
    texts = random_texts(200, 5)
    y = np.array([[t.count("A"), -3.0 * t.count("C")] for t in texts])
    y[::2, 0] = np.nan
    result = learn(fabric, texts, y)
    assert [one.rows for one in result.quality.outcomes] != [20, 20]
    assert min(one.r2 or 0 for one in result.quality.outcomes) > 0.9


def test_a_model_read_back_predicts_the_same(fabric: Fabric, tmp_path: Path) -> None:
    texts = [*random_texts(60, 5), "ACG", "ACGTA"]
    result = learn(
        fabric, texts, [float(t.count("A")) for t in texts], folder=tmp_path, architecture="residual"
    )
    with pytest.raises(ModelError, match="train-predictor --resume"):
        load_predictor(tmp_path, CPU)
    save_predictor(tmp_path, result.trained.model, result.trained.record, result.reference)
    loaded, array = load_predictor(tmp_path, CPU), encode(texts, DNA)
    assert loaded.record == result.trained.record
    a, b = (predict_outcomes(t, array.tokens, array.lengths) for t in (loaded, result.trained))
    assert np.array_equal(a.mean, b.mean)
    assert a.half_widths is not None
    assert (np.diff(a.half_widths, axis=2) >= 0).all()
    reference = load_reference(tmp_path)
    assert len(reference.tokens) == len(result.train)
    unusual = reference.unusual(array.tokens, array.lengths)
    assert ((unusual >= 0) & (unusual <= 100)).all()


def test_equal_sequences_and_reverse_complements_stay_together() -> None:
    texts = ["ACGTA", "TACGT", "ACGTA", "CCC", "GGG"] * 8
    array = encode(texts, DNA)
    labels = together(array, FitOptions())
    assert labels[:5].tolist() == [labels[0]] * 3 + [labels[3]] * 2
    many = encode(random_texts(200, 3), DNA)
    train, held_out = hold_out(many, None, FitOptions(), 0)
    known = np.concatenate([many.tokens[train], reverse_complements(many)[train]])
    seen = {row.tobytes() for row in known}
    assert len(held_out) > 0
    assert not [row for row in many.tokens[held_out] if row.tobytes() in seen]


def test_each_member_is_stopped_by_whole_groups_of_its_own() -> None:
    groups = np.repeat(np.arange(100), 3)
    fold = folds(groups, 0.1, 5, np.random.default_rng(0))
    assert all(len(set(fold[groups == g])) == 1 for g in range(100))
    assert np.abs(np.bincount(fold + 1)[1:] - 30).max() <= 3


def test_ridge_is_the_closed_form() -> None:
    rng = torch.Generator().manual_seed(0)
    x, beta = torch.randn(50, 4, generator=rng), torch.tensor([[1.0], [2.0], [0.0], [-1.0]])
    y = x @ beta + 3
    judge = torch.zeros(50, 2)
    judge[:10, 0] = judge[10:20, 1] = 1
    weights, biases = ridge_start(x, y, 1 - judge, judge, task=get_task("regression"))
    torch.testing.assert_close(weights, beta.expand(2, -1, -1), atol=0.01, rtol=0)
    torch.testing.assert_close(biases, torch.full((2, 1), 3.0), atol=0.01, rtol=0)


def test_few_groups_of_uneven_sizes_leave_a_group_for_each_member() -> None:
    groups = np.repeat(np.arange(15), [20, 12, *[3] * 13])
    for seed in range(20):
        fold = folds(groups, 0.2, 5, np.random.default_rng(seed))
        assert set(range(5)) <= set(fold.tolist())
        assert all(len(set(fold[groups == group])) == 1 for group in range(15))
    with pytest.raises(InputError, match="fall into 3 groups"):
        folds(groups[:35], 0.2, 5, np.random.default_rng(0))


def test_strands_are_both_only_where_the_outcome_knows_no_direction() -> None:
    texts = random_texts(1500, 8)
    motif = ("TGA", "GAC", "ACC")

    def binding(text: str) -> float:
        return sum(s in t for s in motif for t in (text, DNA.reverse_complement(text)))

    array, groups = encode(texts, DNA), np.arange(1500)
    both = np.array([binding(t) for t in texts], dtype=float)
    one = np.array([sum(s in t for s in motif) for t in texts], dtype=float)
    assert same_on_both_strands(array, both, groups, 0)
    assert not same_on_both_strands(array, one, groups, 0)
    assert not same_on_both_strands(array, np.random.default_rng(0).normal(size=1500), groups, 0)


def test_words_that_explain_little_decide_nothing_where_letters_at_their_places_explain_more() -> None:
    rng = np.random.default_rng([3, 17])
    effects, codes = 0.7 * rng.normal(size=(20, 4)), rng.integers(4, size=(400, 20))
    values = effects[np.arange(20), codes].sum(1) + 0.2 * rng.normal(size=400)
    array = encode(["".join("ACGT"[c] for c in row) for row in codes], DNA)
    assert not any(same_on_both_strands(array, values, np.arange(400), seed) for seed in range(3))


def records(cells: dict[str, list[str]]) -> SequenceSet:
    n = len(next(iter(cells.values())))
    return SequenceSet([f"s{i}" for i in range(n)], ["ACG"] * n, columns=cells)


def test_the_task_goes_by_the_values() -> None:
    assert read_outcomes(records({"y": ["0", "1", "NA"]}), ["y"]).task == "binary"
    assert read_outcomes(records({"y": ["0", "1.5"]}), ["y"]).task == "regression"
    labels = read_outcomes(records({"y": ["b", "a", "c", ""]}), ["y"])
    assert (labels.task, labels.classes) == ("classes", ("a", "b", "c"))
    assert labels.values[:3, 0].tolist() == [1, 0, 2]
    assert np.isnan(labels.values[3, 0])
    two = read_outcomes(records({"y": ["yes", "no"]}), ["y"])
    assert (two.task, two.classes, two.values[:, 0].tolist()) == ("binary", ("no", "yes"), [1, 0])
    assert read_outcomes(records({"y": ["7", "9"]}), ["y"], task="binary").values[:, 0].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("cells", "given", "error", "said"),
    [
        ({"y": ["1", "x"]}, {"task": "regression"}, InputError, "1 cell is no number"),
        ({"y": ["1", "2", "3"]}, {"task": "binary"}, InputError, "3 different values"),
        ({"y": ["a", "a"]}, {"task": "classes"}, InputError, "1 different labels"),
        ({"y": ["1", "2"], "w": ["1", "-1"]}, {"weight": "w"}, InputError, "at least 0"),
        ({"y": ["1", "2"], "s": ["1", "-1"]}, {"sigma": ["s"]}, InputError, "standard error"),
        ({"y": ["1", "2"], "s": ["1", "1"]}, {"sigma": ["s", "s"]}, UsageError, "--sigma"),
    ],
)
def test_impossible_outcomes_are_refused(
    cells: dict[str, list[str]], given: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        read_outcomes(records(cells), ["y"], **given)


def test_precise_values_count_more() -> None:
    outcomes = read_outcomes(
        records({"y": ["1", "2", "3", ""], "s": ["1", "1", "0.1", "1"]}), ["y"], sigma=["s"]
    )
    weight = outcomes.precision()[:, 0]
    assert weight[2] / weight[0] == pytest.approx(2 / 1.01)
    assert weight[3] == 0
    assert weight[:3].mean() == pytest.approx(1)


def test_far_is_beyond_all_rows_and_not_at_their_end() -> None:
    """Mutants with 40 changes where rows have 4 are far; rare words among words of all kinds are not."""
    rng = np.random.default_rng(0)
    parent = rng.integers(0, 4, 60).astype(np.uint8)

    def mutants(count: int, changes: int) -> np.ndarray:
        rows = np.tile(parent, (count, 1))
        for row in rows:
            places = rng.choice(60, changes, replace=False)
            row[places] = (row[places] + rng.integers(1, 4, changes)) % 4
        return rows

    def reference(rows: np.ndarray, fresh: np.ndarray) -> Reference:
        novelty = fit_novelty(rows, np.full(len(rows), rows.shape[1]), 4, positional=True)
        nats = novelty.nats(fresh, np.full(len(fresh), fresh.shape[1]))
        return Reference(
            rows, np.full(len(rows), rows.shape[1]), novelty, np.quantile(nats, np.linspace(0, 1, 101))
        )

    some = reference(mutants(300, 4), mutants(30, 4))
    assert some.far(mutants(20, 40), np.full(20, 60)).all()
    assert not some.far(mutants(20, 4), np.full(20, 60)).any()
    words = reference(
        rng.integers(0, 4, (300, 8)).astype(np.uint8), rng.integers(0, 4, (30, 8)).astype(np.uint8)
    )
    fresh = rng.integers(0, 4, (200, 8)).astype(np.uint8)
    assert (words.unusual(fresh, np.full(200, 8)) >= 99).any()
    assert words.far(fresh, np.full(200, 8)).mean() < 0.02
