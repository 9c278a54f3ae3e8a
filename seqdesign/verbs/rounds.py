"""The next round of measurements from Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seqdesign.config import SeedOption, jsonable
from seqdesign.design.options import RoundOptions
from seqdesign.design.proposal import ProposalSummary, Proposed, propose_round
from seqdesign.errors import InputError
from seqdesign.rules import Rule
from seqdesign.runs.manifest import Manifest
from seqdesign.sequences.options import LetterOptions, alphabet_with, encode_with, normal_records
from seqdesign.training.device import computing
from seqdesign.verbs.data import sequence_set
from seqdesign.verbs.design import in_memory
from seqdesign.verbs.options import letter_rules, pick, verb
from seqdesign.verbs.record import Record

if TYPE_CHECKING:
    from seqdesign.reports.html import Page


@dataclass(frozen=True, eq=False, repr=False)
class Proposal(Record[Proposed]):
    """What `propose` gives: the batch in the order of choice, and ``summary``, what the last round taught."""

    records: tuple[Proposed, ...]
    summary: ProposalSummary
    manifest: Manifest
    measured: tuple[float, float]
    """Least and largest value of all rounds."""

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

    def _lines(self) -> Sequence[str]:
        return [*self.summary.lines(), *(f"warning: {line}" for line in self.summary.warnings)]

    def _rows(self) -> list[dict[str, Any]]:
        return [one.row() for one in self.records]

    def _summary(self) -> Any:
        return jsonable(self.summary)

    def _page(self) -> Page:
        from seqdesign.pages.rounds import round_page

        return round_page(self.records, self.summary, self.manifest, measured=self.measured)


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
    """What to measure next, by a Gaussian process that learns from all rounds so far.

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
    called = dict(locals())
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
    values = [float(value) for one in normal for value in one.outcomes if value == value]
    manifest = in_memory("propose", {**called, **options}, seed, "cpu")
    return Proposal(tuple(records), summary, manifest, (min(values), max(values)))
