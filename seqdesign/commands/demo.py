"""``seqdesign demo``: the main job on bundled real data, judged by measurements kept from training."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from seqdesign.commands._result import Result
from seqdesign.commands._runtime import say
from seqdesign.config import Between, CommandConfig, Flag

if TYPE_CHECKING:
    import numpy as np

    from seqdesign.commands._revisions import Revision
    from seqdesign.oracles.table import TableOracle
    from seqdesign.sequences.reader import SequenceSet

DATA = "rna_mpsa_5ss9"
BUDGETS = (1, 2, 3, 4)
SHOWN_BUDGET = 3


@dataclass(frozen=True, kw_only=True)
class DemoConfig(CommandConfig):
    """Train on real 5' splice sites, revise others, and look the revisions up in the measured landscape.

    Example: seqdesign demo
    """

    output: Annotated[Path, Flag("-o")] = Path("demo")
    """Folder for the data, the model, the revisions and report.html; what an earlier demo left is replaced.
    """
    inputs: Annotated[int, Between(20, 5000)] = 200
    """Held-out splice sites to revise."""
    epochs: Annotated[int, Between(1)] = 18
    """Passes over the training set; train-vae alone would make about 45."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Measured gains at one edit budget, in standard deviations of the training outcomes."""

    max_edits: int
    revise: float
    search: float
    possible: float
    """Of the best measured site within the budget."""
    revise_inside: float
    """Share of the revisions that were measured."""
    search_inside: float


@dataclass(frozen=True, kw_only=True)
class DemoResult(Result):
    """What the demo found."""

    command: ClassVar[str] = "demo"
    text_to: ClassVar[Literal["stdout", "stderr"]] = "stdout"

    report: Path
    outcome_r2: float
    truth: tuple[Truth, ...]
    seconds: float

    def text(self) -> str:
        """The table of measured gains."""
        from seqdesign.reports.tables import text_table

        rows = [_truth_row(t) for t in self.truth]
        return "\n".join(
            [
                "",
                "Measured gain of revised 5' splice sites, in standard deviations; never trained on",
                text_table(rows, list(rows[0])),
                "",
                f"done in {self.seconds:.0f} s; open {self.report} in a browser",
            ]
        )


def _truth_row(truth: Truth) -> dict[str, Any]:
    return {
        "edits": f"<= {truth.max_edits}",
        "REVISE": f"{truth.revise:.2f}",
        "SEARCH": f"{truth.search:.2f}",
        "best possible": f"{truth.possible:.2f}",
        "REVISE measured": f"{truth.revise_inside:.0%}",
        "SEARCH measured": f"{truth.search_inside:.0%}",
    }


def demo(config: DemoConfig) -> DemoResult:
    """Train on half of the measured splice sites, revise sites of the other half, and look the results up."""
    from seqdesign.commands.train_vae import TrainVAEConfig, train_vae
    from seqdesign.oracles.table import TableOracle
    from seqdesign.sequences.datasets import load_dataset

    started = time.monotonic()
    records = load_dataset(DATA)
    outcomes = records.outcomes
    assert outcomes is not None
    config.output.mkdir(parents=True, exist_ok=True)
    train, chosen = _choose(outcomes, config)
    files = {"train": config.output / "train.fa", "input": config.output / "input.fa"}
    _write(files["train"], records.take(train), with_outcome=True)
    _write(files["input"], records.take(chosen), with_outcome=False)
    model = config.output / "model"
    say(config, f"seqdesign train-vae {files['train']} -o {model} --epochs {config.epochs} --overwrite")
    trained = train_vae(
        TrainVAEConfig(
            sequences=files["train"],
            output=model,
            epochs=config.epochs,
            overwrite=True,
            seed=config.seed,
            device=config.device,
            threads=config.threads,
            quiet=config.quiet,
        )
    )
    say(config, trained.text())

    oracle = TableOracle(records.sequences, outcomes)
    scale = float(outcomes[train].std())
    measured = outcomes[chosen]
    runs = {
        (method, k): _revise(config, files["input"], model, method, k)
        for k in BUDGETS
        for method in ("revise", "search")
    }
    truth = tuple(_truth(oracle, records.take(chosen), measured, scale, k, runs) for k in BUDGETS)

    report = config.output / "report.html"
    _write_page(report, config, records, chosen, truth, runs["revise", SHOWN_BUDGET], oracle, model)
    return DemoResult(
        report=report,
        outcome_r2=float(trained.quality.outcome_r2 or 0.0),
        truth=truth,
        seconds=time.monotonic() - started,
    )


def _write_page(
    path: Path,
    config: DemoConfig,
    records: SequenceSet,
    chosen: np.ndarray,
    truth: tuple[Truth, ...],
    shown: list[Revision],
    oracle: TableOracle,
    model: Path,
) -> None:
    """The report: measured truth first, then what ``seqdesign report`` shows."""
    from seqdesign.commands._report_page import add_runs
    from seqdesign.commands._report_runs import find_runs
    from seqdesign.reports.html import Page

    assert records.outcomes is not None
    page = Page(
        "Better splice sites",
        summary=f"{len(chosen)} human 5' splice sites with below-median splicing, revised by at most "
        f"{SHOWN_BUDGET} edits, and looked up among {len(records):,} measured sites of which the model saw a "
        "random half.",
    )
    _add_truth(page, truth, shown, oracle, records.outcomes[chosen])
    add_runs(page, find_runs([model, _revised_file(config, "revise", SHOWN_BUDGET)]))
    page.write(path)


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


def _revised_file(config: DemoConfig, method: str, max_edits: int) -> Path:
    return config.output / "revisions" / f"{method}_{max_edits}.fa"


def _revise(config: DemoConfig, source: Path, model: Path, method: str, max_edits: int) -> list[Revision]:
    """One run of the revise command; its revisions."""
    from seqdesign.commands.revise import ReviseConfig, revise_records

    output = _revised_file(config, method, max_edits)
    output.parent.mkdir(exist_ok=True)
    words = f"seqdesign revise {source} -m {model} --max-edits {max_edits} -o {output}"
    say(config, words if method == "revise" else f"{words} --method {method}")
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
    return revise_records(settings)[1]


def _truth(
    oracle: TableOracle,
    inputs: SequenceSet,
    measured: np.ndarray,
    scale: float,
    budget: int,
    runs: dict[tuple[str, int], list[Revision]],
) -> Truth:
    import numpy as np

    gains, inside = {}, {}
    for method in ("revise", "search"):
        found = oracle([r.revised for r in runs[method, budget]])
        gains[method] = float(np.nanmean(found - measured) / scale)
        inside[method] = float(np.mean(~np.isnan(found)))
    best = oracle.best_within(inputs.sequences, budget)
    return Truth(
        max_edits=budget,
        revise=gains["revise"],
        search=gains["search"],
        possible=float(np.nanmean(best.values - measured) / scale),
        revise_inside=inside["revise"],
        search_inside=inside["search"],
    )


def _add_truth(
    page: Any, truth: tuple[Truth, ...], shown: list[Revision], oracle: TableOracle, measured: np.ndarray
) -> None:
    """The section that compares with the measurements."""
    import numpy as np

    from seqdesign.reports.html import Figure, Table
    from seqdesign.reports.plots import bar_chart, before_after, predicted_measured

    after = oracle([r.revised for r in shown])
    known = ~np.isnan(after)
    predicted = np.array([r.outcome for r in shown])
    rows = [_truth_row(t) for t in truth]
    figures = [
        Figure(
            bar_chart(
                {"REVISE": [t.revise for t in truth], "SEARCH": [t.search for t in truth]},
                [f"<= {t.max_edits}" for t in truth],
                title="Measured gain by edit budget",
                x_label="edits",
                y_label="gain, standard deviations",
                reference=("best possible", [t.possible for t in truth]),
            ),
            "SEARCH keeps the best of 100 random mutants by the same outcome network. The line is the "
            "best measured site "
            "within the budget.",
        ),
        Figure(
            before_after(
                measured[known],
                after[known],
                title="Measured splicing before and after",
                y_label="log10 PSI (%)",
            ),
            f"{int(known.sum())} of {len(shown)} revisions of at most three edits have a measured value.",
        ),
        Figure(
            predicted_measured(
                after[known], predicted[known], title="Revisions: predicted and measured", unit="log10 PSI"
            ),
            "A prediction is only worth what the measurement says.",
        ),
    ]
    text = (
        "Almost every possible 5' splice site NNN-GU/GC-NNNN was measured (Wong, Kinney and Krainer "
        "2018), so nearly every "
        "revision can be looked up. Outcomes are log10 of the percentage of transcripts that are "
        "spliced at the site."
    )
    page.section(
        "Measured truth", text, figures, [Table(rows, list(rows[0]), "Measured gain and share measured.")]
    )
