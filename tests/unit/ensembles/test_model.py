"""The ensemble: members are independent, strands are alike, scores mean what they say."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from seqdesign.ensembles.features import linear_features, num_linear_features
from seqdesign.ensembles.model import PredictorBatch, SequencePredictor
from seqdesign.ensembles.options import PredictorOptions, adapt
from seqdesign.sequences.alphabets import get_alphabet, learn_alphabet
from seqdesign.sequences.encoders import Vocabulary, encode, one_hot
from seqdesign.tasks.kinds.classes import one_against_others

DNA = get_alphabet("dna")
LARGE = learn_alphabet("words:200", [" ".join(f"word{i}" for i in range(300))])
BUFFERS = (
    "outcome_mean", "outcome_scale", "temperature", "evidence", "shares.share", "net.centre", "net.gain",
)  # fmt: skip


def make(
    members: int = 3, *, positional: bool = True, num_scores: int = 1, **options: Any
) -> SequencePredictor:
    torch.manual_seed(0)
    small = {
        "hidden": 8,
        "channels": 4,
        "width": 3,
        "dropout": 0.0,
        "paths": "both",
        "architecture": "residual",
    }
    given = PredictorOptions(
        **({"members": members, "task": "regression", "strands": "one"} | small | options)
    )
    scale = tuple(2.0 + k for k in range(num_scores))
    return SequencePredictor(
        given, Vocabulary(DNA), 8, num_scores=num_scores, positional=positional,
        outcome_mean=scale, outcome_scale=scale,
    ).eval()  # fmt: skip


def inputs(texts: list[str]) -> tuple[Tensor, Tensor]:
    array = encode(texts, DNA)
    tokens = torch.from_numpy(array.tokens).long()
    return one_hot(tokens, DNA), torch.from_numpy(array.lengths)


def _arrays(texts: list[str]) -> tuple[Any, Any]:
    array = encode(texts, DNA)
    return array.tokens.astype("int64"), array.lengths


TEXTS = ["ACGTACGT", "GGGTT", "TACGA", "CCA"]


MOTIF = {"architecture": "motif", "positional": False}


@pytest.mark.parametrize("options", [{}, {"positional": False}, MOTIF, {"architecture": "killoran"}])
def test_a_member_in_the_ensemble_says_what_it_says_alone(options: dict[str, Any]) -> None:
    """Forward and gradient."""
    whole, x = make(**options), inputs(TEXTS)
    torch.nn.init.normal_(whole.net.linear_weight) if not options.get("architecture") else None
    whole(*x).square().sum().backward()
    gradients = {name: p.grad for name, p in whole.named_parameters()}
    for m in range(3):
        alone = make(2, **options)
        # Two copies of one member: an ensemble has at least two.
        state = {
            name: value if name in BUFFERS else value[[m, m]] for name, value in whole.state_dict().items()
        }
        alone.load_state_dict(state)
        torch.testing.assert_close(alone(*x)[0], whole(*x)[m])
        alone(*x)[0].square().sum().backward()
        for name, p in alone.named_parameters():
            torch.testing.assert_close(p.grad[0], gradients[name][m], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [{}, {"positional": False}, MOTIF, {"architecture": "killoran"}, {"architecture": "ridge"},
     {"architecture": "words"}],
)  # fmt: skip
def test_some_members_say_what_they_say_among_all(options: dict[str, Any]) -> None:
    whole, (x, lengths) = make(**options), inputs(TEXTS)
    for value in (*whole.net.parameters(), *whole.net.buffers()):
        torch.nn.init.normal_(value)
    some, read = whole.only([2, 0]), x.clone().requires_grad_()
    found, expected = some(read, lengths), whole(x, lengths)
    assert some.num_members == len(found) == 2
    torch.testing.assert_close(found, expected[[2, 0]])
    assert torch.autograd.grad(found.sum(), read)[0].abs().sum() > 0
    assert whole.num_members == len(whole(x, lengths)) == 3


@pytest.mark.parametrize("options", [{}, {"positional": False}, MOTIF])
def test_both_strands_have_exactly_one_score(options: dict[str, Any]) -> None:
    model = make(strands="both", **options)
    x, y = inputs(TEXTS), inputs([DNA.reverse_complement(t) for t in TEXTS])
    assert torch.equal(model(*x), model(*y))
    one = make(strands="one", **options)
    assert not torch.allclose(one(*x), one(*y))


def test_scores_are_in_the_units_of_the_outcome() -> None:
    model, x = make(num_scores=2), inputs(TEXTS)
    torch.testing.assert_close(model(*x), model.raw(*x) * torch.tensor([2.0, 3.0]) + torch.tensor([2.0, 3.0]))


def test_class_scores_are_log_odds_of_the_softmax() -> None:
    logits = torch.randn(5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    p = logits.softmax(1)
    torch.testing.assert_close(one_against_others(logits), p.log() - (1 - p).log())
    model, x = make(num_scores=3, task="classes"), inputs(TEXTS)
    torch.testing.assert_close(model(*x).sigmoid().sum(2), torch.ones(3, 4))


def test_a_motif_counts_at_its_best_place_on_either_strand_also_where_it_is_cut() -> None:
    """With one filter that scores ACG, and a head that repeats it."""
    model = make(strands="both", channels=1, hidden=4, **MOTIF)
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
        model.net.filters.weight.copy_(inputs(["ACG"])[0].flatten(1)[:, None].expand(3, 1, 12))
        model.net.first.weight.fill_(1.0)
        model.net.out.weight.fill_(0.25)
    texts = ["TTACGTTT", "AAAACGAA", "CGTA", "CGTTTTTT", "TTTTTTAC", "GGGG"]
    # the last but two: its other strand ends in ACG; AC at the end overhangs by one letter
    assert model.raw(*inputs(texts))[0, :, 0].tolist() == [3, 3, 3, 3, 2, 1]


@pytest.mark.parametrize(
    "options",
    [{}, {"positional": False}, {"positional": False, "strands": "both"}, MOTIF | {"strands": "both"}],
)
def test_scores_do_not_depend_on_padding_or_company(options: dict[str, Any]) -> None:
    model = make(**options)
    together = model(*inputs(TEXTS))
    alone = torch.cat([model(*inputs([t])) for t in TEXTS], dim=1)
    torch.testing.assert_close(together, alone)


def test_scores_are_differentiable_in_the_sequence() -> None:
    model, (x, lengths) = make(), inputs(TEXTS)
    x.requires_grad_()
    model(x, lengths).sum().backward()
    assert x.grad is not None
    assert x.grad.abs().sum() > 0


def test_a_row_of_weight_zero_is_a_row_that_is_not_there() -> None:
    model, array = make(), encode(TEXTS, DNA)
    tokens, lengths = torch.from_numpy(array.tokens).long(), torch.from_numpy(array.lengths)
    y = torch.arange(4.0)[:, None]
    weights = torch.ones(4, 3)
    weights[3] = 0
    with_it = PredictorBatch(tokens, lengths, y, torch.ones(4, 1), weights)
    without = PredictorBatch(*(t[:3] for t in with_it[:5]))
    rng = torch.Generator()
    a, b = (model.losses("ensemble", batch, rng, 1.0)["loss"] for batch in (with_it, without))
    torch.testing.assert_close(a * 4, b * 3)


def test_a_value_that_was_not_measured_costs_nothing() -> None:
    model, array = make(num_scores=2), encode(TEXTS, DNA)
    tokens, lengths = torch.from_numpy(array.tokens).long(), torch.from_numpy(array.lengths)
    y = torch.ones(4, 2)
    y[1, 0] = torch.nan
    batch = PredictorBatch(tokens, lengths, y, (~y.isnan()).float(), torch.ones(4, 3))
    loss = model.losses("ensemble", batch, torch.Generator(), 1.0)["loss"]
    errors = model.errors(model.raw(one_hot(tokens, DNA), lengths), y.nan_to_num(5.0))
    errors[:, 1, 0] = 0
    torch.testing.assert_close(loss, errors.mean((1, 2)))


def test_the_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="one-hot must have shape"):
        make()(torch.zeros(1, 4, 9))


def test_every_auto_is_replaced() -> None:
    data = {"max_length": 9, "num_train": 100, "task": "binary", "both_strands": False}
    for architecture, width in (("residual", 7), ("motif", 9), ("killoran", 9)):
        options = adapt(PredictorOptions(architecture=architecture), **data)
        assert "auto" not in vars(options).values()
        assert (options.task, options.strands, options.width) == ("binary", "one", width)


@pytest.mark.parametrize("letters", [4, 200])
def test_pairs_of_neighbours_are_columns_only_where_letters_are_few(letters: int) -> None:
    x = one_hot(torch.tensor([[0, 1, 2], [3, 3, letters + 3]]), LARGE if letters > 4 else DNA)
    inside = torch.tensor([[True, True, True], [True, True, False]])
    found = linear_features(x, inside, 3, positional=False)
    assert found.shape == (2, num_linear_features(letters, 3, positional=False))
    assert found.shape[1] == (21 if letters == 4 else 201)
    assert found[:, :4].tolist() == [[pytest.approx(1 / 3)] * 3 + [0], [0, 0, 0, 1]]
    assert found[:, -1].tolist() == [1, pytest.approx(2 / 3)]


def test_a_letter_at_a_place_that_never_varied_counts_twice() -> None:
    model = make()
    model.learn_evidence(*(torch.from_numpy(part) for part in _arrays(["ACGTACGT", "CCGTACGT"])))
    found = model.unseen(*(torch.from_numpy(part) for part in _arrays(["ACGTACGT", "GCGTACGT", "GAGTACGT"])))
    assert found.tolist() == [0, 1, 3]
