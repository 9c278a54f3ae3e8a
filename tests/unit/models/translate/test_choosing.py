"""Of several translations the likeliest is kept that a classifier believes."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from seqdesign.models.translate.choosing import Chooser, chosen
from seqdesign.models.translate.config import TranslateOptions
from seqdesign.models.translate.model import SequenceTranslator
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary

DNA = get_alphabet("dna")


def strings(num: int, seed: int, motif: str = "") -> list[str]:
    """Of eight letters of A, C and T, with a motif somewhere."""
    rng = np.random.default_rng(seed)
    texts = ["".join(rng.choice(list("ACT"), 8)) for _ in range(num)]
    places = rng.integers(0, 9 - len(motif), num)
    return [text[:p] + motif + text[p + len(motif) :] for text, p in zip(texts, places, strict=True)]


@pytest.fixture(scope="module")
def chooser() -> Chooser:
    return Chooser.of(strings(200, 1), strings(200, 2, "GG"), DNA)


@pytest.fixture
def undecided() -> SequenceTranslator:
    """Each letter stays with probability .6 and becomes G else, so most probably nothing changes."""
    torch.manual_seed(0)
    model = SequenceTranslator(TranslateOptions(channels=4), Vocabulary(DNA), 8, 8)
    share = torch.tensor([1e-6, 1e-6, 0.4, 1e-6])[:, None]
    model.to_b.forward = lambda x: (0.6 * x + share).log()  # type: ignore[method-assign]
    return model.eval()


def symbols(model: SequenceTranslator, texts: list[str]) -> torch.Tensor:
    return model.symbols(torch.tensor([["ACGT".index(letter) for letter in text] for text in texts]))


def test_the_likeliest_that_is_believed_is_kept(chooser: Chooser, undecided: SequenceTranslator) -> None:
    source = symbols(undecided, strings(60, 3))
    assert torch.equal(chosen(undecided, chooser, source, "b", 1), source)
    assert torch.equal(chosen(undecided, None, source, "b", 32), source)
    found = chosen(undecided, chooser, source, "b", 32)
    good = chooser.odds(found[:, None], "b")[:, 0] >= chooser.levels[1]
    assert float(good.double().mean()) > 0.9
    assert float((chooser.odds(source[:, None], "b")[:, 0] >= chooser.levels[1]).double().mean()) < 0.1
    # Two letters of G are enough; draws have more than three.
    assert float((found != source).sum(1).double().mean()) < 2.7
    few = chosen(undecided, chooser, source, "b", 4)
    assert float((chooser.odds(few[:, None], "b") >= chooser.levels[1]).double().mean()) < float(
        good.double().mean()
    )


def test_what_is_believed_already_stays(chooser: Chooser, undecided: SequenceTranslator) -> None:
    source = symbols(undecided, strings(40, 4, "GG"))
    typical = chooser.odds(source[:, None], "b")[:, 0] >= chooser.levels[1]
    assert int(typical.sum()) > 30
    assert torch.equal(chosen(undecided, chooser, source, "b", 32)[typical], source[typical])


def test_a_choice_depends_on_its_source_alone(chooser: Chooser, undecided: SequenceTranslator) -> None:
    source = symbols(undecided, strings(20, 3))
    together = chosen(undecided, chooser, source, "b", 8)
    assert torch.equal(torch.cat([chosen(undecided, chooser, row[None], "b", 8) for row in source]), together)


def test_a_chooser_is_written_and_read_back(chooser: Chooser) -> None:
    read = Chooser.from_dict(json.loads(json.dumps(chooser.to_dict())), DNA)
    assert read.levels == chooser.levels
    texts = strings(30, 5, "GG")
    np.testing.assert_allclose(read.recogniser(texts), chooser.recogniser(texts))
    assert chooser.levels[0] > 0 < chooser.levels[1]
