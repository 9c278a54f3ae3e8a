"""Sequences of several lengths, of which letters near an end have a meaning there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from seqdesign.ensembles.closed import LinearNet
from seqdesign.ensembles.ends import GAIN, Ends, both_ends, ends_gain, num_places
from seqdesign.ensembles.options import PredictorOptions
from seqdesign.errors import InputError
from seqdesign.judging.processes import ENDS, KINDS, GaussianProcess, kinds_for
from seqdesign.models.predictor import choice
from seqdesign.models.predictor.fit import train_sequence_predictor
from seqdesign.models.predictor.known import Known
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.models.predictor.predictions import predict_outcomes
from seqdesign.models.predictor.store import load_predictor, save_predictor
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import TokenArray, encode, one_hot
from seqdesign.training.config import FitOptions

PROTEIN = get_alphabet("protein")
ENDS_ALONE = PredictorOptions(architecture="ends", strands="one")


def peptides(seed: int, num: int) -> tuple[list[str], np.ndarray]:
    """Of 8 to 11 letters; the second and the last one bind, each with the same six letters."""
    rng = np.random.default_rng(seed)
    texts = ["".join(rng.choice(list(PROTEIN.letters), rng.integers(8, 12))) for _ in range(num)]
    y = np.array([(s[1] in "LMIVAT") + (s[-1] in "LMIVAT") for s in texts], dtype=np.float64)
    return texts, y + rng.normal(0, 0.1, num)


def tensors(tokens: TokenArray) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(tokens.tokens.astype(np.int64)), torch.from_numpy(tokens.lengths.astype(np.int64))


def test_letters_count_from_both_ends() -> None:
    array = encode(["ACDEFG", "ACD"], PROTEIN)
    tokens, lengths = tensors(array)
    found = both_ends(tokens, lengths, 4, beyond=20)
    assert found.tolist() == [[0, 1, 2, 3, 5, 4, 3, 2], [0, 1, 2, 20, 2, 1, 0, 20]]
    framed = both_ends(one_hot(tokens, PROTEIN), lengths, 4)
    assert torch.equal(framed, one_hot(found.masked_fill(found == 20, 23), PROTEIN))


def test_what_a_letter_may_say_falls_with_its_distance() -> None:
    gain = ends_gain(num_places(20, 100), torch.zeros(1))
    assert gain.shape == (64,)
    assert float(gain[0]) == float(gain[32]) == GAIN
    assert bool((gain[:32].diff() < 0).all())
    assert num_places(4, 9) == 9
    assert num_places(5_000, 100) == 0


def test_anchors_near_both_ends_are_learned(fabric: Fabric, tmp_path: Path) -> None:
    texts, y = peptides(0, 500)
    fresh, truth = peptides(1, 300)
    array = encode(fresh, PROTEIN)
    outcomes = Outcomes(("y",), "regression", y[:, None], np.ones(len(y)))
    found = {}
    for kind in ("ends", "words"):
        made = train_sequence_predictor(
            encode(texts, PROTEIN), outcomes, options=PredictorOptions(architecture=kind, strands="one"),  # type: ignore[arg-type]
            fit_options=FitOptions(), seed=0, fabric=fabric,
        )  # fmt: skip
        told = predict_outcomes(made.trained, array.tokens, array.lengths).mean[:, 0]
        found[kind] = float(np.corrcoef(told, truth)[0, 1])
        (tmp_path / kind).mkdir()
        save_predictor(tmp_path / kind, made.trained.model, made.trained.record, made.reference)
        again = load_predictor(tmp_path / kind, torch.device("cpu"))
        assert np.array_equal(predict_outcomes(again, array.tokens, array.lengths).mean[:, 0], told)
    assert found["ends"] > 0.9
    assert found["words"] < 0.6


def test_a_letter_never_seen_at_its_place_has_no_effect_there(fabric: Fabric) -> None:
    texts, y = peptides(0, 200)
    texts = [text[:1] + text[1:].replace("W", "A") for text in texts]  # W at the first place alone
    made = train_sequence_predictor(
        encode(texts, PROTEIN), Outcomes(("y",), "regression", y[:, None], np.ones(len(y))),
        options=ENDS_ALONE, fit_options=FitOptions(), seed=0, fabric=fabric,
    )  # fmt: skip
    net = made.trained.model.net
    assert isinstance(net, LinearNet)
    *_, ends = net.readers
    assert isinstance(ends, Ends)
    share, w = ends.shares.share, PROTEIN.letters.index("W")
    assert float(share[w, 0]) > 0 == float(share[w, 1])
    x = one_hot(tensors(encode(["AWCDEFGHI"], PROTEIN))[0], PROTEIN)
    framed = ends.shares(both_ends(x, torch.tensor([9]), share.shape[1] // 2))
    assert torch.allclose(framed[0, :, 1], share[:, 1])


def test_kinds_that_are_tried_are_those_that_fit(fabric: Fabric) -> None:
    texts, y = peptides(0, 80)
    outcomes = Outcomes(("y",), "regression", y[:, None], np.ones(len(y)))
    assert "ends" in choice.candidates(
        Known(encode(texts, PROTEIN), outcomes), PredictorOptions(strands="one")
    )
    alike = Known(encode([text[:8] for text in texts], PROTEIN), outcomes)
    assert "ends" not in choice.candidates(alike, PredictorOptions(strands="one"))
    rng = np.random.default_rng(1)
    dna = encode(["".join(rng.choice(list("ACGT"), 15 + i % 5)) for i in range(80)], get_alphabet("dna"))
    assert "ends" not in choice.candidates(Known(dna, outcomes), PredictorOptions(strands="both"))
    with pytest.raises(InputError, match="--architecture ends: .* read on one strand"):
        train_sequence_predictor(
            dna, outcomes, options=PredictorOptions(architecture="ends", strands="both"),
            fit_options=FitOptions(), seed=0, fabric=fabric,
        )  # fmt: skip


def test_judges_read_both_ends_too(judge: Callable[..., tuple[GaussianProcess, float]]) -> None:
    texts, y = peptides(0, 300)
    array = encode(texts, PROTEIN)
    kinds, basis = kinds_for(KINDS, array, same=False, both_strands=False)
    assert not len(basis.parent)
    assert set(ENDS) <= set(kinds)
    assert not set(ENDS) & set(kinds_for(KINDS, array, same=False, both_strands=True)[0])
    tokens, _ = tensors(array)
    values = torch.from_numpy(y - y.mean())[:, None] / y.std()
    error = {}
    for kind in (kinds[0], *ENDS):
        process, error[kind.name] = judge(kind, basis, tokens, values)
        short = process(process.reader(tokens[:5, :9]))[0]  # designs are of another width than the rows
        assert bool(short.isfinite().all())
    assert max(error["words and ends"], error["like words and ends"]) < 0.3 < error["words"]
