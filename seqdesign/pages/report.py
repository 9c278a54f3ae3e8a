"""The page of ``report``: warnings, what was run, the models, and what was made with them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from seqdesign.errors import InputError, UsageError
from seqdesign.families import family_of
from seqdesign.ordering.designs import wanted_by
from seqdesign.pages.answers import asked_of_maximize, designs_answer, order_files
from seqdesign.pages.compare import add_comparison, comparison_answer
from seqdesign.pages.constraints import Checked, check
from seqdesign.pages.design_sections import add_asked, add_design_sections
from seqdesign.pages.designed import DesignSet, read_designs
from seqdesign.pages.methods import add_methods
from seqdesign.pages.runs import Run, changed_files, find_runs, run_warnings
from seqdesign.pages.structure import add_structure, can_be_mapped
from seqdesign.pages.tables import add_tables, contributions
from seqdesign.reports.answer import Answer
from seqdesign.reports.html import Page
from seqdesign.runs.manifest import Manifest, resolved_options, training_warnings
from seqdesign.runs.progress import phase
from seqdesign.sequences.alphabets import Alphabet, guess_alphabet, model_alphabet
from seqdesign.training.measured import measured_range

if TYPE_CHECKING:
    from seqdesign.motifs.files import MotifSet

SEQUENCES = ("maximize", "revise", "sample-vae", "sample-gan", "interpolate")
"""Commands that write sequences."""
TRAINING_SHOWN = 2000
"""Training sequences that the logo of designs from noise is compared with."""


@phase("writing the page")
def write_report(
    paths: Sequence[Path],
    output: Path,
    *,
    title: str | None = None,
    motifs: str | None = None,
    structure: Path | None = None,
    command: Callable[[Manifest], str] = lambda manifest: manifest.command,
) -> tuple[Page, list[Run]]:
    """Write one page about runs and sequences to ``output``; the parameters are those of ``add_runs``.

    Raises InputError for a path that is not there or cannot be read, ModelError for a damaged manifest,
    OutputError.
    """
    runs = find_runs(paths)
    page = Page(title or "Sequence design")
    add_runs(page, runs, motifs=motifs, structure=structure, command=command)
    page.write(output)
    return page, runs


def add_runs(
    page: Page,
    runs: Sequence[Run],
    *,
    command: Callable[[Manifest], str],
    motifs: str | None = None,
    structure: Path | None = None,
) -> None:
    """A chapter about each run.

    command: what to type to make a run again. motifs: a collection to look for gains and losses in.
    structure: a file of the molecule, which shows what models were told of each position.

    Raises InputError for a file that cannot be read, UsageError for a structure of no model.
    """
    if structure is not None and not any(map(can_be_mapped, runs)):
        raise UsageError(
            "has no effect here; name a model that learned from measured sequences of one length",
            option="--structure",
        )
    page.add_provenance(_provenance(runs))
    sets = {run.path: _designs(run) for run in runs if not run.is_model}
    made = {run.name: found for run in runs if (found := sets.get(run.path)) is not None}
    if len(runs) > 1 and page.answer is None:
        page.answer = comparison_answer(runs, made)
    if len(runs) > 1:
        add_comparison(page, runs, made)
    added = contributions(runs)
    for run in runs:
        designs = sets.get(run.path)
        doubts = [*_warnings(run, designs), *training_warnings(run.model, run.model_name)]
        page.warnings(dict.fromkeys(doubts), about=run.name if len(runs) > 1 else "")
        checked = _checked(run, designs)
        answer: Answer | None = _answer(run, designs, checked, doubts)
        if len(runs) == 1 and page.answer is None:
            page.answer, answer = answer, None
        page.chapter(run.name, facts=_facts(run, command), answer=answer)
        if run.is_model:
            sections = family_of(run.path).sections
            if sections is not None:
                sections(page, run.path, run.result)
            if structure is not None and can_be_mapped(run):
                add_structure(page, run, structure)
        elif designs is not None:
            _add_sequences(page, run, designs, checked, motifs, added)
        else:
            add_tables(page, run)
        add_methods(page, run.manifest)


def _checked(run: Run, designs: DesignSet | None) -> Checked:
    """The rules of the run, checked again; nothing for a model or a table."""
    if designs is None:
        return Checked([], {})
    return check(designs, dict(run.option), _alphabet(run, designs))


def _answer(run: Run, designs: DesignSet | None, checked: Checked, doubts: Sequence[str]) -> Answer:
    """What stands at the top of a run's chapter."""
    if designs is None:
        family = family_of(run.path) if run.is_model else None
        if family is not None and family.answer is not None:
            return family.answer(run.path, run.result)
        return Answer(_headline(run, designs))
    summary = run.result.get("summary") or {}
    asked = _headline(run, designs)
    if "objective" in summary:
        asked = asked_of_maximize(run.option, summary, str(run.result.get("model") or "the model"))
    files = order_files(run.path, run.option.get("table"), len(designs))
    return designs_answer(
        designs,
        asked=asked,
        measured=_measured(run),
        rules=checked.rows,
        summary=summary,
        files=files,
        doubts=doubts,
    )


def _measured(run: Run) -> Mapping[str, Sequence[float]]:
    """The range of training outcomes, from the run's summary or from the model's folder."""
    summary = run.result.get("summary") or {}
    if summary.get("measured"):
        return dict(summary["measured"])
    judge = run.option.get("judge")
    folder = run.base / judge if judge else run.model
    return measured_range(folder, str(summary.get("outcome") or "outcome"))


def _designs(run: Run) -> DesignSet | None:
    """The sequences of a file; None for a table of something else, which only a run can have written."""
    try:
        found = read_designs(run.path, None if run.model is None else model_alphabet(run.model))
        return replace(found, wanted=wanted_by(run.option))
    except InputError:
        if run.manifest is None or run.manifest.name in SEQUENCES:
            raise
        return None


def _warnings(run: Run, designs: DesignSet | None) -> list[str]:
    found = list(run_warnings(run))
    for part in (run.result.get("quality"), run.result.get("summary")):
        found += (part or {}).get("warnings", ())
    health = run.result.get("health") or {}
    found += [finding["text"] for finding in health.get("findings", ()) if finding["flagged"]]
    if designs is not None:
        meanings = {
            "unconfirmed": "are not confirmed by the members that judge",
            "infeasible": "are inputs as they were, because alpha admits no code for them",
            "violating": "break the constraints, and no revision was found that does not",
        }
        # The summary of maximize speaks of unconfirmed designs by itself.
        found += [
            f"{designs.count(status):,} of {len(designs):,} {meaning}"
            for status, meaning in meanings.items()
            if designs.count(status) and not (status == "unconfirmed" and run.result.get("summary"))
        ]
    return found


def _headline(run: Run, designs: DesignSet | None) -> str:
    """What it is, in one sentence."""
    if designs is None and not run.is_model:
        return f"What {run.manifest.name if run.manifest else 'somebody'} wrote."
    if designs is None:
        return f"A model made by {run.manifest.name if run.manifest else 'hand'}."
    model = f" with {run.result['model']}" if run.result.get("model") else ""
    made = f" by {run.manifest.name}{model}" if run.manifest else ""
    return f"{len(designs):,} sequences{made}."


def _facts(run: Run, command: Callable[[Manifest], str]) -> dict[str, object]:
    """What was run, and how to repeat it."""
    manifest = run.manifest
    if manifest is None:
        if run.is_model:
            return {"made by": "unknown: there is no manifest, as of a model saved from Python"}
        return {"made by": "unknown: there is no manifest; name the output with -o, not with >"}
    return {
        "made by": command(manifest),
        "repeat with": shlex.join(["seqdesign", "rerun", str(run.path)]),
        "started": f"{manifest.started.replace('T', ' ').removesuffix('+00:00')} UTC, "
        f"{manifest.circumstances}, seqdesign {manifest.versions.get('seqdesign')}",
    }


def _add_sequences(
    page: Page,
    run: Run,
    designs: DesignSet,
    checked: Checked,
    motifs: str | None,
    added: Mapping[tuple[str, str], str],
) -> None:
    summary = run.result.get("summary") or {}
    alphabet = _alphabet(run, designs)
    collection, sites = None, None
    if motifs is not None:
        from seqdesign.motifs.changes import Construct, motifs_over, sites_of

        collection, construct = motifs_over(motifs, alphabet), Construct.of(run.option)
        places = sites_of(designs.sequences, collection, alphabet, construct)
        sites = {str(designs.rows[place]["id"]): text for place, text in places.items()}
    outcome = summary.get("outcome") or "outcome"
    add_design_sections(
        page,
        designs,
        checked,
        alphabet,
        name=Path(run.path.name).stem,
        score=f"{designs.reading.name} ({summary['objective']})"
        if "objective" in summary
        else f"predicted {outcome}",
        measured=_measured(run),
        sites=sites,
        contributions=added,
        training=_training(run, designs),
    )
    if collection is not None:
        _add_motif_changes(page, run, designs, collection, alphabet)
    if "objective" in summary:
        add_asked(page, summary)


def _add_motif_changes(
    page: Page, run: Run, designs: DesignSet, collection: MotifSet, alphabet: Alphabet
) -> None:
    """Motifs that designs gain and lose against their parents."""
    from seqdesign.motifs.changes import Construct, gained_and_lost
    from seqdesign.pages.motifs import add_changes

    if designs.originals is None:
        text = "The parents are not known, so nothing is gained or lost by design."
        page.section("Gained and lost motifs", text)
        return
    construct = Construct.of(run.option)
    found = gained_and_lost(designs.originals, designs.sequences, collection, alphabet, construct)
    add_changes(page, found, len(designs), {one.id: one for one in collection.motifs}, collection.title)


def _alphabet(run: Run, designs: DesignSet) -> Alphabet:
    """That of the model where it is still there, else by the letters."""
    known = None if run.model is None else model_alphabet(run.model)
    return guess_alphabet(designs.sequences) if known is None else known


def _training(run: Run, designs: DesignSet) -> Sequence[str]:
    """Sequences that the model has learned from, for designs that have no parents."""
    if designs.originals is not None or run.model is None:
        return ()
    from seqdesign.models.predictor.store import REFERENCE, load_reference
    from seqdesign.sequences.encoders import decode

    if not (run.model / REFERENCE).exists():
        return ()
    reference = load_reference(run.model)
    alphabet = _alphabet(run, designs)
    return decode(reference.tokens[:TRAINING_SHOWN], alphabet)


def _provenance(runs: Sequence[Run]) -> dict[str, object]:
    """Versions, and for each run its options and the state of its files."""
    found: dict[str, object] = {}
    for run in runs:
        manifest = run.manifest
        if manifest is None:
            continue
        changed = changed_files(manifest.inputs, run.base)
        options = resolved_options(manifest, folder=run.path if run.is_model else None)
        found[f"{run.path}: typed"] = manifest.command
        found[f"{run.path}: seed, device"] = manifest.circumstances
        found[f"{run.path}: inputs, SHA-256"] = {
            name: f"{known} ({changed.get(name, 'unchanged')})" for name, known in manifest.inputs.items()
        }
        found[f"{run.path}: outputs, SHA-256"] = dict(manifest.outputs)
        found[f"{run.path}: options"] = options
        found[f"{run.path}: versions"] = dict(manifest.versions)
    return found
