"""Relatives of a parent that also differ by insertions and deletions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from seqdesign.ensembles.aligned import align, common_parent, mismatches
from seqdesign.ensembles.options import PredictorOptions
from seqdesign.errors import InputError
from seqdesign.models.predictor import choice
from seqdesign.models.predictor.fit import train_sequence_predictor
from seqdesign.models.predictor.known import Known
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode
from seqdesign.training.config import FitOptions

DNA = get_alphabet("dna")
PARENT = "ACGTTGCAAGCTTACGGATC"


def tokens_of(texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    array = encode(texts, DNA)
    return torch.from_numpy(array.tokens.astype(np.int64)), torch.from_numpy(array.lengths.astype(np.int64))


def variants(seed: int, num: int) -> tuple[list[str], list[int]]:
    """Single substitutions, insertions and deletions, and the places of their parent that they hit."""
    rng = np.random.default_rng(seed)
    texts, places = [], []
    for kind in rng.integers(0, 3, num):
        at, letter = int(rng.integers(len(PARENT))), "ACGT"[rng.integers(4)]
        texts.append(PARENT[:at] + ("" if kind == 2 else letter) + PARENT[at + (kind != 1) :])
        places.append(at)
    return texts, places


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("ACGT", [0, 1, 2, 3]),
        ("ATGT", [0, 1, 2, 3]),
        ("AGT", [0, 2, 3]),
        ("ACCGT", [0, 5, 1, 2, 3]),  # the left one of two C is the new one
        ("ACGTA", [0, 1, 2, 3, 8]),
        ("TACGT", [4, 0, 1, 2, 3]),
        ("A", [0]),
    ],
)
def test_letters_find_their_places_and_gaps_stand_left(text: str, places: list[int]) -> None:
    parent = mismatches(tokens_of(["ACGT"])[0][0], 4)
    tokens, lengths = tokens_of([text, "ACGTACGT"])
    assert align(tokens, lengths, parent)[0, : len(text)].tolist() == places


def test_alignments_cost_no_more_than_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a program of three nested choices, also where chunks hold one sequence each."""
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ACGT"), rng.integers(1, 9))) for _ in range(40)]
    parent = "ACGTAC"
    tokens, lengths = tokens_of(texts)
    own = mismatches(tokens_of([parent])[0][0], 4)
    found = align(tokens, lengths, own)
    monkeypatch.setattr("seqdesign.ensembles.aligned.CELLS", 1)
    assert torch.equal(found, align(tokens, lengths, own))
    for text, places in zip(texts, found.tolist(), strict=True):
        table = np.zeros((len(text) + 1, len(parent) + 1))
        for i in range(len(text) + 1):
            for j in range(len(parent) + 1):
                ways = [table[i - 1, j] + 1.5] * (i > 0) + [table[i, j - 1] + 1.5] * (j > 0)
                ways += [table[i - 1, j - 1] + (text[i - 1] != parent[j - 1])] * (i > 0 and j > 0)
                table[i, j] = min(ways, default=0)
        paired = [(a, p) for a, p in zip(text, places[: len(text)], strict=True) if p < len(parent)]
        wrong = sum(a != parent[p] for a, p in paired)
        cost = wrong + 1.5 * (len(text) + len(parent) - 2 * len(paired))
        assert cost == table[-1, -1]
        assert [p for _, p in paired] == sorted({p for _, p in paired})


def test_the_parent_is_found_though_nobody_is_it() -> None:
    texts, _ = variants(0, 60)
    found = common_parent(encode([t for t in texts if t != PARENT], DNA))
    assert found is not None
    assert "".join(DNA.letters[i] for i in found) == PARENT
    rng = np.random.default_rng(1)
    strangers = ["".join(rng.choice(list("ACGT"), 15 + i % 5)) for i in range(60)]
    assert common_parent(encode(strangers, DNA)) is None


def test_what_a_substitution_teaches_holds_for_indels_there(
    fabric: Fabric, predicted: Callable[..., np.ndarray]
) -> None:
    texts, places = variants(2, 400)
    y = np.array([abs(at - 9.5) > 5 for at in places], dtype=np.float64)  # the middle bears no change
    split = np.array([len(text) == len(PARENT) or i % 5 == 0 for i, text in enumerate(texts)])
    train = [text for text, taught in zip(texts, split, strict=True) if taught]
    outcomes = Outcomes(("y",), "regression", y[split][:, None], np.ones(len(train)))
    made = train_sequence_predictor(
        encode(train, DNA), outcomes, options=PredictorOptions(architecture="aligned", strands="one"),
        fit_options=FitOptions(), seed=0, fabric=fabric,
    )  # fmt: skip
    array = encode([text for text, taught in zip(texts, split, strict=True) if not taught], DNA)
    assert np.corrcoef(predicted(made, array), y[~split])[0, 1] > 0.8


def test_kinds_that_are_tried_are_those_that_fit(fabric: Fabric) -> None:
    texts, _ = variants(3, 80)
    outcomes = Outcomes(("y",), "regression", np.arange(80.0)[:, None], np.ones(80))
    known = Known(encode(texts, DNA), outcomes)
    assert "aligned" in choice.candidates(known, PredictorOptions(strands="one"))
    assert "aligned" not in choice.candidates(known, PredictorOptions(strands="both"))
    rng = np.random.default_rng(1)
    strangers = ["".join(rng.choice(list("ACGT"), 15 + i % 5)) for i in range(80)]
    with pytest.raises(InputError, match="--architecture aligned: .* relatives of one parent"):
        train_sequence_predictor(
            encode(strangers, DNA), outcomes, options=PredictorOptions(architecture="aligned", strands="one"),
            fit_options=FitOptions(), seed=0, fabric=fabric,
        )  # fmt: skip
