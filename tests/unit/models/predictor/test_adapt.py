"""Adaptation to another assay: the reversed gradient, the critic, the scale, and the command."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seqdesign.ensembles.model import PredictorBatch, SequencePredictor
from seqdesign.ensembles.options import PredictorOptions
from seqdesign.errors import InputError
from seqdesign.models.predictor.adapt import (
    AdaptedPredictor,
    Target,
    adversary_weight,
    on_its_scale,
    reversed_gradient,
)
from seqdesign.models.predictor.predictions import member_scores
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary, encode

DNA = get_alphabet("dna")
Cli = Callable[..., Any]
LONGER = ("-b", "16", "--epochs", "60", "--learning-rate", "0.01")
SMALL = ("--ensemble", "2", "--epochs", "3", "--hidden", "8", "--strands", "one")


def predictor(*, positional: bool = True) -> SequencePredictor:
    torch.manual_seed(0)
    options = PredictorOptions(
        architecture="residual", paths="both", members=2, hidden=6, channels=4, width=3, dropout=0.0,
        task="regression", strands="one",
    )  # fmt: skip
    return SequencePredictor(options, Vocabulary(DNA), 8, positional=positional)


def sequences(num: int, letters: str, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list(letters), 8)) for _ in range(num)]


def batch(texts: list[str]) -> PredictorBatch:
    array = encode(texts, DNA)
    tokens, lengths = torch.from_numpy(array.tokens.astype(np.int64)), torch.from_numpy(array.lengths)
    outcomes = (tokens == 0).sum(1, keepdim=True).float()
    return PredictorBatch(tokens, lengths, outcomes, torch.ones_like(outcomes), torch.ones(len(texts), 2))


def test_a_reversed_gradient_changes_no_number_and_turns_the_slope() -> None:
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    y = reversed_gradient(x, 0.5)
    assert torch.equal(y, x)
    (y * torch.tensor([3.0, 4.0])).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [-1.5, -2.0]


def test_the_adversary_grows_from_nothing_to_its_whole_weight() -> None:
    assert adversary_weight(0.0).item() == 0
    assert adversary_weight(torch.tensor(1.0)).item() == pytest.approx(0.99990920, rel=1e-6)


@pytest.mark.parametrize("positional", [True, False])
def test_the_output_is_a_linear_map_of_the_hidden_layer(positional: bool) -> None:
    """And its size is what the critic is told."""
    model: Any = predictor(positional=positional).eval()
    given = batch(sequences(5, "ACGT"))
    x = torch.nn.functional.one_hot(given.tokens, 4).transpose(1, 2).float()
    hidden = model.hidden(x, given.lengths)
    assert hidden.shape == (2, 5, model.net.num_hidden)
    ends = [layer for name, layer in model.net.named_children() if name.endswith("_out")]
    parts = hidden.split([end.weight.shape[2] for end in ends], 2)
    wanted = sum(end(part) for end, part in zip(ends, parts, strict=True))
    linear = model.raw(x, given.lengths) - wanted
    assert torch.allclose(linear, torch.zeros_like(linear), atol=1e-5)  # no ridge has been set


def test_the_critic_learns_and_the_features_run_away_from_it() -> None:
    """Its cross-entropy falls without an adversary; with one the assays cannot be told apart (log 2)."""
    source, target = sequences(64, "ACG"), encode(sequences(64, "CGT", 1), DNA)
    ends = {}
    for weight in (0.0, 3.0):
        model = AdaptedPredictor(predictor(), Target(target, weight)).train()
        optimizer = torch.optim.Adam(model.parameters(), 0.01)
        rng = torch.Generator().manual_seed(0)
        for _ in range(120):
            losses = model.losses("ensemble", batch(source), rng, 0.5)
            optimizer.zero_grad()
            losses["loss"].sum().backward()
            optimizer.step()
        ends[weight] = losses["assay"].item()
    assert ends[0.0] < 0.2
    assert ends[3.0] > 0.4


def test_in_evaluation_there_is_no_critic() -> None:
    model = AdaptedPredictor(predictor(), Target(encode(sequences(8, "ACGT"), DNA), 1.0)).eval()
    found = model.losses("ensemble", batch(sequences(8, "ACGT", 1)), torch.Generator(), 1.0)
    assert list(found) == ["loss"]
    alone = model.predictor.losses("ensemble", batch(sequences(8, "ACGT", 1)), torch.Generator(), 1.0)
    assert torch.equal(found["loss"], alone["loss"])


def test_the_scale_of_the_target_is_that_of_least_squares() -> None:
    model = predictor().eval()
    array = encode(sequences(40, "ACGT"), DNA)
    with torch.no_grad():
        for parameter in model.net.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    scores = member_scores(model, array.tokens, array.lengths).mean(0)
    values = 3.0 + 2.0 * scores
    values[5:20] = np.nan
    offset, scale = on_its_scale(model, Target(array, 1.0, values))
    assert offset.tolist() == pytest.approx([3.0])
    assert scale.tolist() == pytest.approx([2.0])
    falling, one = on_its_scale(model, Target(array, 1.0, 3.0 - scores))
    assert one.tolist() == [1.0]
    assert falling.tolist() == pytest.approx([float((3.0 - 2 * scores).mean())])


def test_longer_sequences_than_are_learned_from_are_refused() -> None:
    with pytest.raises(InputError, match="a sequence of 9 letters is longer than all"):
        Target(encode(["ACGTACGTA"], DNA), 1.0).check(encode(["ACGTACGT"], DNA))


@pytest.fixture
def assays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The number of G, and 10 - 3 times as much in the other assay, of 12 sequences of 60."""
    monkeypatch.chdir(tmp_path)
    rows = [f"s{i},{t},{t.count('G')}" for i, t in enumerate(sequences(120, "ACGT"))]
    Path("source.csv").write_text("\n".join(["id,sequence,outcome", *rows]) + "\n")
    other = sequences(60, "ACGT", 7)
    rows = [f"t{i},{t},{10 + 3 * t.count('G') if i < 12 else ''}" for i, t in enumerate(other)]
    Path("target.csv").write_text("\n".join(["id,sequence,outcome", *rows]) + "\n")
    Path("bare.fa").write_text("".join(f">t{i}\n{t}\n" for i, t in enumerate(other)))
    rows = [f"w{i},{t},{10 + 3 * t.count('G')}" for i, t in enumerate(other)]
    Path("whole.csv").write_text("\n".join(["id,sequence,outcome", *rows]) + "\n")
    return tmp_path


def test_predictions_are_on_the_scale_of_the_target_where_it_has_outcomes(assays: Path, cli: Cli) -> None:
    done = cli("train-predictor", "source.csv", "--adapt", "target.csv", "-o", "m", *SMALL, *LONGER)
    assert "without measurements" not in done.err
    assert done.code == 0, done.err
    assert "2 of 'assay', on the scale of target (source " in done.err
    assert "most of them not of the assay of --adapt" in done.err
    assert cli("predict", "whole.csv", "-m", "m", "-o", "p.csv").code == 0
    found = [float(row["mean"]) for row in csv.DictReader(Path("p.csv").read_text().splitlines())]
    true = [10 + 3 * t.count("G") for t in sequences(60, "ACGT", 7)]
    assert abs(np.mean(found) - np.mean(true)) < 1.5
    assert np.corrcoef(found, true)[0, 1] > 0.7


def test_without_outcomes_the_scale_is_that_of_the_source(assays: Path, cli: Cli) -> None:
    done = cli("train-predictor", "source.csv", "--adapt", "bare.fa", "-o", "m", *SMALL)
    assert "has 'outcome', so it is adapted to without measurements" in done.err
    assert done.code == 0, done.err
    assert "on the scale of" not in done.err
    assert "residual networks, the only kind that --adapt works with" in done.err
    assert "train_assay" in Path("m/metrics.csv").read_text()


def test_what_cannot_be_adapted_is_told_in_one_line(assays: Path, cli: Cli) -> None:
    few = Path("target.csv").read_text().splitlines()
    few[4:] = [line.rpartition(",")[0] + "," for line in few[4:]]
    Path("few.csv").write_text("\n".join(few) + "\n")
    for words, said in (
        (("--adapt", "few.csv"), "3 sequences have an outcome; an offset and a scale of each outcome need"),
        (("--adapt-weight", "0.5"), "--adapt-weight: has no effect without --adapt"),
        (("--adapt", "bare.fa", "--architecture", "ridge"), "--adapt: needs --architecture residual"),
        (("--adapt", "bare.fa", "--batch", "id"), "--batch: cannot be combined with --adapt"),
        (("--adapt", "nothing.fa"), "nothing.fa"),
    ):
        done = cli("train-predictor", "source.csv", "-o", "m", *SMALL, *words)
        assert done.code != 0
        assert said in done.err
        assert len(done.err.strip().splitlines()) == 1, done.err
