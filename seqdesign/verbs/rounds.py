"""The next round of measurements from Python."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seqdesign.config import SeedOption, jsonable
from seqdesign.design.options import RoundOptions
from seqdesign.design.proposal import ProposalSummary, Proposed, propose_round
from seqdesign.errors import InputError
from seqdesign.rules import Rule
from seqdesign.sequences.options import LetterOptions, alphabet_with, encode_with, normal_records
from seqdesign.sequences.tables import write_table
from seqdesign.training.device import computing
from seqdesign.verbs.data import sequence_set
from seqdesign.verbs.options import in_python, letter_rules, pick, verb

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Proposal(Sequence[Proposed]):
    """What `propose` gives: the batch in the order of choice, and ``summary``, what the last round taught."""

    records: tuple[Proposed, ...]
    summary: ProposalSummary

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: Any) -> Any:
        return self.records[index]

    def __iter__(self) -> Iterator[Proposed]:
        return iter(self.records)

    @property
    def sequences(self) -> list[str]:
        """Of the batch."""
        return [one.sequence for one in self.records]

    def text(self) -> str:
        """What the rounds say, and warnings."""
        warnings = [f"warning: {line}" for line in self.summary.warnings]
        return in_python("\n".join([*self.summary.lines(), *warnings]), {})

    def to_dict(self) -> dict[str, Any]:
        """JSON types: the summary, and every record."""
        return {"summary": jsonable(self.summary), "records": [jsonable(one) for one in self.records]}

    def to_frame(self) -> pd.DataFrame:
        """One row a sequence."""
        import pandas as pd

        return pd.DataFrame([one.row() for one in self.records])

    def write(self, path: str | os.PathLike[str]) -> int:
        """Write the table by suffix (.csv, .xlsx, ...); returns how many. OutputError."""
        return write_table([one.row() for one in self.records], path)

    def __repr__(self) -> str:
        return f"<Proposal: {len(self)}; {self.text().splitlines()[0]}>"

    def _repr_html_(self) -> str:
        lines = "<br>".join(html.escape(line) for line in self.text().splitlines())
        return f"<p>{lines}</p>{self.to_frame().head(20).to_html(index=False)}"


@verb(RoundOptions, LetterOptions, SeedOption)
def propose(
    rounds: Sequence[Any],
    *,
    candidates: Any = None,
    exclude: Any = (),
    rules: Sequence[Rule] = (),
    outcome: str | None = None,
    **options: Any,
) -> Proposal:
    """What to measure next, by an ensemble of Gaussian processes that learns from all rounds so far.

    Args:
        rounds: measured sequences, one set for each round in the order of time: SequenceSets, DataFrames
            with a column ``outcome``, or paths.
        candidates: all sequences that may be ordered; None: they are looked for around the best measured.
        exclude: further sequences that must not be proposed.
        rules: what every proposed sequence must obey, of `seqdesign.rules`.
        outcome: column of the outcome; ``outcome`` where it is there.

    Returns:
        The batch, in the order of choice, with predictions and 95% intervals in the units of the outcome, and
        a summary: how well the last round was predicted, and what it taught.

    Raises:
        InputError: too few measurements, or nothing left to propose.

    Example:
        >>> import seqdesign as sd
        >>> batch = sd.propose(["round1.csv", "round2.csv"], batch=96)
        >>> batch.write("round3.csv")
    """
    chosen, letters = pick(RoundOptions, options), pick(LetterOptions, options)
    seed = pick(SeedOption, options).seed
    read = [sequence_set(one, outcome=outcome) for one in rounds]
    lacking = next((i for i, one in enumerate(read) if one.outcomes is None), None)
    if lacking is not None or not read:
        raise InputError(f"round {(lacking or 0) + 1} has no outcomes; name their column with --outcome")
    alphabet = alphabet_with(letters, [text for one in read for text in one.sequences])

    def texts_of(records: Any) -> Any:
        return normal_records(letters, records, encode_with(letters, records, alphabet))

    stated = letter_rules(rules)
    with computing("cpu", None):
        normal = [texts_of(one) for one in read]
        records, summary = propose_round(
            [(one.sequences, one.outcomes) for one in normal],
            alphabet,
            chosen.batch,
            candidates=None if candidates is None else texts_of(sequence_set(candidates)).sequences,
            exclude=texts_of(sequence_set(exclude)).sequences if len(exclude) else (),
            rules=stated,
            acquisition=chosen.acquisition,
            minimize=chosen.minimize,
            only_seen=chosen.letters == "seen",
            min_distance=chosen.min_distance,
            both_strands=chosen.strands == "both",
            seed=seed,
        )
    return Proposal(tuple(records), summary)
