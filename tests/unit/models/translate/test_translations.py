"""Translations obey rules, keep what the model cannot read, and name the record that cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import seqdesign as sd
from seqdesign.constraints.options import EditOptions
from seqdesign.errors import InputError, UsageError
from seqdesign.models.translate.config import TranslateOptions
from seqdesign.models.translate.store import TrainedTranslator, TranslateRecord
from seqdesign.models.translate.translations import Translation, translations
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.options import LetterPolicy
from seqdesign.sequences.reader import SequenceSet

TEXTS = ["ACGTACGT", "TTTTACGA", "CCCCCCCC"]


@pytest.fixture
def towards_g() -> TrainedTranslator:
    """Writes G at positions 2 and 5, most surely at 5, when it translates to b, and changes nothing to a."""
    record = TranslateRecord(TranslateOptions(channels=4), get_alphabet("dna"), 8, 8, ("a", "b"))
    torch.manual_seed(0)
    model = record.build().eval()
    wish = torch.zeros(4, 8)
    wish[2, 1], wish[2, 4] = 9.0, 20.0
    model.to_b.forward = lambda x: 4.0 * x + wish  # type: ignore[method-assign]
    model.to_a.forward = lambda x: 4.0 * x  # type: ignore[method-assign]
    return TrainedTranslator(model, record)


def made(trained: TrainedTranslator, texts: list[str], side: str = "b", **given: Any) -> list[Translation]:
    rules = EditOptions(**given.pop("rules", {}))
    records = SequenceSet([f"s{i}" for i in range(len(texts))], texts)
    return translations(trained, records, side, rules=rules, **given)


def test_the_most_probable_letters_are_written_and_told(towards_g: TrainedTranslator) -> None:
    found = made(towards_g, TEXTS)
    assert [one.translation for one in found] == ["AGGTGCGT", "TGTTGCGA", "CGCCGCCC"]
    assert found[0].edit_list == "C2G,A5G"
    assert [one.edits for one in found] == [2, 2, 2]
    assert [one.returned for one in found] == [0.75] * 3  # to a changes nothing, so nothing comes back
    assert [one.status for one in made(towards_g, TEXTS, side="a")] == ["unchanged"] * 3


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ({"keep": "5"}, "AGGTACGT"),
        ({"max_edits": 1}, "ACGTGCGT"),
        ({"template": "NCNNNNNN"}, "ACGTGCGT"),
        ({"forbid": ("GGT",)}, "A?"),
    ],
)
def test_rules_are_obeyed(towards_g: TrainedTranslator, rules: dict[str, Any], wanted: str) -> None:
    found = made(towards_g, TEXTS[:1], rules=rules)[0].translation
    assert found == wanted or ("?" in wanted and "GGT" not in found and found[4] == "G")


def test_a_record_that_cannot_be_used_is_named(towards_g: TrainedTranslator) -> None:
    with pytest.raises(InputError, match=r"s1.*8 letters only, got 3"):
        made(towards_g, ["ACGTACGT", "ACG"])
    with pytest.raises(InputError, match="contradict|no sequence can obey"):
        made(towards_g, TEXTS, rules={"keep": "1-8", "gc": "0.9-1.0"})


def test_an_earlier_model_cannot_choose(towards_g: TrainedTranslator) -> None:
    with pytest.raises(UsageError, match="earlier version"):
        made(towards_g, TEXTS, choose_from=4)


def test_what_the_model_cannot_read_stays_as_it_was(towards_g: TrainedTranslator) -> None:
    found = made(towards_g, ["ACGTACNT"], letters=LetterPolicy(on_unknown="mask"))[0]
    assert found.translation[:6] == "AGGTGC"
    assert found.original == "ACGTACNT"


def test_from_python_a_model_translates_is_saved_and_read_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    a, b = (["".join(rng.choice(list(letters), 6)) for _ in range(60)] for letters in ("ACGT", "GGCT"))
    model = sd.train_translate(
        list(dict.fromkeys(a)), [text for text in b if text not in a], steps=2, channels=4
    )
    assert [one.sequences > 0 for one in model.quality] == [True, True]
    table = model.translate(a[:5], keep="1-2")
    assert [text[:2] for text in table.translation] == [text[:2] for text in a[:5]]
    read: Any = sd.load(model.save(tmp_path / "m"))
    assert read.translate(a[:5], keep="1-2").equals(table)
