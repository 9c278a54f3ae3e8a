"""``seqdesign inspect``: what is in a file of sequences or a model; files in one pass and constant memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from seqdesign.commands.session import checked
from seqdesign.config import CommandConfig, Positional, fields_of
from seqdesign.constraints.positions import spans
from seqdesign.errors import UsageError
from seqdesign.runs.result import Result
from seqdesign.sequences.options import AUTO, CellOptions, ColumnOptions, cell_format, file_format, layout_of

if TYPE_CHECKING:
    from seqdesign.commands.start.inspect_model import InspectModelResult
    from seqdesign.sequences.alphabets import Alphabet
    from seqdesign.sequences.lab.replicates import NoiseCeiling
    from seqdesign.sequences.survey import OutcomeSummary, Survey, UnknownLetter

_BAR = 40
_CALLED = {
    "fasta": "FASTA", "fastq": "FASTQ", "parquet": "Parquet", "xlsx": "workbook", "genbank": "GenBank",
    "alignment": "alignment",
}  # fmt: skip
_COLUMNS = 12
"""Columns that are named."""
MANY_EQUAL, MANY_SHARE = 10, 0.1
"""Numbers, and share of all, that are equal to the largest or smallest where that is worth a word."""
FOR_MODELS = {"input", *(spec.name for spec in fields_of(CommandConfig))}
"""Options that have a meaning where the input is the folder of a model."""


@dataclass(frozen=True, kw_only=True)
class InspectConfig(ColumnOptions, CellOptions, CommandConfig):
    """Show what is in a sequence file (alphabet, lengths, unknown letters, duplicates, outcomes) or a model.

    Example: seqdesign inspect seqs.fa.gz
    """

    input: Annotated[Path, Positional("FILE")]
    """FASTA, GenBank or a table, plain or compressed; - for stdin, dataset:NAME for bundled data; or the
    folder of a model."""
    NUMBERED: ClassVar[bool] = True
    SEQUENCES_ONLY: ClassVar[bool] = False

    alphabet: str = AUTO
    """dna, rna, protein, protein-stop, or letters:ABC... for your own; auto goes by the letters."""


@dataclass(frozen=True, kw_only=True)
class InspectResult(Result):
    """What was found. Counts of letters ignore case; lengths are in characters as they stand in the file."""

    command: ClassVar[str] = "inspect"
    text_to: ClassVar[Literal["stdout", "stderr"]] = "stdout"

    input: str
    format: str
    compression: str
    dialect: str
    """How a table was found to be written, in words; "" for other files."""
    n_records: int
    n_letters: int
    n_lower_case: int
    alphabet: str | None
    min_length: int
    median_length: float
    max_length: int
    length_histogram: tuple[tuple[int, int, int], ...]
    varying: list[int] | None
    """Positions, from 1 or --first-position, at which sequences differ; None where lengths differ or
    there is but one record."""
    composition: dict[str, int]
    unknown_letters: tuple[UnknownLetter, ...]
    empty_mutations: tuple[int, ...]
    """Lines of records that are the wild type because their cell of mutations is empty."""
    n_duplicate_ids: int
    n_duplicate_sequences: int
    n_compared: int
    outcome: OutcomeSummary | None
    task: str | None
    """What train-predictor would take the outcome for; None for none, or one that it refuses."""
    task_about: str
    """The same in words."""
    noise: NoiseCeiling | None
    """How well the outcome could be predicted at best, where it is the mean of replicates."""
    other_columns: tuple[str, ...]
    """Columns of a table that were not read."""
    read_with: str
    """Options with which a training command reads the file in spite of its problems; "" without any."""
    written_by: str
    """What command of seqdesign wrote the file, in words; empty for a file of somebody else."""

    def text(self) -> str:
        """A short report."""
        packed = "" if self.compression == "plain" else f", {self.compression}"
        dialect = f" ({self.dialect})" if self.dialect else ""
        lines = [f"{self.input}: {self.format}{packed}{dialect}, {_count(self.n_records, 'record')}"]
        if self.n_records:
            lines += [*self._about_letters(), *self._about_lengths()]
            if self.empty_mutations:
                shown = ", ".join(map(str, self.empty_mutations[:_COLUMNS]))
                more = ", ..." * (len(self.empty_mutations) > _COLUMNS)
                said = _count(len(self.empty_mutations), "record")
                lines.append(f"wild type    {said} without a mutation: line {shown}{more}")
            lines += self._about_records()
            if self.noise is not None:
                lines.append(f"replicates   {self.noise.text()}")
            if self.other_columns:
                shown = ", ".join(self.other_columns[:_COLUMNS])
                more = f" and {len(self.other_columns) - _COLUMNS} more" * (
                    len(self.other_columns) > _COLUMNS
                )
                lines.append(f"not read     {shown}{more}")
        if self.read_with:
            lines.append(f"to train     add {self.read_with}")
        return "\n".join(lines)

    def _about_letters(self) -> list[str]:
        shares = "  ".join(f"{c} {n / self.n_letters:.1%}" for c, n in self.composition.items())
        lines = [
            f"alphabet     {self.alphabet or 'cannot be told; name it with --alphabet'}",
            f"composition  {shares}",
        ]
        if self.n_lower_case:
            lines.append(f"lower case   {_count(self.n_lower_case, 'letter')}, read as upper case")
        for u in self.unknown_letters:
            meaning = f" (IUPAC for {u.stands_for})" if u.stands_for else ""
            place = f"record '{u.record}', position {u.position}" + (f", line {u.line}" if u.line else "")
            lines.append(f"unknown      '{u.letter}'{meaning} {_count(u.count, 'time')}, first in {place}")
        return lines

    def _about_lengths(self) -> list[str]:
        lines = [f"length       {self.min_length} to {self.max_length}, median {self.median_length:g}"]
        if self.varying is not None and len(self.varying) < self.max_length:
            said = f"{len(self.varying)} of {self.max_length} vary"
            lines.append(f"positions    {said}{f': {_first(spans(self.varying))}' if self.varying else ''}")
        if self.min_length < self.max_length:
            most = max(count for _, _, count in self.length_histogram)
            for low, high, count in self.length_histogram:
                name = str(low) if low == high else f"{low}-{high}"
                lines.append(f"{name:>12} {'#' * round(_BAR * count / most)} {count:,}")
        return lines

    def _about_records(self) -> list[str]:
        among = "" if self.n_compared == self.n_records else f" among the first {self.n_compared:,} records"
        sequences = _count(self.n_duplicate_sequences, "sequence")
        repeated = f"repeated     {_count(self.n_duplicate_ids, 'id')}, {sequences}{among}"
        if (o := self.outcome) is None:
            hint = "; --outcome names its column" if self.other_columns else ""
            return [
                repeated,
                f"outcome      none{f' measured: {self.written_by}' if self.written_by else hint}",
            ]
        learned = [f"to learn     {self.task}: {self.task_about}"] if self.task else []
        named = "" if o.name == "outcome" else f"'{o.name}': "
        spread = "" if math.isnan(o.sd) else f", sd {o.sd:.4g}"
        moments = f"mean {o.mean:.4g}{spread}, {o.minimum:.4g} to {o.maximum:.4g}"
        if not o.count or o.num_strange:
            return [
                repeated,
                f"outcome      {named}{o.said}",
                *[f"             {moments}"] * bool(o.count),
                *learned,
            ]
        piled = [f"             {text}" for text in _piled(o)]
        return [repeated, f"outcome      {named}{o.said}: {moments}", *piled, *learned]


def _piled(outcome: OutcomeSummary) -> Iterator[str]:
    """Ends at which so many numbers are equal that they may be limits without their sign."""
    ends = {
        ">": (outcome.maximum, outcome.at_maximum, "largest"),
        "<": (outcome.minimum, outcome.at_minimum, "smallest"),
    }
    for sign, (value, count, name) in ends.items():
        # Of zeros nothing was measured, and two values are two classes.
        many = count >= MANY_EQUAL and count >= MANY_SHARE * outcome.count
        if many and value != 0 and outcome.at_minimum + outcome.at_maximum < outcome.count:
            yield (
                f"{count:,} are {value:.6g}, the {name}: where that is a limit and no measured value, write "
                f"{sign}{value:.6g}, which train-predictor learns as one"
            )


@checked
def inspect(config: InspectConfig) -> InspectResult | InspectModelResult:
    """Read a file once and say what is in it. An empty file has 0 records, which is no error here.

    Raises InputError for a file that cannot be read as sequences, UsageError for an unknown alphabet,
    ModelError for a model that cannot be opened.
    """
    if config.input.is_dir():
        from seqdesign.commands.start.inspect_model import inspect_model

        for spec in fields_of(type(config)):
            if spec.name not in FOR_MODELS and getattr(config, spec.name) != spec.default:
                raise UsageError("has no effect on a model; leave it out", option=spec.option)
        return inspect_model(config.input)
    return _survey(config)


def _survey(config: InspectConfig) -> InspectResult:
    from seqdesign.sequences.alphabets import get_alphabet, learned_spec, tokenizer_of
    from seqdesign.sequences.bundled import resolve_input
    from seqdesign.sequences.compression import compression_of, open_input
    from seqdesign.sequences.numbers import Tally
    from seqdesign.sequences.reader import OUTCOME, guess_format, is_blank, stream_sequences
    from seqdesign.sequences.survey import Survey

    given = config.alphabet != AUTO
    alphabet = get_alphabet(config.alphabet) if given and not learned_spec(config.alphabet) else None
    survey = Survey(
        tally=Tally(config.outcome or OUTCOME, cell_format(config)),
        tokenize=tokenizer_of(config.alphabet) if given else None,
    )
    assert survey.tally is not None
    layout = layout_of(config)
    with open_input(resolve_input(config.input)) as handle:
        compression = compression_of(handle)
        blank = is_blank(handle)
        kind = file_format(config) or ("empty" if blank else guess_format(handle))
        batches = stream_sequences(
            handle,
            sequence_column=config.sequence,
            columns=(survey.tally.name,),
            lacking_columns="leave out" if config.outcome is None else "error",
            id_column=config.id_,
            format=file_format(config),
            layout=layout,
            cells=cell_format(config),
            allow_empty=True,
        )
        for batch in batches:
            survey.add(batch)
    alphabet = alphabet or (survey.guess() if survey.tokenize is None else None)
    first = 1 if config.first_position is None else config.first_position
    empty = () if layout.variants is None else tuple(layout.variants.empty)
    name = alphabet.name if alphabet else config.alphabet if given else None
    found = _result(survey, str(config.input), kind, compression, alphabet, first)
    return replace(found, alphabet=name, empty_mutations=empty)


def _result(
    survey: Survey, name: str, kind: str, compression: str, alphabet: Alphabet | None, first: int
) -> InspectResult:
    from seqdesign.sequences.problems import problems_of, words_of
    from seqdesign.tasks.by_name import recognise

    duplicate_ids, duplicate_sequences, compared = survey.duplicates()
    outcome, tally = survey.outcome(), survey.tally
    task = None if outcome is None or tally is None else recognise([tally])
    if outcome is not None and task is not None and tally is not None:
        outcome = replace(outcome, said=task.says(tally))
    varying = survey.varying()
    return InspectResult(
        input=name,
        format=_CALLED.get(kind, kind),
        compression=compression,
        dialect=survey.dialect,
        n_records=survey.n_records,
        n_letters=survey.n_letters,
        n_lower_case=survey.n_lower,
        alphabet=alphabet.name if alphabet else None,
        min_length=min(survey.lengths, default=0),
        median_length=survey.median_length(),
        max_length=max(survey.lengths, default=0),
        length_histogram=survey.length_histogram(),
        varying=None if varying is None else [place + first - 1 for place in varying],
        composition=survey.composition(),
        unknown_letters=survey.unknown_letters(alphabet) if alphabet else (),
        empty_mutations=(),
        n_duplicate_ids=duplicate_ids,
        n_duplicate_sequences=duplicate_sequences,
        n_compared=compared,
        outcome=outcome,
        task=task.name if task else None,
        task_about=task.about if task else "",
        noise=survey.noise,
        other_columns=survey.unused,
        read_with=words_of(problems_of(survey, alphabet, readable=task is not None, limits=True)),
        written_by=survey.origin.says() if survey.origin else "",
    )


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _first(names: Sequence[str]) -> str:
    """Names, or the first ten of many."""
    return ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
