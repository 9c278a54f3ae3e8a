"""``seqdesign select``: which designs to order, with controls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from seqdesign.commands.provenance import begin_manifest, leave_manifest
from seqdesign.commands.session import checked
from seqdesign.config import (
    Between,
    CommandConfig,
    Flag,
    MadeBy,
    Positional,
    SeedOption,
    SequenceOutput,
    Written,
    suggest,
)
from seqdesign.errors import InputError, ModelError
from seqdesign.runs.result import Result
from seqdesign.sequences.options import DuplicatePolicy, SequenceColumns, file_format, layout_of

if TYPE_CHECKING:
    from seqdesign.objectives.reading import Wanted
    from seqdesign.ordering.shortlist import Known, Shortlist
    from seqdesign.runs.manifest import Manifest
    from seqdesign.sequences.reader import SequenceSet

SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class SelectConfig(SequenceColumns, DuplicatePolicy, SeedOption, SequenceOutput, CommandConfig):
    """Choose the designs to order: good ones that differ, nothing that has been measured already, with
    controls.

    Writes FASTA, the designs in the order of choice and then the controls.

    Example: seqdesign select designs.fa --budget 96 > shortlist.fa
    """

    input: Annotated[Path, Positional("DESIGNS")]
    """Designs of maximize or revise, or any FASTA, CSV, TSV or Parquet with a number for each; - is stdin."""
    budget: Annotated[int, Flag("-n"), Between(1)] = 96
    """Sequences to order, controls included."""
    quality: str | None = None
    """Column or header key that says how good a design is; the judges' bound (score_low or judged_low;
    cost_high or off_target_high, of which less is better), else score, when not given."""
    minimize: bool = False
    """Smaller --quality is better."""
    diversity: Annotated[float, Between(0, 1)] = 0.2
    """How much being different counts: 0 takes the best, 1 the most different."""
    per_parent: Annotated[int | None, Between(1)] = None
    """Most designs of one parent."""
    model: Annotated[Path | None, Flag("-m"), MadeBy("train-predictor", "train-vae")] = None
    """Folder made by train-predictor or train-vae, whose training sequences count as known; when not given,
    that of the run which wrote the designs."""
    exclude: tuple[Path, ...] = ()
    """More sequences that are known already, such as those of the last order; may be given several times."""
    include_known: bool = False
    """Also take designs that have been measured already, with their measurement."""
    parents: bool = True
    """Order the parents of the chosen designs as controls, at most a quarter of the budget: --controls, else
    --wild-type, else the starts of the run."""
    controls: Path | None = None
    """Sequences to order as controls; of those that are parents of designs only the parents."""
    best_measured: Annotated[int, Between(0)] = 2
    """Best measured training sequences to order again as controls."""
    shuffled: Annotated[int, Between(0)] = 2
    """Shuffled designs to order as negative controls; they keep each pair of neighbouring letters."""
    table: Annotated[Path | None, Written("table")] = None
    """Also write a table: CSV, TSV or Parquet by suffix."""

    def problems(self) -> Iterator[str]:
        """Controls that contradict each other."""
        if self.controls is not None and not self.parents:
            yield "--controls: has no effect with --no-parents; leave one out"


@dataclass(frozen=True, kw_only=True)
class SelectResult(Result):
    """What was chosen."""

    command: ClassVar[str] = "select"

    candidates: int
    designs: int
    controls: int
    ranked_by: str
    model: Path | None
    """Whose training sequences are known."""
    known: dict[str, str]
    """Id of a design that was measured already -> what was measured."""
    repeated: int
    notes: tuple[str, ...]
    output: Path | None
    table: Path | None

    def text(self) -> str:
        """A few lines."""
        chosen = f"chose {self.designs:,} of {self.candidates:,} designs by {self.ranked_by}"
        lines = [f"{chosen} and {self.controls:,} controls"]
        if self.known:
            some = [f"{name} ({value})" for name, value in list(self.known.items())[:SHOWN]]
            more = f" and {len(self.known) - SHOWN:,} more" if len(self.known) > SHOWN else ""
            lines.append(f"known already: {', '.join(some)}{more}")
        if self.repeated:
            lines.append(f"{self.repeated:,} designs have the sequence of another; each is taken once")
        lines += [f"warning: {note}" for note in self.notes]
        return "\n".join([*lines, *(f"wrote {path}" for path in (self.output, self.table) if path)])


@checked
def select(config: SelectConfig) -> SelectResult:
    """Write the shortlist as FASTA, and a table. Raises SeqDesignError."""
    from seqdesign.ordering.designs import COSTS, LOWER, UPPER, model_of, quality_of, run_of, wanted_by
    from seqdesign.ordering.shortlist import Candidates, shortlist
    from seqdesign.sequences.compression import open_output
    from seqdesign.sequences.fasta import write_fasta
    from seqdesign.sequences.tables import write_table

    run = run_of(config.input)
    folder = config.model or model_of(run, config.input)
    inputs = [config.input, folder, config.wild_type, config.controls, *config.exclude]
    manifest = begin_manifest(config, device="cpu", inputs=inputs)
    records = _usable(_read(config, [*LOWER, *UPPER, *COSTS, config.quality or "status", "status", "parent"]))
    quality = quality_of(records, config.quality, config.minimize, run)
    notes = list(_notes(config, records, folder, run))
    wanted = wanted_by({"minimize": quality.minimized} if run is None else run.config)
    known, best = _known(config, folder, wanted)
    if config.best_measured and not best:
        notes.append(_no_best(folder, measured=any(known.values.values())))
    found = shortlist(
        Candidates(
            ids=records.ids,
            sequences=records.sequences,
            quality=quality.values.tolist(),
            less_is_better=quality.minimized,
            parents=records.columns.get("parent", [""] * len(records)),
        ),
        config.budget,
        diversity=config.diversity,
        per_parent=config.per_parent,
        known=known,
        include_known=config.include_known,
        parents=_parents(config, run),
        best=best,
        shuffled=config.shuffled,
        seed=config.seed,
    )
    if len(found.records) < config.budget:
        notes.append(f"only {len(found.records):,} sequences for a budget of {config.budget:,}")
    with open_output(config.output or "-") as handle:
        write_fasta((one.fasta() for one in found.records), handle)
    if config.table is not None:
        write_table([one.row() for one in found.records], config.table)
    column = f"{quality.column}, the {'smallest' if quality.minimized else 'largest'} first"
    result = _result(config, len(records), found, column, folder, notes)
    leave_manifest(manifest, config, result)
    return result


def _result(
    config: SelectConfig, num: int, found: Shortlist, column: str, folder: Path | None, notes: list[str]
) -> SelectResult:
    return SelectResult(
        candidates=num,
        designs=found.num_designs,
        controls=len(found.records) - found.num_designs,
        ranked_by=column,
        model=folder,
        known=dict(found.known),
        repeated=found.repeated,
        notes=tuple(notes),
        output=config.output,
        table=config.table,
    )


def _read(config: SelectConfig, columns: list[str]) -> SequenceSet:
    from seqdesign.sequences.reader import read_sequences

    records = read_sequences(
        config.input,
        sequence_column=config.sequence,
        id_column=config.id_,
        format=file_format(config),
        on_duplicate=config.on_duplicate,
        columns=list(dict.fromkeys(columns)),
        lacking_columns="leave out",
        outcomes=False,
        layout=layout_of(config, default=()),
    )
    if config.quality is not None and not any(records.columns.get(config.quality, ())):
        hint = suggest(config.quality, (*records.columns, *records.unused))
        raise InputError(f"there is no column or header key '{config.quality}'{hint}", path=config.input)
    return records


def _usable(records: SequenceSet) -> SequenceSet:
    """Without the designs that were rejected."""
    status = records.columns.get("status", [""] * len(records))
    kept = [i for i, word in enumerate(status) if word not in ("rejected", "unjudged")]
    if not kept:
        raise InputError(
            "all designs were rejected or could not be judged (see their status); run maximize with "
            "looser rules",
            path=records.source,
        )
    return records.take(kept)


def _notes(
    config: SelectConfig, records: SequenceSet, folder: Path | None, run: Manifest | None
) -> Iterator[str]:
    status = records.columns.get("status", [])
    flagged = sum(word in ("unconfirmed", "extrapolates", "unusual") for word in status)
    if flagged:
        yield f"{flagged:,} of the designs are flagged by maximize (their status says why)"
    if folder is None and not config.exclude:
        why = "its model is not found" if run is not None else "no manifest of a run lies beside the designs"
        yield f"{why}, so nothing is known to be measured; name --model or --exclude"


def _no_best(folder: Path | None, *, measured: bool) -> str:
    """Why there is no measured sequence to order again."""
    if folder is None:
        return "no measured sequence is known to order again; name the model with --model"
    if not measured:
        return f"no measured sequence is known to order again: {folder} was trained without outcomes"
    return (
        "no measured sequence is ordered again, as nothing says which are best: designs are for a number to "
        "come near to, or for no label that is named; choose some yourself, with --controls"
    )


def _known(config: SelectConfig, folder: Path | None, wanted: Wanted) -> tuple[Known, list[tuple[str, str]]]:
    """What is known of which sequence, and the best measured ones."""
    from seqdesign.ordering.shortlist import Known
    from seqdesign.sequences.reader import read_sequences

    values: dict[str, dict[str, float | str]] = {}
    for path in config.exclude:
        more = read_sequences(path, on_missing="unlabelled", on_duplicate="keep")
        for i, text in enumerate(more.sequences):
            values.setdefault(text, {})
            if more.outcomes is not None and more.outcomes[i] == more.outcomes[i]:
                values[text]["outcome"] = float(more.outcomes[i])
    if folder is None:
        return Known(values=values), []
    trained = _trained_on(folder)
    for text, row in trained.items():
        values.setdefault(text, {}).update(row)
    ranked = _best_first(trained, wanted)[: config.best_measured]
    return Known(values=values), [(f"measured{i + 1}", text) for i, text in enumerate(ranked)]


def _best_first(trained: Mapping[str, Mapping[str, float | str]], wanted: Wanted) -> list[str]:
    """Sequences with the outcome that is wanted, the best first; of labels those alone that have the wanted
    label (of ``min:LABEL`` another one), as they came. None where nothing says what is best.
    """
    names = list(dict.fromkeys(name for row in trained.values() for name in row))
    if not names or isinstance(wanted.goal, float):
        return []
    name = wanted.outcome if wanted.outcome in names else names[0]
    cells = {text: row[name] for text, row in trained.items() if name in row}
    numbers = {text: cell for text, cell in cells.items() if not isinstance(cell, str)}
    if len(numbers) == len(cells):
        return sorted(numbers, key=numbers.__getitem__, reverse=wanted.goal == "max")
    if wanted.outcome not in cells.values():
        return []
    return [text for text, cell in cells.items() if (cell == wanted.outcome) == (wanted.goal == "max")]


def _trained_on(folder: Path) -> dict[str, dict[str, float | str]]:
    """Sequence -> outcome -> what was measured, a number or a label, of the sequences that a model was
    trained on.
    """
    import torch

    from seqdesign.families import family_of
    from seqdesign.training.measured import load_measured

    family = family_of(folder)
    measured = load_measured(folder)
    if measured is None or family.rows is None:
        raise ModelError(
            f"{folder} does not keep what it was trained on; name the training file with --exclude"
        )
    rows = family.rows(folder, torch.device("cpu"))
    classes: tuple[str, ...] = getattr(rows, "classes", ())
    found: dict[str, dict[str, float | str]] = {}
    for tokens, length, values in zip(measured.tokens, measured.lengths, measured.values, strict=True):
        text = "".join(
            rows.alphabet.letters[t] if t < rows.alphabet.size else rows.alphabet.unknown
            for t in tokens[:length].tolist()
        )
        found[text] = {
            name: classes[int(value)] if classes else float(value)
            for name, value in zip(rows.outcomes, values.tolist(), strict=False)
            if value == value  # measured
        }
    return found


def _parents(config: SelectConfig, run: Manifest | None) -> dict[str, str]:
    """Id -> sequence of the parents that may be controls."""
    from seqdesign.sequences.bundled import resolve_input
    from seqdesign.sequences.reader import read_sequences

    if not config.parents:
        return {}
    path = config.controls or config.wild_type
    if path is None and run is not None:
        named = run.config.get("start") or run.config.get("input")
        path = Path(str(named)) if named and str(named) != "-" else None
        if path is not None and not Path(resolve_input(path)).is_file():
            return {}
    if path is None:
        return {}
    found = read_sequences(path, outcomes=False, on_duplicate="first")
    return dict(zip(found.ids, found.sequences, strict=True))
