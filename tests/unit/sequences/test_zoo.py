"""What must happen with each bad or odd file of tests/zoo (robustness.md rows 1 to 15)."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqdesign.errors import InputError
from seqdesign.sequences.alphabets import guess_alphabet
from seqdesign.sequences.encoders import encode
from seqdesign.sequences.reader import read_sequences

ZOO = Path(__file__).resolve().parents[2] / "zoo"

SPECIMENS = {
    "empty.fa": (None, "no record"),
    "blank.fa": (None, "no record"),
    "empty.csv": (None, "no record"),
    "header_only.csv": (None, "no record"),
    "text_first.fa": (1, "must begin with '>', got 'ACGT'"),
    "headerless.fa": (1, "must begin with '>'"),
    "reads.fastq": (1, None),
    "cut_off.fastq": (5, "record 'b': a record of FASTQ has four lines"),
    "empty_id.fa": (3, "no id"),
    "indented_id.fa": (3, None),
    "empty_record.fa": (1, "record 'a': the record has no sequence"),
    "empty_last_record.fa": (3, "record 'b': the record has no sequence"),
    "nul.fa": (2, "NUL"),
    "nul.csv": (3, "NUL"),
    "latin1_id.fa": (3, "UTF-8"),
    "duplicate_ids.fa": (5, "record 'a': the id was used before, in line 1"),
    "iupac.fa": (3, "record 'b': letter 'N' at position 3"),
    "gaps.fa": (1, "letter '-' at position 3"),
    "stops.fa": (3, "record 'b': letter '\\*' at position 3"),
    "extra_field.csv": (3, "3 fields, the header has 2"),
    "short_row.csv": (2, "1 fields, the header has 2"),
    "text_outcome.csv": (2, "'outcome' must hold numbers, but it has 1 label: high \\(1\\)"),
    "underscore_number.csv": (2, "1 cell is no number: line 2 '1_000'"),
    "missing_outcome.csv": (3, "'outcome' is missing"),
    "infinite_outcome.csv": (3, "not finite"),
    "other_column.csv": (1, "the columns are dna, outcome"),
    "repeated_column.csv": (1, "unique"),
    "open_quote.csv": (3, "quotes"),
    "empty_sequence.csv": (2, "'sequence' is empty"),
    "notes.txt": (1, "neither FASTA"),
}


def test_every_specimen_is_listed() -> None:
    assert {p.name for p in ZOO.iterdir()} - {"README.md"} == set(SPECIMENS)


@pytest.mark.parametrize(("name", "line", "message"), [(n, *rest) for n, rest in SPECIMENS.items()])
def test_a_bad_file_is_refused_with_file_line_and_reason(
    name: str, line: int | None, message: str | None
) -> None:
    def use() -> None:
        records = read_sequences(ZOO / name)
        alphabet = guess_alphabet(s.replace("*", "") for s in records.sequences)
        encode(records.sequences, alphabet, ids=records.ids, source=records.source, lines=records.lines)

    if message is None:
        use()
        return
    with pytest.raises(InputError, match=message) as error:
        use()
    assert (error.value.path, error.value.line) == (str(ZOO / name), line)
    assert "\n" not in str(error.value)
