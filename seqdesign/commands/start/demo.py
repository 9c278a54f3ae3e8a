"""``seqdesign demo``: the main job on bundled real data, judged by measurements kept from training."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from seqdesign.config import Between, CommandConfig, Flag, RunConfig, Written, to_dict
from seqdesign.runs.progress import say
from seqdesign.runs.result import Result

if TYPE_CHECKING:
    import numpy as np

    from seqdesign.commands.design.maximize import MaximizeConfig, MaximizeResult
    from seqdesign.commands.train.train_vae import TrainVAEResult
    from seqdesign.design.records import Design, Revision
    from seqdesign.pages.demo import DesignTruth, Truth
    from seqdesign.sequences.reader import SequenceSet

DATA = "rna_mpsa_5ss9"
NUM_DESIGNS = 64
BUDGETS = (1, 2, 3, 4)
SHOWN_BUDGET = 3


@dataclass(frozen=True, kw_only=True)
class DemoConfig(RunConfig):
    """Train on real 5' splice sites, revise others, design new ones, and look all of them up.

    Example: seqdesign demo
    """

    output: Annotated[Path, Flag("-o"), Written("folder")] = Path("demo")
    """Folder for data, models, revisions, designs and report.html; replaces what an earlier demo left there.
    """
    inputs: Annotated[int, Between(20, 5000)] = 200
    """Held-out splice sites to revise."""
    epochs: Annotated[int, Between(1)] = 18
    """Passes of train-vae over the training set, which alone would make about 45."""


@dataclass(frozen=True, kw_only=True)
class DemoResult(Result):
    """What the demo found."""

    command: ClassVar[str] = "demo"
    text_to: ClassVar[Literal["stdout", "stderr"]] = "stdout"

    report: Path
    outcome_r2: float
    truth: tuple[Truth, ...]
    designs: DesignTruth
    constraints: tuple[str, ...]
    seconds: float

    def text(self) -> str:
        """The table of measured gains."""
        from seqdesign.reports.tables import text_table

        rows, designs = [t.row() for t in self.truth], self.designs.row()
        return "\n".join(
            [
                "",
                "Measured gain of revised 5' splice sites, in standard deviations; never trained on",
                text_table(rows, list(rows[0])),
                "",
                f"Measured log10 PSI of sites designed from noise, all with {', '.join(self.constraints)}",
                text_table([designs], list(designs)),
                "",
                f"done in {self.seconds:.0f} s; open {self.report} in a browser",
            ]
        )


def demo(config: DemoConfig) -> DemoResult:
    """Train on half of the measured splice sites, revise sites of the other half, design new ones, and look
    the results up. Raises SeqDesignError.
    """
    from seqdesign.commands.provenance import typed_command
    from seqdesign.oracles.table import TableOracle
    from seqdesign.pages import demo
    from seqdesign.pages.report import add_runs
    from seqdesign.pages.runs import find_runs
    from seqdesign.reports.html import Page
    from seqdesign.sequences.datasets import load_dataset

    started = time.monotonic()
    records = load_dataset(DATA)
    outcomes = records.outcomes
    assert outcomes is not None
    config.output.mkdir(parents=True, exist_ok=True)
    train, chosen = _choose(outcomes, config)
    known, inputs = config.output / "train.fa", config.output / "input.fa"
    _write(known, records.take(train), with_outcome=True)
    _write(inputs, records.take(chosen), with_outcome=False)
    trained = _train_vae(config, known)
    oracle = TableOracle(records.sequences, outcomes)
    scale = float(outcomes[train].std())
    measured = outcomes[chosen]
    runs = {
        (method, k): _revise(config, inputs, trained.model, method, k)
        for k in BUDGETS
        for method in ("revise", "search")
    }
    truth = tuple(
        demo.revision_truth(oracle, records.take(chosen), measured, scale, k, runs) for k in BUDGETS
    )
    made, designs = _design(config, known)
    allowed = demo.obeying(records, _maximize(config))
    found = demo.design_truth(oracle, designs, set(records.take(train).sequences), allowed)

    revised = _revised_file(config, "revise", SHOWN_BUDGET)
    page = Page(
        "Better splice sites",
        answer=demo.demo_answer(
            truth,
            found,
            inputs=len(chosen),
            measured=len(records),
            files=[("To order or test:", str(made.output)), ("Revisions:", str(revised))],
        ),
    )
    demo.add_revisions(page, truth, runs["revise", SHOWN_BUDGET], oracle, measured)
    demo.add_designs(page, found, designs, oracle, allowed, made.summary.constraints)
    files = (trained.model, revised, made.model, made.output)
    add_runs(page, find_runs([Path(file) for file in files if file is not None]), command=typed_command)
    report = config.output / "report.html"
    page.write(report)
    return DemoResult(
        report=report,
        outcome_r2=float(trained.quality.outcome_r2 or 0.0),
        truth=truth,
        designs=found,
        constraints=made.summary.constraints,
        seconds=time.monotonic() - started,
    )


def _train_vae(config: DemoConfig, source: Path) -> TrainVAEResult:
    from seqdesign.commands.train.train_vae import TrainVAEConfig, train_vae

    settings = TrainVAEConfig(
        sequences=source, output=config.output / "vae", epochs=config.epochs, overwrite=True,
        seed=config.seed, device=config.device, threads=config.threads, quiet=config.quiet,
    )  # fmt: skip
    _announce(config, "train-vae", settings)
    result = train_vae(settings)
    say(result.text(), quiet=config.quiet)
    return result


def _design(config: DemoConfig, source: Path) -> tuple[MaximizeResult, list[Design]]:
    """An ensemble of predictors, and designs from noise by it."""
    from seqdesign.commands.design.maximize import maximize_records
    from seqdesign.commands.train.train_predictor import TrainPredictorConfig, train_predictor

    training = TrainPredictorConfig(
        sequences=source, output=config.output / "predictor", overwrite=True,
        seed=config.seed, device=config.device, threads=config.threads, quiet=config.quiet,
    )  # fmt: skip
    _announce(config, "train-predictor", training)
    say(train_predictor(training).text(), quiet=config.quiet)
    settings = _maximize(config)
    _announce(config, "maximize", settings)
    result, designs = maximize_records(settings)
    say(result.text(), quiet=config.quiet)
    return result, designs


def _maximize(config: DemoConfig) -> MaximizeConfig:
    from seqdesign.commands.design.maximize import MaximizeConfig

    return MaximizeConfig(
        model=config.output / "predictor", num=NUM_DESIGNS, output=config.output / "designs.fa",
        template="NNNGYNNNN", max_homopolymer="3", gc="0.3-0.7",
        seed=config.seed, device=config.device, threads=config.threads, quiet=config.quiet,
    )  # fmt: skip


def _announce(config: DemoConfig, name: str, settings: CommandConfig) -> None:
    """The line that does the same."""
    from seqdesign.commands.provenance import command_line

    say(command_line(name, type(settings), to_dict(settings)), quiet=config.quiet)


def _choose(outcomes: np.ndarray, config: DemoConfig) -> tuple[np.ndarray, np.ndarray]:
    """Indices to train on (a random half) and to revise (held out, below the training median)."""
    import numpy as np

    order = np.random.default_rng(config.seed).permutation(len(outcomes))
    train, rest = order[: len(order) // 2], order[len(order) // 2 :]
    low = rest[outcomes[rest] < np.median(outcomes[train])]
    return np.sort(train), np.sort(low[: config.inputs])


def _write(path: Path, records: SequenceSet, *, with_outcome: bool) -> None:
    from seqdesign.sequences.compression import open_output
    from seqdesign.sequences.fasta import Record, write_fasta

    outcomes = records.outcomes
    assert outcomes is not None
    with open_output(path) as handle:
        write_fasta(
            (
                Record(name, f"outcome={y:.6g}" if with_outcome else "", text)
                for name, text, y in zip(records.ids, records.sequences, outcomes, strict=True)
            ),
            handle,
        )


def _revise(config: DemoConfig, source: Path, model: Path, method: str, max_edits: int) -> list[Revision]:
    """One run of the revise command; its revisions."""
    from seqdesign.commands.design.revise import ReviseConfig, revise_records

    output = _revised_file(config, method, max_edits)
    output.parent.mkdir(exist_ok=True)
    settings = ReviseConfig(
        input=source,
        model=model,
        method=method,
        max_edits=max_edits,
        output=output,
        table=output.with_suffix(".csv"),
        seed=config.seed,
        device=config.device,
        threads=config.threads,
        quiet=config.quiet,
    )
    _announce(config, "revise", settings)
    return revise_records(settings)[1]


def _revised_file(config: DemoConfig, method: str, max_edits: int) -> Path:
    return config.output / "revisions" / f"{method}_{max_edits}.fa"
