"""``seqdesign propose``: what to measure next, from all rounds of measurements so far."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from seqdesign.commands.provenance import begin_manifest, leave_manifest
from seqdesign.commands.session import checked
from seqdesign.config import CommandConfig, Flag, Positional, SeedOption, Written, part
from seqdesign.constraints.options import LetterRules
from seqdesign.design.options import RoundOptions
from seqdesign.errors import InputError
from seqdesign.runs.progress import say
from seqdesign.runs.result import Result
from seqdesign.sequences.options import (
    LetterOptions,
    ReadOptions,
    alphabet_with,
    encode_with,
    normal_records,
    numbering_of,
    read_with,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from seqdesign.design.proposal import ProposalSummary, Proposed
    from seqdesign.sequences.alphabets import Alphabet
    from seqdesign.sequences.reader import SequenceSet


@dataclass(frozen=True, kw_only=True)
class ProposeConfig(RoundOptions, LetterRules, ReadOptions, LetterOptions, SeedOption, CommandConfig):
    """Choose the sequences of the next round from all rounds so far, and show what the last one taught.

    Nothing that has been measured already is proposed again.

    Example: seqdesign propose round1.csv round2.csv --batch 96 -o round3.csv
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "output", "report", "batch", "candidates", "exclude", "minimize", "outcome", "sequence", "id_",
        "template", "forbid", "gc", "max_homopolymer", "on_missing", "replicates", "min_distance",
    )  # fmt: skip

    measured: Annotated[tuple[Path, ...], Positional("MEASURED")]
    """Measured sequences, one file for each round, the oldest first: tables or FASTA with outcomes."""
    candidates: Path | None = None
    """All sequences that can be ordered; when not given, candidates are variants of the best measured ones.
    """
    exclude: tuple[Path, ...] = ()
    """Sequences that must not be proposed, such as those of an order whose results are not back."""
    output: Annotated[Path | None, Flag("-o"), Written("table")] = None
    """Table of the batch, CSV, TSV, .xlsx or Parquet by suffix; - or nothing is CSV on stdout."""
    report: Annotated[Path | None, Written("page")] = None
    """Write a self-contained HTML page: how well the last round was predicted, and the next one."""


@dataclass(frozen=True, kw_only=True)
class ProposeResult(Result):
    """The batch, and what is known about it."""

    command: ClassVar[str] = "propose"

    summary: ProposalSummary
    sequences: tuple[Proposed, ...]
    output: Path | None
    report: Path | None = None

    def text(self) -> str:
        """A few lines."""
        wrote = [f"wrote {path}" for path in (self.output, self.report) if path]
        return "\n".join([*self.summary.lines(), *wrote])


@checked
def propose(config: ProposeConfig) -> ProposeResult:
    """Write the table of the next round. Raises SeqDesignError."""
    from seqdesign.design.proposal import propose_round
    from seqdesign.sequences.reader import read_sequences
    from seqdesign.sequences.tables import write_table
    from seqdesign.training.device import computing

    inputs = [*config.measured, config.candidates, *config.exclude]
    with computing("cpu", None):
        manifest = begin_manifest(config, device="cpu", inputs=inputs)
        read = [(path, read_with(config, path)) for path in config.measured]
        alphabet = alphabet_with(config, [text for _, one in read for text in one.sequences])
        rounds = [_values(path, _normal(config, one, alphabet)) for path, one in read]

        def texts_of(path: Path) -> list[str]:
            return _normal(config, read_sequences(path, outcomes=False), alphabet).sequences

        proposed, summary = propose_round(
            rounds,
            alphabet,
            config.batch,
            candidates=None if config.candidates is None else texts_of(config.candidates),
            exclude=[text for path in config.exclude for text in texts_of(path)],
            rules=part(config, LetterRules),
            acquisition=config.acquisition,
            minimize=config.minimize,
            only_seen=config.letters == "seen",
            min_distance=config.min_distance,
            both_strands=config.strands == "both",
            numbering=numbering_of(config, None),
            seed=config.seed,
        )
    for line in summary.warnings:
        say(f"warning: {line}", quiet=config.quiet)
    if not config.json or config.output is not None:
        rows = [one.row() for one in proposed]
        write_table(rows, config.output or "-", columns=list(rows[0]))
    result = ProposeResult(
        summary=summary, sequences=tuple(proposed), output=config.output, report=config.report
    )
    leave_manifest(manifest, config, result)
    if config.report is not None:
        from seqdesign.pages.rounds import round_page

        values = [float(value) for _, some in rounds for value in some]
        page = round_page(proposed, summary, manifest, measured=(min(values), max(values)))
        page.write(config.report)
    return result


def _normal(config: ProposeConfig, records: SequenceSet, alphabet: Alphabet) -> SequenceSet:
    return normal_records(config, records, encode_with(config, records, alphabet))


def _values(path: Path, records: SequenceSet) -> tuple[list[str], NDArray[np.float64]]:
    """Sequences and outcomes. Raises InputError for a file without."""
    if records.outcomes is None:
        raise InputError("has no outcomes; name their column with --outcome", path=path)
    return records.sequences, records.outcomes
