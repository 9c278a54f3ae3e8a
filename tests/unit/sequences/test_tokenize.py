"""Text to letters with names and back."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdesign.errors import InputError, UnknownLetterError, UsageError
from seqdesign.metrics.edits import edit_list
from seqdesign.sequences.alphabets import Alphabet, get_alphabet, learn_alphabet, model_alphabet
from seqdesign.sequences.encoders import Vocabulary, decode, encode, normal_form, one_hot

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
MOLECULES = [ASPIRIN, "C[C@@H](N)C(=O)O", "Clc1cc(Br)c[nH]1", "C%12CC%12", "[Na+].[Cl-]", "F/C=C\\F", "CC#N"]
ATOMS = ["C", "Cl", "Br", "B", "c", "n", "[nH]", "[C@@H]", "[13C]", "(", ")", "1", "2", "%10", "=", "#", "\\"]
WORDS = ["bad", "good", "don't", "film", ".", ",", "!", "(", ")", "3", "-", "'", "[unk]", "naïve", "ß", "…"]


def smiles() -> Alphabet:
    return learn_alphabet("smiles", [*MOLECULES, "".join(ATOMS)])


@given(st.lists(st.sampled_from(ATOMS), min_size=1, max_size=30))
def test_smiles_come_back_as_they_were(atoms: list[str]) -> None:
    alphabet, text = smiles(), "".join(atoms)
    letters = alphabet.tokenize(text)
    assert alphabet.text(letters) == text
    assert alphabet.tokenize(letters) == letters
    assert len(letters) <= len(text)


def test_two_characters_of_an_atom_are_one_letter() -> None:
    alphabet = smiles()
    assert [alphabet.text(letter) for letter in alphabet.tokenize("ClC[nH]%12Br")] == [
        "Cl", "C", "[nH]", "%12", "Br",
    ]  # fmt: skip
    assert [len(alphabet.tokenize(text)) for text in MOLECULES] == [21, 11, 11, 5, 3, 7, 4]


@given(st.text(max_size=40))
def test_any_text_is_tokenized_once(text: str) -> None:
    for alphabet in (smiles(), get_alphabet("protein+[Aib][Orn]")):
        letters = alphabet.tokenize(text)
        assert alphabet.tokenize(letters) == letters
        assert alphabet.text(letters).lower() == text.lower()


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=30))
def test_words_are_the_same_after_writing_and_reading(words: list[str]) -> None:
    alphabet = learn_alphabet("words:8", ["a bad film", "a good film", "bad"])
    letters = alphabet.tokenize(" ".join(words))
    assert len(letters) == len(words)
    assert alphabet.tokenize(alphabet.text(letters)) == letters


def test_encode_and_decode_know_names() -> None:
    alphabet = smiles()
    array = encode(MOLECULES, alphabet)
    assert array.tokens.dtype == np.uint8
    texts = decode(array.tokens, alphabet)
    assert [alphabet.text(text) for text in texts] == MOLECULES
    assert np.array_equal(encode(texts, alphabet).tokens, array.tokens)
    hot = one_hot(array.tokens, alphabet)
    assert np.array_equal(hot.argmax(axis=1)[hot.any(axis=1)], array.tokens[hot.any(axis=1)])
    assert normal_form(MOLECULES, alphabet) == texts


def test_an_unknown_atom_is_named_with_its_place() -> None:
    with pytest.raises(
        UnknownLetterError, match=r"record 'm': letter '\[Se\]' at position 3 .* smiles"
    ) as found:
        encode(["ClC[Se]"], smiles(), ids=["m"])
    assert found.value.letter == "[Se]"
    with pytest.raises(UnknownLetterError, match="letter 'X' at position 2"):
        encode(["CX"], smiles())
    masked = encode(["ClC[Se]"], smiles(), on_unknown="mask")
    assert masked.tokens[0, -1] == Vocabulary(smiles()).unknown


def test_words_outside_the_vocabulary_are_read_as_unk() -> None:
    alphabet = learn_alphabet("words:4", ["a bad film", "a bad film", "a dull film"])
    assert alphabet.name == "words:4"
    assert alphabet.names == ("[unk]", "a", "film", "bad")
    array = encode(["A Dull film"], alphabet)
    assert array.tokens.tolist() == [[1, 0, 2]]
    assert [alphabet.text(text) for text in decode(array.tokens, alphabet)] == ["a [unk] film"]
    # What the model cannot read is still there for people.
    assert alphabet.text(normal_form(["A Dull film"], alphabet)[0]) == "a dull film"


def test_large_vocabularies_have_wider_tokens() -> None:
    texts = [f"word{i} word{i + 1}" for i in range(400)]
    alphabet = learn_alphabet("words:400", texts)
    array = encode(texts, alphabet)
    assert array.tokens.dtype == np.int16
    assert array.tokens.max() > 255
    hot = one_hot(array.tokens, alphabet)
    assert np.array_equal(hot.argmax(axis=1)[hot.any(axis=1)], array.tokens[hot.any(axis=1)])


def test_residues_with_names() -> None:
    alphabet = get_alphabet("protein+[Aib][Orn]")
    assert alphabet.size == 22
    assert encode(["ac[aib]D[Orn]"], alphabet).tokens.tolist() == [[0, 1, 20, 2, 21]]
    assert alphabet.ambiguity["B"] == "DN"
    own = get_alphabet("letters:AB[Foo]")
    assert own.names == ("A", "B", "[Foo]")
    assert repr(own) == "get_alphabet('letters:AB[Foo]')"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("protein+", "needs letters after"),
        ("protein+B", "'B' has a meaning in protein"),
        ("dna+a", "lower case"),
        ("protein+[Ai b]", "names in brackets"),
        ("protein+[Aib],[Orn]", "one after the other"),
        ("smiles", "learned from a training file"),
        ("words:2", "words:N"),
        ("sparkles", "must be one of"),
    ],
)
def test_wrong_names_are_refused(spec: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        learn_alphabet(spec, ["a b c"]) if spec == "words:2" else get_alphabet(spec)


def test_nothing_to_learn_from() -> None:
    with pytest.raises(InputError, match="no SMILES"):
        learn_alphabet("smiles", ["!!!"])
    with pytest.raises(InputError, match="fewer than two words"):
        learn_alphabet("words", ["same", "same"])


@pytest.mark.parametrize("spec", ["smiles", "words:5", "protein+[Aib]", "letters:ab[Foo]"])
def test_an_alphabet_is_stored_by_names(spec: str, tmp_path: object) -> None:
    learned = spec in ("smiles", "words:5")
    alphabet = learn_alphabet(spec, ["CCl c1", "a C", "c b"]) if learned else get_alphabet(spec)
    stored = alphabet.to_dict()
    assert all(str(part).isascii() for part in stored.values())
    assert Alphabet.from_dict(stored) == alphabet
    assert pickle.loads(pickle.dumps(alphabet)) == alphabet
    assert model_alphabet(str(tmp_path)) is None


def test_edits_are_read_back() -> None:
    alphabet = smiles()
    before, after = alphabet.tokenize("Clc1cc(Br)c[nH]1"), alphabet.tokenize("Fc1cc(C#N)cc1")
    edits = ",".join(edit_list(before, after))
    assert alphabet.read_edits(alphabet.text(edits)) == edits
    words = learn_alphabet("words:6", ["a bad, dull film"])
    edits = ",".join(edit_list(words.tokenize("a bad, dull film"), words.tokenize("bad dull [unk]")))
    assert words.text(edits) == "del1[a],del3[,],[film]5[unk]"
    assert words.read_edits(words.text(edits)) == edits
