"""How RNA folds, and models that read it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from seqdesign.ensembles import folding
from seqdesign.ensembles.folding import PAIRS, STACKS, fold, folding_counts
from seqdesign.ensembles.options import PredictorOptions
from seqdesign.errors import InputError
from seqdesign.judging.processes import FOLDED, KINDS, GaussianProcess, kinds_for
from seqdesign.models.predictor import choice
from seqdesign.models.predictor.fit import train_sequence_predictor
from seqdesign.models.predictor.known import Known
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode, one_hot
from seqdesign.training.config import FitOptions

RNA = get_alphabet("rna")
Structure = tuple[tuple[int, int], ...]


def structures(letters: list[int], first: int, end: int) -> Iterator[Structure]:
    """Nested pairs of letters from first to before end."""
    if end - first < 2:
        yield ()
        return
    yield from structures(letters, first + 1, end)
    for last in range(first + 4, end):
        if (letters[first], letters[last]) in PAIRS:
            for within in structures(letters, first + 1, last):
                for behind in structures(letters, last + 1, end):
                    yield ((first, last), *within, *behind)


def energy(letters: list[int], pairs: Structure) -> float:
    """In kcal/mol; infinite for loops that are left out."""
    total = 0.0
    for i, j in pairs:
        kind = PAIRS.index((letters[i], letters[j]))
        within = [p for p in pairs if i < p[0] and p[1] < j]
        inner = [p for p in within if not any(q[0] < p[0] and p[1] < q[1] for q in within)]
        if not any(a < i and j < b for a, b in pairs):
            total += folding.WEAK_END[kind]
        if not inner:
            size = j - i - 1
            total += folding.WEAK_END[kind]
            long = folding.LOOP + folding.GROWTH * folding.RT * math.log(size / 4)
            total += folding.TRIPLE if size == 3 else long
            continue
        (a, b) = inner[0]
        loop = (a - i, j - b) if len(inner) == 1 else (0, 0)
        stack = STACKS[kind][PAIRS.index((letters[a], letters[b]))]
        bulge = folding.BULGE
        total += {(1, 1): stack, (1, 2): bulge, (2, 1): bulge, (2, 2): folding.MISMATCH}.get(loop, math.inf)
    return total


@pytest.mark.parametrize("text", ["GCGAAAUGC", "GGCAUAAAGCC", "GCAGCAAAGGCUGC", "CGAAACGGCUUUGC"])
def test_folding_is_that_of_all_structures(text: str) -> None:
    letters = [RNA.letters.index(c) for c in text]
    total, paired = 0.0, np.zeros(len(letters))
    for pairs in structures(letters, 0, len(letters)):
        weight = math.exp(-energy(letters, pairs) / folding.RT)
        total += weight
        for i, j in pairs:
            paired[[i, j]] += weight
    x = one_hot(torch.tensor([letters]), RNA, torch.float64)
    found, likely = fold(x)
    assert float(found[0]) == pytest.approx(math.log(total), rel=1e-9)
    assert likely[0].tolist() == pytest.approx((paired / total).tolist(), abs=1e-9)
    longer = torch.nn.functional.pad(x, (0, 3))
    assert float(fold(longer)[0][0]) == pytest.approx(float(found[0]), rel=1e-9)


def test_stacks_are_the_same_from_either_strand() -> None:
    for p, (a, b) in enumerate(PAIRS):
        for q, (c, d) in enumerate(PAIRS):
            assert STACKS[p][q] == STACKS[PAIRS.index((d, c))][PAIRS.index((b, a))]


def test_folding_is_differentiable_and_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = hairpins(0, 6)[0]
    x = one_hot(torch.from_numpy(encode(texts, RNA).tokens.astype(np.int64)), RNA).requires_grad_()
    found, paired = fold(x)
    (slope,) = torch.autograd.grad(found.sum() + paired.sum(), x)
    assert bool(slope.isfinite().all())
    assert bool((slope != 0).any())
    monkeypatch.setattr(folding, "NUMBERS", 1)
    assert torch.allclose(fold(x)[0], found)


def hairpins(seed: int, num: int, more: int = 0) -> tuple[list[str], np.ndarray]:
    """Half of them have a stem of 7 pairs, which is the outcome; up to ``more`` letters follow."""
    rng = np.random.default_rng(seed)
    texts, y = [], np.arange(num) % 2
    for stem in y:
        left = "".join(rng.choice(list("ACGU"), 7))
        right = left[::-1].translate(str.maketrans("ACGU", "UGCA"))
        if not stem:  # the same letters
            right = "".join(rng.permutation(list(right)))
        middle = "".join(rng.choice(list("ACGU"), 5))
        texts.append(left + middle + right + "".join(rng.choice(list("ACGU"), rng.integers(0, more + 1))))
    return texts, y + rng.normal(0, 0.1, num)


def outcomes_of(y: np.ndarray) -> Outcomes:
    return Outcomes(("y",), "regression", y[:, None], np.ones(len(y)))


@pytest.mark.parametrize("more", [0, 6])
def test_stems_of_any_letters_are_learned(
    more: int, fabric: Fabric, predicted: Callable[..., np.ndarray]
) -> None:
    texts, y = hairpins(1, 200, more)
    made = train_sequence_predictor(
        encode(texts, RNA), outcomes_of(y), options=PredictorOptions(architecture="folded", strands="one"),
        fit_options=FitOptions(), seed=0, fabric=fabric,
    )  # fmt: skip
    others, told = hairpins(2, 100, more)
    assert np.corrcoef(predicted(made, encode(others, RNA)), told)[0, 1] > 0.8


def test_kinds_that_are_tried_are_those_that_fit(fabric: Fabric) -> None:
    texts, y = hairpins(3, 120)
    known = Known(encode(texts, RNA), outcomes_of(y))
    assert "folded" in choice.candidates(known, PredictorOptions(strands="one"))
    content = np.array([text.count("G") + text.count("C") for text in texts], dtype=np.float64)
    noise = np.random.default_rng(0).normal(size=120)
    other = Known(known.tokens, outcomes_of(content + noise))
    assert "folded" not in choice.candidates(other, PredictorOptions(strands="one"))
    assert not folding_counts(
        torch.from_numpy(known.tokens.tokens), torch.from_numpy(y), get_alphabet("protein")
    )
    with pytest.raises(InputError, match="--architecture folded: .* read on one strand"):
        train_sequence_predictor(
            encode([text.replace("U", "T") for text in texts], get_alphabet("dna")), outcomes_of(y),
            options=PredictorOptions(architecture="folded", strands="both"), fit_options=FitOptions(),
            seed=0, fabric=fabric,
        )  # fmt: skip


def test_judges_read_it_too(judge: Callable[..., tuple[GaussianProcess, float]]) -> None:
    texts, y = hairpins(4, 160)
    array = encode(texts, RNA)
    values = torch.from_numpy((y - y.mean()) / y.std())[:, None]
    kinds, basis = kinds_for(KINDS, array, same=True, both_strands=False, values=values)
    assert set(FOLDED) <= set(kinds)
    tokens = torch.from_numpy(array.tokens.astype(np.int64))
    error = {kind.name: judge(kind, basis, tokens, values)[1] for kind in (KINDS[0], *FOLDED)}
    assert max(error[kind.name] for kind in FOLDED) < 0.5 < error[KINDS[0].name]
