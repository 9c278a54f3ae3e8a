"""Toy oracles: their values by definition, their optima by trying every sequence, their gradients."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
import torch
from torch import Tensor

from seqdesign.errors import UsageError
from seqdesign.oracles.ehrlich import EhrlichOracle, sample_ehrlich
from seqdesign.oracles.motif import MotifOracle
from seqdesign.oracles.potts import PottsOracle
from seqdesign.sequences.alphabets import get_alphabet

DNA = get_alphabet("dna")
PROTEIN = get_alphabet("protein")


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def every(length: int, letters: int = 4) -> Tensor:
    return torch.tensor(list(product(range(letters), repeat=length)))


def hot(tokens: Tensor, letters: int = 4) -> Tensor:
    return torch.nn.functional.one_hot(tokens, letters).mT.double()


def motif_score(weights: Tensor, sequence: str, pool: str, both: bool) -> float:
    strands = [sequence, DNA.reverse_complement(sequence)] if both else [sequence]
    width = len(weights)
    sites = [
        sum(float(weights[i, DNA.letters.index(s[j + i])]) for i in range(width))
        for s in strands
        for j in range(len(s) - width + 1)
    ]
    return max(sites) if pool == "max" else sum(sites)


@pytest.mark.parametrize("pool", ["max", "sum"])
@pytest.mark.parametrize("both", [False, True])
def test_a_motif_scores_its_sites_and_its_optimum_is_the_best_of_all(pool: str, both: bool) -> None:
    weights = torch.randn(3, 4, generator=rng(), dtype=torch.float64)
    oracle = MotifOracle(weights, alphabet=DNA, pool=pool, both_strands=both)  # type: ignore[arg-type]
    tokens = every(5)
    scores = oracle(hot(tokens)).flatten()
    for i in range(0, len(tokens), 97):
        sequence = "".join(DNA.letters[t] for t in tokens[i])
        assert scores[i].item() == pytest.approx(motif_score(weights, sequence, pool, both))
    best, value = oracle.optimum(5)
    assert value == pytest.approx(scores.max().item())
    assert oracle(hot(best[None])).item() == pytest.approx(value)


def test_a_motif_on_two_strands_scores_the_reverse_complement_alike() -> None:
    weights = torch.randn(4, 4, generator=rng(), dtype=torch.float64)
    oracle = MotifOracle(weights, alphabet=DNA, both_strands=True)
    x = hot(torch.randint(4, (9, 12), generator=rng()))
    torch.testing.assert_close(oracle(x.flip(1, 2)), oracle(x))


@pytest.mark.parametrize("coupled", [False, True])
def test_letters_and_pairs_add_up_and_the_optimum_is_the_best_of_all(coupled: bool) -> None:
    fields = torch.randn(4, 4, generator=rng(), dtype=torch.float64)
    pairs = torch.randn(4, 4, 4, 4, generator=rng(1), dtype=torch.float64) if coupled else None
    oracle = PottsOracle(fields, pairs, alphabet=DNA)
    tokens = every(4)
    scores = oracle(hot(tokens)).flatten()
    for i in (0, 77, 255):
        x = tokens[i].tolist()
        expected = sum(float(fields[j, x[j]]) for j in range(4))
        if pairs is not None:
            expected += sum(float(pairs[j, x[j], k, x[k]]) for j in range(4) for k in range(j + 1, 4))
        assert scores[i].item() == pytest.approx(expected)
    best, value = oracle.optimum()
    assert value == pytest.approx(scores.max().item())
    assert torch.equal(best, tokens[scores.argmax()])


@pytest.mark.parametrize(
    "oracle",
    [
        MotifOracle(torch.randn(3, 4, generator=rng(), dtype=torch.float64), alphabet=DNA, both_strands=True),
        PottsOracle(
            torch.randn(5, 4, generator=rng()), torch.randn(5, 4, 5, 4, generator=rng()), alphabet=DNA
        ),
    ],
)
def test_differentiable_toys_have_the_slope_of_finite_differences(oracle: MotifOracle | PottsOracle) -> None:
    x = torch.rand(2, 4, 5, generator=rng(), dtype=torch.float64).requires_grad_()
    assert oracle.differentiable
    assert torch.autograd.gradcheck(oracle, (x,))


def plain_ehrlich(oracle: EhrlichOracle, tokens: list[int]) -> float:
    """The definition, letter by letter."""
    if not all(oracle.transitions[a, b] for a, b in pairwise(tokens)):
        return -torch.inf
    score = 1.0
    for motif, offsets in zip(oracle.motifs.tolist(), oracle.offsets.tolist(), strict=True):
        found = max(
            sum(tokens[i + o] == letter for letter, o in zip(motif, offsets, strict=True))
            for i in range(len(tokens) - offsets[-1])
        )
        score *= found * oracle.levels // len(motif) / oracle.levels
    return score


SIZES = [(DNA, 12, 2, 4, 4), (DNA, 12, 2, 4, 2), (DNA, 4, 1, 4, 1), (PROTEIN, 32, 2, 4, 4), (DNA, 9, 3, 1, 1)]


@pytest.mark.parametrize(("alphabet", "length", "motifs", "size", "levels"), SIZES)
def test_ehrlich_functions_follow_their_definition_and_reach_one(
    alphabet: object, length: int, motifs: int, size: int, levels: int
) -> None:
    for seed in range(5):
        oracle = sample_ehrlich(
            alphabet=alphabet,  # type: ignore[arg-type]
            length=length,
            num_motifs=motifs,
            motif_length=size,
            levels=levels,
            rng=rng(seed),
        )
        best, value = oracle.optimum(length)
        x = torch.cat([oracle.feasible(40, length, rng(seed)), best[None].repeat(20, 1)])
        for row in range(40, 59):  # the optimum with a letter or two changed, and as it is
            places = torch.randint(length, (2,), generator=rng(row))
            x[row, places] = torch.randint(oracle.alphabet.size, (2,), generator=rng(row))
        scores = oracle(hot(x, oracle.alphabet.size)).flatten()
        assert scores.tolist() == pytest.approx([plain_ehrlich(oracle, row) for row in x.tolist()])
        assert bool((scores[:40] >= 0).all())
        assert value == scores[-1].item() == 1.0
        assert best.shape == (length,)


def test_the_best_ehrlich_score_of_all_sequences_is_one() -> None:
    oracle = sample_ehrlich(alphabet=DNA, length=7, num_motifs=2, motif_length=3, rng=rng(3))
    scores = oracle.score(every(7))
    assert scores.max().item() == 1.0
    assert scores.isinf().any()
    assert set(scores[scores.isfinite()].tolist()) <= {i * j / 9 for i in range(4) for j in range(4)}


@pytest.mark.parametrize("size", [2, 3, 4, 20])
def test_every_letter_can_be_reached_and_may_be_repeated(size: int) -> None:
    alphabet = get_alphabet("letters:" + "ACDEFGHIKLMNPQRSTVWY"[:size])
    for seed in range(5):
        oracle = sample_ehrlich(alphabet=alphabet, length=8, num_motifs=1, motif_length=2, rng=rng(seed))
        reach = torch.linalg.matrix_power(oracle.transitions.double(), size)
        assert bool((reach > 0).all())
        assert bool(oracle.transitions.diagonal().all())
        assert bool((~oracle.transitions).any()) == (size > 2)


def test_the_same_seed_makes_the_same_ehrlich_function() -> None:
    first, second, other = (
        sample_ehrlich(alphabet=PROTEIN, length=32, num_motifs=2, motif_length=4, rng=rng(s))
        for s in (5, 5, 6)
    )
    assert torch.equal(first.motifs, second.motifs)
    assert torch.equal(first.offsets, second.offsets)
    assert torch.equal(first.transitions, second.transitions)
    assert not torch.equal(first.transitions, other.transitions)


def test_what_is_no_landscape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"weights must be \(W, 4\), got shape \(3, 5\)"):
        MotifOracle(torch.ones(3, 5), alphabet=DNA)
    with pytest.raises(UsageError, match="two strands need an alphabet with complements, got protein"):
        MotifOracle(torch.ones(3, 20), alphabet=PROTEIN, both_strands=True)
    with pytest.raises(ValueError, match="at least the motif's 3 letters, got 2"):
        MotifOracle(torch.ones(3, 4), alphabet=DNA)(hot(every(2)))
    with pytest.raises(ValueError, match="must have 3 letters, got 2"):
        PottsOracle(torch.ones(3, 4), alphabet=DNA)(hot(every(2)))
    with pytest.raises(ValueError, match=r"couplings must be \(3, 4, 3, 4\)"):
        PottsOracle(torch.ones(3, 4), torch.ones(3, 4, 3), alphabet=DNA)
    with pytest.raises(ValueError, match=r"at most 2,000,000 sequences can be tried, got 4\^12"):
        PottsOracle(torch.ones(12, 4), torch.ones(12, 4, 12, 4), alphabet=DNA).optimum()
    with pytest.raises(ValueError, match="do not fit into 7 letters"):
        sample_ehrlich(alphabet=DNA, length=7, num_motifs=2, motif_length=4, rng=rng())
    with pytest.raises(ValueError, match="levels must divide the motif length 4, got 3"):
        sample_ehrlich(alphabet=DNA, length=8, num_motifs=2, motif_length=4, levels=3, rng=rng())
    free = torch.ones(4, 4, dtype=torch.bool)
    with pytest.raises(ValueError, match="begin with 0 and rise"):
        EhrlichOracle(free, torch.tensor([[0, 1]]), torch.tensor([[0, 0]]), levels=1, alphabet=DNA)
    forbidden = free.clone()
    forbidden[0, 1] = False
    with pytest.raises(ValueError, match="without a forbidden transition"):
        EhrlichOracle(
            forbidden, torch.tensor([[0, 1]]), torch.tensor([[0, 1]]), levels=2, alphabet=DNA
        ).optimum(4)
