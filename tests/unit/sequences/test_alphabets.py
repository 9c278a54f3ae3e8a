"""Promises of the alphabets."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdesign.errors import InputError, UsageError
from seqdesign.sequences.alphabets import (
    ALPHABETS,
    Alphabet,
    get_alphabet,
    guess_alphabet,
    reverse_complement,
)

WITH_COMPLEMENT = [a for a in ALPHABETS.values() if a.complement]
ALL = [*ALPHABETS.values(), get_alphabet("letters:ABCDEFGHIJ"), get_alphabet("letters:abAB01")]


@pytest.mark.parametrize("alphabet", ALL, ids=lambda a: a.name)
def test_an_alphabet_survives_json_and_repr(alphabet: Alphabet) -> None:
    assert Alphabet.from_dict(json.loads(json.dumps(alphabet.to_dict()))) == alphabet
    assert eval(repr(alphabet)) == alphabet
    odd = Alphabet("own", "XYZ", ambiguous=(("W", "XY"),))
    assert eval(repr(odd)) == odd


@pytest.mark.parametrize("alphabet", ALL, ids=lambda a: a.name)
def test_an_alphabet_is_an_immutable_hashable_value(alphabet: Alphabet) -> None:
    with pytest.raises(AttributeError):
        alphabet.letters = "AB"  # type: ignore[misc]
    with pytest.raises(TypeError):
        alphabet.ambiguity["N"] = "A"  # type: ignore[index]
    assert len({alphabet, Alphabet.from_dict(alphabet.to_dict())}) == 1


@pytest.mark.parametrize("alphabet", WITH_COMPLEMENT, ids=lambda a: a.name)
@given(data=st.data())
def test_the_complement_is_an_involution_over_all_codes_and_cases(
    alphabet: Alphabet, data: st.DataObject
) -> None:
    """Oracle 24."""
    letters = alphabet.letters + "".join(alphabet.ambiguity) + "-."
    text = data.draw(st.text(letters + letters.lower()))
    assert alphabet.reverse_complement(alphabet.reverse_complement(text)) == text


@pytest.mark.parametrize(
    ("text", "expected"), [("ACGTT", "AACGT"), ("ACGU", "ACGU"), ("RYKMBDHVNSW", "WSNBDHVKMRY")]
)
def test_the_reverse_complement_equals_biopython(text: str, expected: str) -> None:
    """Expected values from Bio.Seq 1.88 (reverse_complement and reverse_complement_rna)."""
    from Bio.Seq import Seq

    seq = Seq(text)
    reference = str(seq.reverse_complement_rna() if "U" in text else seq.reverse_complement())
    assert reverse_complement(text) == reference == expected


def test_an_alphabet_without_complement_refuses_one() -> None:
    with pytest.raises(UsageError, match="protein"):
        reverse_complement("MKV", "protein")


@pytest.mark.parametrize(
    ("sequences", "name"),
    [
        (["ACGT"], "dna"),
        (["acgtnn"], "dna"),
        (["ACGU"], "rna"),
        (["AAAA"], "dna"),
        (["MKVLAA"], "protein"),
        (["MKVLAA*"], "protein"),
        (["MKV*LAA"], "protein-stop"),
        (["GAGAGSGAGAGS", "GAGYGAGVGAGY"], "protein"),
        (["A-C.GT"], "dna"),
        (["ACGTACGTACGTACGTACGTE"], "dna"),
        (["AC", "GU"], "rna"),
        (["ACGTNRYACG", "ACGTTTTACG", "ACWSKMBACG"], "dna"),
        (["ACGURYACGU", "ACWSKMUACG"], "rna"),
        (["GARTKVGCATGARTK"], "protein"),
    ],
)
def test_the_alphabet_is_guessed_by_the_documented_rule(sequences: list[str], name: str) -> None:
    assert guess_alphabet(sequences) == ALPHABETS[name]
    assert guess_alphabet(iter(sequences)) == ALPHABETS[name]


@pytest.mark.parametrize(
    ("sequences", "message"),
    [([], "no letters"), (["--"], "no letters"), (["ACGTU"], "both T"), (["0123"], "letters:ABC")],
)
def test_a_guess_that_cannot_be_made_says_what_to_do(sequences: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        guess_alphabet(sequences)


@pytest.mark.parametrize(
    "spec", ["dnaa", "letters:A", "letters:AA", "letters:A B", "letters:A>", "letters:Aé"]
)
def test_a_wrong_alphabet_name_is_a_usage_error(spec: str) -> None:
    with pytest.raises(UsageError):
        get_alphabet(spec)


def test_names_ignore_case_and_custom_letters_decide_about_case() -> None:
    assert get_alphabet("DNA") is ALPHABETS["dna"]
    assert not get_alphabet("letters:ABC").case_sensitive
    assert get_alphabet("letters:ABc").case_sensitive


@pytest.mark.parametrize("alphabet", ALL, ids=lambda a: a.name)
def test_the_letter_for_unknown_is_no_letter_of_the_alphabet(alphabet: Alphabet) -> None:
    assert alphabet.unknown not in alphabet.letters
    assert {"dna": "N", "rna": "N", "protein": "X", "protein-stop": "X"}.get(
        alphabet.name, "?"
    ) == alphabet.unknown
