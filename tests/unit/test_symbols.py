"""Letters with names of several characters, as they leave the program."""

from __future__ import annotations

import pytest

from seqdesign.symbols import has_symbols, is_symbol, name_of, spelled, spelled_escapes, symbol


def test_a_name_is_one_character_and_always_the_same() -> None:
    chlorine = symbol("Cl")
    assert len(chlorine) == 1
    assert symbol("Cl") == chlorine
    assert name_of(chlorine) == "Cl"
    assert is_symbol(chlorine)
    assert symbol("Cl", word=True) != chlorine


def test_plain_text_is_left_alone() -> None:
    for text in ("ACGT", "", "Grüße 7", "\U000f8000\U0010ffff"[1:]):
        assert spelled(text) == text
        assert not has_symbols(text)


def test_edits_have_brackets_where_names_have_none() -> None:
    edit = f"{symbol('Cl')}5{symbol('[nH]')},del3{symbol('Br')},A12G"
    assert spelled(edit) == "[Cl]5[nH],del3[Br],A12G"


def test_words_have_blanks_between_and_punctuation_has_none_before_it() -> None:
    words = "".join(symbol(word, word=True) for word in ("so", "(", "very", ")", "good", ",", "yes", "!"))
    assert spelled(words) == "so (very) good, yes!"


def test_names_in_html_are_escaped() -> None:
    assert spelled(f"<b>{symbol('<', word=True)}</b>", escape=True) == "<b>&lt;</b>"


def test_repr_in_a_message_shows_the_name() -> None:
    assert spelled_escapes(f"got {symbol('[Aib]')!r}") == "got '[Aib]'"


@pytest.mark.parametrize("name", ["", symbol("Cl") + "x"])
def test_a_name_is_plain_text(name: str) -> None:
    with pytest.raises(ValueError, match="plain characters"):
        symbol(name)
