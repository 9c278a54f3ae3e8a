"""Members of one family, of several lengths, read by the columns of their alignment."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from seqdesign.ensembles.aligned import align, voters
from seqdesign.ensembles.family import GAP, Family, family_costs, in_columns
from seqdesign.ensembles.options import PredictorOptions
from seqdesign.ensembles.reader import Basis
from seqdesign.errors import InputError
from seqdesign.judging.processes import (
    ENDS,
    FAMILY,
    KINDS,
    GaussianProcess,
    kinds_for,
)
from seqdesign.models.predictor import choice
from seqdesign.models.predictor.fit import train_sequence_predictor
from seqdesign.models.predictor.known import Known
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode, one_hot
from seqdesign.training.config import FitOptions

PROTEIN = get_alphabet("protein")
ANCESTOR = "MKTWVLHAGDREFYNPQSICGGKLMEWHTDARFVNP"
LOOPS = (9, 27)
"""Members have none to four letters more in front of these places."""
BETWEEN = 18
"""The letter of this place is the outcome."""
ONE_STRAND = PredictorOptions(architecture="family", strands="one")


def members(seed: int, num: int) -> tuple[list[str], np.ndarray]:
    """Three in ten letters of each differ from the ancestor; and the outcomes."""
    rng = np.random.default_rng(seed)
    texts, outcomes = [], []
    for _ in range(num):
        row = [c if rng.random() < 0.7 else PROTEIN.letters[rng.integers(20)] for c in ANCESTOR]
        row[BETWEEN] = "DKAL"[rng.integers(4)]
        outcomes.append({"D": 0.0, "K": 1.0, "A": 2.0, "L": 3.0}[row[BETWEEN]])
        for place in reversed(LOOPS):
            row[place:place] = [PROTEIN.letters[i] for i in rng.integers(0, 20, rng.integers(0, 5))]
        texts.append("".join(row))
    return texts, np.array(outcomes)


def strangers(num: int) -> list[str]:
    """Of like letters and lengths, but no family."""
    rng = np.random.default_rng(5)
    return ["".join(rng.permutation(list(text))) for text in members(4, num)[0]]


def test_letters_between_loops_of_any_length_share_a_column() -> None:
    texts, y = members(0, 80)
    array = encode(texts, PROTEIN)
    costs = family_costs(array)
    assert costs is not None
    tokens, lengths = voters(array)
    columns = in_columns(tokens, align(tokens, lengths, costs, GAP), len(costs), 20)
    own = torch.tensor([PROTEIN.letters.index("DKAL"[int(value)]) for value in y])
    assert float((columns == own[:, None]).float().mean(0).amax()) > 0.9
    assert family_costs(encode(strangers(80), PROTEIN)) is None


def test_what_a_column_teaches_holds_between_loops(
    fabric: Fabric, predicted: Callable[..., np.ndarray]
) -> None:
    texts, y = members(1, 120)
    made = train_sequence_predictor(
        encode(texts, PROTEIN), Outcomes(("y",), "regression", y[:, None], np.ones(120)),
        options=ONE_STRAND, fit_options=FitOptions(), seed=0, fabric=fabric,
    )  # fmt: skip
    assert "--split cluster" in made.quality.warnings[-1]
    others, told = members(2, 60)
    assert np.corrcoef(predicted(made, encode(others, PROTEIN)), told)[0, 1] > 0.8


def test_features_are_linear_and_letters_never_seen_in_a_column_have_no_effect() -> None:
    costs = torch.tensor([[-2.0, 2, 2, 2, 0], [2, -2, 2, 2, 0], [2, 2, -2, 2, 0]])
    dna = get_alphabet("dna")
    reader = Family(Basis(alphabet=dna, max_length=3, costs=costs))
    reader.learn(torch.tensor([[0, 1, 2], [0, 1, 2], [1, 1, 2]]), torch.tensor([3, 3, 3]))
    x = one_hot(torch.tensor([[0, 1, 2], [3, 1, 2]]), dna).requires_grad_()
    (found,) = reader(x, torch.ones(2, 3, dtype=torch.bool))
    assert found[0, :12].view(4, 3)[:, 0].tolist() == [1, 0, 0, 0]
    assert found[1, :12].view(4, 3)[:, 0].tolist() == pytest.approx([2 / 3, 1 / 3, 0, 0])
    (slope,) = torch.autograd.grad(found.square().sum(), x)
    assert bool((slope != 0).any())


def test_kinds_that_are_tried_are_those_that_fit(fabric: Fabric) -> None:
    texts, y = members(3, 80)
    outcomes = Outcomes(("y",), "regression", y[:, None], np.ones(80))
    known, other = (Known(encode(some, PROTEIN), outcomes) for some in (texts, strangers(80)))
    assert "family" in choice.candidates(known, PredictorOptions(strands="one"))
    assert "family" not in choice.candidates(other, PredictorOptions(strands="one"))
    with pytest.raises(InputError, match="--architecture family: .* members of one family"):
        train_sequence_predictor(
            other.tokens, outcomes, options=ONE_STRAND, fit_options=FitOptions(), seed=0, fabric=fabric
        )


def test_judges_read_columns_too(judge: Callable[..., tuple[GaussianProcess, float]]) -> None:
    texts, y = members(6, 120)
    array = encode(texts, PROTEIN)
    kinds, basis = kinds_for(KINDS, array, same=False, both_strands=False)
    assert set(FAMILY) <= set(kinds)
    assert set(ENDS) <= set(kinds)
    tokens = torch.from_numpy(array.tokens.astype(np.int64))
    values = torch.from_numpy(y - y.mean())[:, None] / y.std()
    error = {kind.name: judge(kind, basis, tokens, values)[1] for kind in (*FAMILY, *ENDS)}
    assert max(error[kind.name] for kind in FAMILY) < 0.5 < min(error[kind.name] for kind in ENDS)
    assert not set(FAMILY) & set(kinds_for(KINDS, array, same=False, both_strands=True)[0])
