"""``seqdesign check``: one yes or no for each sequence, the reason and the place, and the smallest remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from seqdesign.commands.provenance import begin_manifest, leave_manifest
from seqdesign.commands.session import checked
from seqdesign.config import Between, CommandConfig, Flag, Positional, Written
from seqdesign.constraints.options import LetterRules
from seqdesign.runs.result import Result
from seqdesign.sequences.options import (
    DuplicatePolicy,
    LetterOptions,
    SequenceColumns,
    alphabet_with,
    encode_with,
    file_format,
    layout_of,
    normal_records,
)

if TYPE_CHECKING:
    from seqdesign.constraints.constraint import Violation
    from seqdesign.constraints.verdicts import Verdict

SHOWN = 3
"""Places of one rule that a person is told."""
RULES = (
    *("template", "allow", "forbid", "gc", "gc_window", "gc_difference", "max_homopolymer"),
    *("repeat", "hairpin", "tm", "synthesis"),
)


@dataclass(frozen=True, kw_only=True)
class CheckConfig(LetterRules, SequenceColumns, DuplicatePolicy, LetterOptions, CommandConfig):
    """Check every sequence against the rules: yes, or no with the reason and the position.

    The exit code is 0 when all pass and 1 when one fails; --mend changes as few letters as it can.

    Example: seqdesign check genes.fa --synthesis twist --forbid BsaI --mend --coding -o mended.fa
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "output", "table", "mend", "coding", "forbid", "gc", "gc_window", "max_homopolymer", "synthesis",
        "left", "right", "sequence", "id_",
    )  # fmt: skip

    input: Annotated[Path, Positional("FILE")]
    """FASTA, CSV, TSV or Parquet file, plain or compressed; - for stdin, dataset:NAME for bundled data."""
    mend: bool = False
    """Fix sequences that break a rule with as few substitutions as it finds; needs --output."""
    coding: bool = False
    """Each sequence is a reading frame from its first to its last letter, and --mend keeps its protein."""
    codon_table: Annotated[int, Between(1)] = 1
    """Genetic code of --coding, by its NCBI number."""
    output: Annotated[Path | None, Flag("-o"), Written("fasta")] = None
    """FASTA of all sequences that obey the rules, fixed or as they were; - for stdout."""
    table: Annotated[Path | None, Written("table")] = None
    """Also write a table with a row for each sequence: CSV, TSV or Parquet by suffix."""

    def problems(self) -> Iterator[str]:
        """Rules to check, and settings that would have no effect."""
        if self.mend and self.output is None:
            yield "--mend: needs a file for the mended sequences; name it with -o"
        if self.json and str(self.output) == "-":
            yield "--json: needs a file for the sequences; name it with -o"
        if self.codon_table != 1 and not self.coding:
            yield "--codon-table: has no effect without --coding; leave it out"
        if not self.coding and not any(getattr(self, name) for name in RULES):
            yield "name at least one rule, such as --synthesis twist or --forbid BsaI"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One sequence and what the rules say of it."""

    id: str
    ok: bool
    """Whether it obeys all rules as it is."""
    reason: str
    """What it breaks and where, "" for nothing."""
    violations: str
    """The same for programs: ``forbid:BsaI@11-16;gc:0.4-0.6``."""
    mended: bool | None
    """Whether a sequence that obeys them was found; None without --mend, or where nothing is to be mended."""
    changes: int
    edits: str
    """What was changed, such as A5G,C11T."""
    sequence: str
    """As it was read, or mended."""


@dataclass(frozen=True, kw_only=True)
class CheckResult(Result):
    """What was found of all sequences, in their order."""

    command: ClassVar[str] = "check"
    text_to: ClassVar[Literal["stdout", "stderr"]] = "stderr"
    KEY: ClassVar[tuple[str, ...]] = (r"^([\d,]+ of [\d,]+) obey",)

    input: str
    n_records: int
    n_ok: int
    n_mended: int
    records: tuple[Checked, ...]
    output: Path | None
    table: Path | None

    @property
    def exit_code(self) -> int:
        """1 where a sequence neither obeys the rules nor could be mended."""
        return 0 if self.n_ok + self.n_mended == self.n_records else 1

    def text(self) -> str:
        """A line for each sequence, and a count."""
        lines = []
        for one in self.records:
            answer = "yes" if one.ok else "no "
            what = one.reason
            if one.mended:
                what += (
                    f"; mended by {one.changes} {'change' if one.changes == 1 else 'changes'}: {one.edits}"
                )
            elif one.mended is False:
                what += "; no sequence near it was found that obeys the rules"
            lines.append(f"{answer} {one.id}{f': {what}' if what else ''}")
        total = f"{self.n_ok:,} of {self.n_records:,} obey the rules"
        if self.n_mended:
            total += f", {self.n_mended:,} more were mended"
        return "\n".join([*lines, total])


def check(config: CheckConfig) -> CheckResult:
    """Judge all sequences of a file, and mend them where that is asked for. Raises SeqDesignError."""
    return _check(config)


@checked
def _check(config: CheckConfig) -> CheckResult:
    from seqdesign.constraints.verdicts import judge
    from seqdesign.sequences.compression import open_output
    from seqdesign.sequences.fasta import Record, write_fasta
    from seqdesign.sequences.reader import read_sequences
    from seqdesign.sequences.tables import write_table

    manifest = begin_manifest(config, device="cpu", inputs=[config.input])
    records = read_sequences(
        config.input,
        sequence_column=config.sequence,
        id_column=config.id_,
        format=file_format(config),
        layout=layout_of(config),
        on_duplicate=config.on_duplicate,
        on_missing="unlabelled",
        outcomes=False,
    )
    alphabet = alphabet_with(config, records.sequences)
    records = normal_records(config, records, encode_with(config, records, alphabet))
    verdicts = judge(
        records.sequences,
        config,
        alphabet,
        mend=config.mend,
        coding=config.coding,
        codon_table=config.codon_table,
    )
    found = tuple(
        _told(name, text, verdict, config.mend)
        for name, text, verdict in zip(records.ids, records.sequences, verdicts, strict=True)
    )
    if config.output is not None:
        with open_output(config.output) as handle:
            good = (one for one in found if one.ok or one.mended)
            write_fasta((Record(one.id, _header(one), one.sequence) for one in good), handle)
    if config.table is not None:
        rows = [_row(one) for one in found]
        write_table(rows, config.table, columns=list(_row(found[0])))
    result = CheckResult(
        input=str(config.input),
        n_records=len(found),
        n_ok=sum(one.ok for one in found),
        n_mended=sum(one.mended is True for one in found),
        records=found,
        output=config.output,
        table=config.table,
    )
    leave_manifest(manifest, config, result)
    return result


def _told(name: str, text: str, verdict: Verdict, mend: bool) -> Checked:
    from seqdesign.metrics.edits import edit_list

    mended = None if verdict.ok or not mend else verdict.mended is not None
    return Checked(
        id=name,
        ok=verdict.ok,
        reason="; ".join(_reasons(verdict.violations)),
        violations=";".join(v.code for v in verdict.violations),
        mended=mended,
        changes=verdict.changes,
        edits=",".join(edit_list(text, verdict.mended)) if verdict.mended else "",
        sequence=verdict.mended or text,
    )


def _reasons(violations: Sequence[Violation]) -> Iterator[str]:
    """What a person reads: of each rule the first places, and how many more there are."""
    rules: dict[str, list[Violation]] = {}
    for violation in violations:
        rules.setdefault(violation.constraint, []).append(violation)
    for name, places in rules.items():
        said = "; ".join(map(str, places[:SHOWN]))
        more = f" and {len(places) - SHOWN:,} more" * (len(places) > SHOWN)
        yield f"{said}{more} ({name})"


def _header(one: Checked) -> str:
    from seqdesign.sequences.fasta import format_fields

    return format_fields({"edits": one.changes, "edit_list": one.edits}) if one.mended else ""


def _row(one: Checked) -> dict[str, Any]:
    from dataclasses import asdict

    row = asdict(one)
    return {
        **row,
        "ok": "yes" if one.ok else "no",
        "mended": {None: "", True: "yes", False: "no"}[one.mended],
    }
