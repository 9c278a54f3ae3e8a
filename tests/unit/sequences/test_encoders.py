"""Promises of the encoders."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqdesign.errors import InputError, UnknownLetterError
from seqdesign.sequences.alphabets import ALPHABETS, Alphabet, get_alphabet
from seqdesign.sequences.encoders import Vocabulary, decode, encode, mask, one_hot

ALL = [*ALPHABETS.values(), get_alphabet("letters:ABCDEFGHIJ"), get_alphabet("letters:abAB01")]
DNA, RNA, PROTEIN = ALPHABETS["dna"], ALPHABETS["rna"], ALPHABETS["protein"]

each_alphabet = pytest.mark.parametrize("alphabet", ALL, ids=lambda a: a.name)


def texts(alphabet: Alphabet) -> st.SearchStrategy[list[str]]:
    return st.lists(st.text(alphabet.letters, max_size=12), max_size=8)


@each_alphabet
def test_the_special_ids_follow_the_letters(alphabet: Alphabet) -> None:
    v = Vocabulary(alphabet)
    n = len(alphabet.letters)
    assert (v.end, v.start, v.unknown, v.pad, v.size) == (n, n + 1, n + 2, n + 3, n + 4)


@each_alphabet
@given(data=st.data())
def test_decoding_undoes_encoding(alphabet: Alphabet, data: st.DataObject) -> None:
    sequences = data.draw(texts(alphabet))
    encoded = encode(sequences, alphabet)
    assert encoded.tokens.dtype == np.uint8
    assert encoded.tokens.shape == (len(sequences), max(map(len, sequences), default=0))
    assert decode(encoded.tokens, alphabet) == sequences
    assert decode(torch.from_numpy(encoded.tokens.astype(np.int64)), alphabet) == sequences
    assert encoded.lengths.tolist() == [len(s) for s in sequences]
    assert encoded.kept.tolist() == list(range(len(sequences)))
    assert mask(encoded.tokens, alphabet).sum(axis=1).tolist() == encoded.lengths.tolist()


@each_alphabet
@given(data=st.data())
def test_one_hot_round_trips_and_is_the_same_in_numpy_and_torch(
    alphabet: Alphabet, data: st.DataObject
) -> None:
    tokens = encode(data.draw(texts(alphabet).filter(any)), alphabet).tokens
    if tokens.size:
        tokens[0, 0] = Vocabulary(alphabet).unknown
    hot = one_hot(tokens, alphabet)
    hot_torch = one_hot(torch.from_numpy(tokens), alphabet)
    assert hot.shape == (tokens.shape[0], alphabet.size, tokens.shape[1])
    assert hot.dtype == np.float32
    assert hot_torch.dtype == torch.float32
    np.testing.assert_array_equal(hot, hot_torch.numpy())
    known = tokens < alphabet.size
    np.testing.assert_array_equal(hot.argmax(axis=1)[known], tokens[known])
    np.testing.assert_allclose(hot.sum(axis=1), mask(tokens, alphabet), atol=1e-6)


def test_one_hot_by_hand() -> None:
    tokens = encode(["AN", "T"], DNA, on_unknown="mask").tokens
    expected = [[[1, 0.25], [0, 0.25], [0, 0.25], [0, 0.25]], [[0, 0], [0, 0], [0, 0], [1, 0]]]
    assert one_hot(tokens, DNA).tolist() == expected
    assert one_hot(torch.from_numpy(tokens).long(), DNA, dtype=torch.float64).tolist() == expected


def test_decoding_stops_at_end_and_pad_and_never_writes_them() -> None:
    """Oracle 24: padding is never emitted, whatever follows it."""
    v = Vocabulary(DNA)
    rows = np.array(
        [[0, 1, v.end, 2], [3, v.pad, 0, 0], [v.end, 0, 0, 0], [0, 1, 2, v.unknown], [0, v.end, v.start, 0]]
    )
    assert decode(rows, DNA) == ["AC", "T", "", "ACGN", "A"]


@pytest.mark.parametrize("rows", [[[5, 0]], [[0, 8]], [[-1]]])
def test_decoding_refuses_start_and_ids_outside_the_vocabulary(rows: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="START|token ids"):
        decode(np.array(rows), DNA)


def test_case_is_ignored_except_where_the_alphabet_tells_it_apart() -> None:
    np.testing.assert_array_equal(encode(["acGT"], DNA).tokens, encode(["ACGT"], DNA).tokens)
    both = get_alphabet("letters:abAB")
    assert decode(encode(["aBbA"], both).tokens, both) == ["aBbA"]
    with pytest.raises(UnknownLetterError):
        encode(["c"], both)


def test_an_unknown_letter_is_named_with_file_line_record_and_position() -> None:
    """Oracle 22."""
    with pytest.raises(UnknownLetterError) as error:
        encode(["ACGT", "ACNNG"], DNA, ids=["one", "two"], source="x.fa", lines=[1, 3])
    assert (error.value.letter, error.value.position) == ("N", 3)
    assert (error.value.path, error.value.line, error.value.record) == ("x.fa", 3, "two")
    assert str(error.value).startswith("x.fa:3: record 'two': letter 'N' at position 3")
    assert "first of 2" in str(error.value)


@pytest.mark.parametrize("code", list(DNA.ambiguity))
def test_every_nucleotide_code_follows_the_policy(code: str) -> None:
    assert encode(["AAAAAAAAAAAAAA" + code], DNA, on_unknown="mask").tokens[0, -1] == Vocabulary(DNA).unknown
    assert encode(["A", "A" + code], DNA, on_unknown="skip").kept.tolist() == [0]
    with pytest.raises(UnknownLetterError, match=f"IUPAC code for {DNA.ambiguity[code]};"):
        encode(["AAAAAAAAAAAAAA" + code], DNA)


@pytest.mark.parametrize("letter", list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_every_letter_is_a_residue_or_follows_the_policy(letter: str) -> None:
    masked = encode(["M" + letter + "M"], PROTEIN, on_unknown="mask").tokens[0, 1]
    if letter in PROTEIN.letters:
        assert masked == PROTEIN.letters.index(letter)
    else:
        assert masked == Vocabulary(PROTEIN).unknown


@pytest.mark.parametrize(
    ("sequence", "alphabet", "advice"),
    [
        ("ACGU", "dna", "--alphabet rna"),
        ("MKVLW", "dna", "--alphabet protein"),
        ("ACGT", "rna", "--alphabet dna"),
        ("MKVLW", "rna", "--alphabet protein"),
        ("ACGU", "protein", "--alphabet rna"),
        ("AC-GT", "dna", "--gaps strip"),
        ("MK*V", "protein", "protein-stop"),
        ("AC1T", "dna", "--on-unknown"),
        ("ACéT", "dna", "letter 'é' at position 3"),
        ("AC\tT", "dna", r"letter ''\\t'' at position 3"),
    ],
)
def test_the_error_names_the_likely_cause(sequence: str, alphabet: str, advice: str) -> None:
    with pytest.raises(UnknownLetterError, match=advice):
        encode([sequence], ALPHABETS[alphabet])


def test_u_and_t_are_exchanged_only_when_asked() -> None:
    assert decode(encode(["ACGu"], DNA, convert_ut=True).tokens, DNA) == ["ACGT"]
    assert decode(encode(["ACGT"], RNA, convert_ut=True).tokens, RNA) == ["ACGU"]


def test_gaps_are_removed_only_when_asked_and_are_letters_where_the_alphabet_says_so() -> None:
    assert decode(encode(["A-C..G", "T"], DNA, gaps="strip").tokens, DNA) == ["ACG", "T"]
    own = get_alphabet("letters:AB-")
    assert decode(encode(["A-B"], own, gaps="strip").tokens, own) == ["A-B"]


def test_a_final_stop_is_dropped_unless_it_is_a_letter() -> None:
    assert decode(encode(["MKV*", "MK"], PROTEIN).tokens, PROTEIN) == ["MKV", "MK"]
    with_stop = ALPHABETS["protein-stop"]
    assert decode(encode(["MK*V*"], with_stop).tokens, with_stop) == ["MK*V*"]


def test_positions_are_counted_as_in_the_file_when_a_stop_was_dropped_elsewhere() -> None:
    with pytest.raises(UnknownLetterError) as error:
        encode(["MKV*", "MKXV*"], PROTEIN, ids=["a", "b"])
    assert (error.value.record, error.value.position) == ("b", 3)


@given(st.lists(st.text("ACGTN", min_size=1, max_size=9), min_size=1, max_size=12))
def test_skipping_keeps_exactly_the_clean_records_in_order(sequences: list[str]) -> None:
    result = encode(sequences, DNA, on_unknown="skip")
    clean = [i for i, s in enumerate(sequences) if "N" not in s]
    assert result.kept.tolist() == clean
    assert decode(result.tokens, DNA) == [sequences[i] for i in clean]


@pytest.mark.parametrize("excess", [0, 1])
def test_a_sequence_is_never_shortened_silently(excess: int) -> None:
    sequences = ["ACGT", "A" * (6 + excess)]
    if excess:
        with pytest.raises(InputError, match="7 letters, at most 6") as error:
            encode(sequences, DNA, max_length=6, ids=["a", "b"])
        assert error.value.record == "b"
    else:
        assert encode(sequences, DNA, max_length=6).lengths.tolist() == [4, 6]


def test_arguments_are_left_as_they_were() -> None:
    sequences = ["AC-GT", "MKV*"]
    encode(sequences, PROTEIN, gaps="strip")
    assert sequences == ["AC-GT", "MKV*"]


def test_encoded_tokens_are_writable_and_rows_can_be_taken() -> None:
    encoded = encode(["AC", "GT", "TT"], DNA)
    encoded.tokens[0, 0] = 3
    part = encoded.take([2, 0])
    assert decode(part.tokens, DNA) == ["TT", "TC"]
    assert part.kept.tolist() == [2, 0]
    assert (len(part), part.vocabulary.pad) == (2, 7)


def test_encoding_needs_no_torch() -> None:
    code = (
        "import sys; from seqdesign.sequences import encoders as e, alphabets as a;"
        "d = a.get_alphabet('dna'); e.decode(e.encode(['ACGT'], d).tokens, d);"
        "e.one_hot(e.encode(['ACGT'], d).tokens, d); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
