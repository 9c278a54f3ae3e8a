"""Letters with names from a file to a model and out again, through the commands."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from seqdesign.commands.design.revise import ReviseConfig, revise
from seqdesign.commands.design.sample import SampleConfig, sample
from seqdesign.commands.look.predict import PredictConfig, predict
from seqdesign.commands.train.train_vae import TrainVAEConfig, train_vae
from seqdesign.errors import InputError
from seqdesign.sequences.alphabets import model_alphabet
from seqdesign.symbols import has_symbols

GOOD, BAD, REST = ("good", "great"), ("bad", "dull"), ("film", "a", "the", "plot", ",", ".")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of sentences, and the table that it was trained on."""
    place, dice = tmp_path_factory.mktemp("words"), random.Random(0)
    rows = [("id", "sentence", "outcome")]
    for i in range(40):
        words = [dice.choice((*GOOD, *BAD, *REST)) for _ in range(dice.randint(3, 6))]
        rows.append(
            (f"s{i}", " ".join(words), str(sum(w in GOOD for w in words) - sum(w in BAD for w in words)))
        )
    with (place / "train.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows(rows)
    train_vae(
        TrainVAEConfig(
            sequences=place / "train.csv", sequence="sentence", alphabet="words:11", output=place / "vae",
            epochs=1, hidden=8, latent_dim=4, embedding=4, invariance_weight=0.0, quiet=True,
        )
    )  # fmt: skip
    return place


def test_a_model_keeps_its_vocabulary(folder: Path) -> None:
    alphabet = model_alphabet(folder / "vae")
    assert alphabet is not None
    assert alphabet.names[0] == "[unk]"
    assert {*alphabet.names[1:]} == {*GOOD, *BAD, *REST}


def test_sentences_come_out_as_words(folder: Path) -> None:
    out = folder / "samples.fa"
    sample(SampleConfig(model=folder / "vae", num=5, output=out, quiet=True))
    lines = [line for line in out.read_text().splitlines() if not line.startswith(">")]
    assert len(lines) == 5
    assert not has_symbols("".join(lines))
    alphabet = model_alphabet(folder / "vae")
    assert alphabet is not None
    assert {alphabet.text(c) for line in lines for c in alphabet.tokenize(line)} <= {*alphabet.names}


def test_words_that_a_model_cannot_read_are_given_back(folder: Path) -> None:
    source, out, table = folder / "in.fa", folder / "out.fa", folder / "out.csv"
    source.write_text(">a\nThe splendid\nfilm, bad plot\n")
    revise(ReviseConfig(input=source, model=folder / "vae", output=out, table=table, max_edits=1, quiet=True))
    with table.open() as handle:
        row = next(csv.DictReader(handle))
    assert row["original"] == "the splendid film, bad plot"
    assert int(row["edits"]) <= 1
    assert "[unk]" not in row["revised"] or "splendid" in row["edit_list"]
    assert out.read_text().splitlines()[1] == row["revised"]
    assert not has_symbols(table.read_text() + out.read_text())


def test_what_was_written_is_read_again(folder: Path) -> None:
    source, out = folder / "again.fa", folder / "again.csv"
    source.write_text(">a\na bad, dull plot.\n")
    result = predict(PredictConfig(input=source, model=folder / "vae", output=out, quiet=True))
    assert result.num == 1
    assert "a bad, dull plot." in out.read_text()


def test_an_atom_that_the_model_does_not_know_is_named(tmp_path: Path) -> None:
    table = tmp_path / "molecules.csv"
    table.write_text("smiles\n" + "".join(f"CC{'C' * i}(=O)Cl\n" for i in range(24)))
    config = TrainVAEConfig(
        sequences=table, sequence="smiles", alphabet="smiles", output=tmp_path / "vae", epochs=1, hidden=8,
        latent_dim=4, embedding=4, quiet=True,
    )  # fmt: skip
    train_vae(config)
    other = tmp_path / "other.csv"
    other.write_text("smiles\nCC[nH]\n")
    with pytest.raises(
        InputError, match=r"other.csv:2: .* letter '\[nH\]' at position 3 is not in the alphabet smiles"
    ):
        predict(
            PredictConfig(
                input=other, sequence="smiles", model=tmp_path / "vae", output=tmp_path / "p.csv", quiet=True
            )
        )
