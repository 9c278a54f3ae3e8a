"""Looking at sequences and models from Python: evaluate, attribute, report."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqdesign.attribution.explainer import Explained, Explainer
from seqdesign.config import ComputeOptions, SeedOption, jsonable
from seqdesign.devices.cores import cores
from seqdesign.errors import UsageError
from seqdesign.evaluation.compare import Judgement, compare_sets
from seqdesign.evaluation.findings import cells
from seqdesign.evaluation.sets import make_sets
from seqdesign.runs.manifest import Manifest
from seqdesign.sequences.options import LetterOptions, LetterPolicy
from seqdesign.sequences.tables import write_table
from seqdesign.training.device import computing
from seqdesign.verbs.data import sequence_set
from seqdesign.verbs.design import design_model, in_memory
from seqdesign.verbs.options import pick, verb

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What `evaluate` gives: measures with intervals and what real sequences reach, and findings in words."""

    judgement: Judgement
    manifest: Manifest

    @property
    def findings(self) -> list[str]:
        """What the measures say, in sentences."""
        return [finding.text for finding in self.judgement.findings]

    def text(self) -> str:
        """Headline and findings."""
        marks = [f"{'! ' if f.flagged else '  '}{f.text}" for f in self.judgement.findings]
        return "\n".join([self.judgement.headline("sequences"), *marks])

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {
            "measures": [jsonable(row) for row in self.judgement.evaluation.rows],
            "findings": [jsonable(finding) for finding in self.judgement.findings],
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a measure."""
        import pandas as pd

        return pd.DataFrame([jsonable(row) for row in self.judgement.evaluation.rows])

    def write(self, path: str | os.PathLike[str]) -> int:
        """Write the measures as a table by suffix (.csv, .xlsx, ...); returns how many. OutputError."""
        return write_table([jsonable(row) for row in self.judgement.evaluation.rows], path)

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write the HTML page; returns its path. OutputError."""
        from seqdesign.pages.evaluation import evaluation_page

        evaluation_page(self.judgement, "sequences", self.manifest).write(Path(path))
        return Path(path)

    def __repr__(self) -> str:
        return f"<Evaluated: {self.judgement.headline('sequences')}>"

    def _repr_html_(self) -> str:
        import pandas as pd

        rows = pd.DataFrame([cells(row) for row in self.judgement.evaluation.rows])
        lines = "<br>".join(html.escape(line) for line in self.text().splitlines())
        return f"<p>{lines}</p>{rows.to_html(index=False)}"


@verb(LetterOptions, SeedOption, ComputeOptions)
def evaluate(
    sequences: Any,
    training: Any = None,
    held_out: Any = None,
    *,
    vae: str | os.PathLike[str] | None = None,
    predictor: str | os.PathLike[str] | None = None,
    max_sequences: int = 5000,
    max_nearest: int = 1000,
    resamples: int = 200,
    **options: Any,
) -> Evaluated:
    """Are generated sequences new, diverse, and like the real ones?

    Args:
        sequences: the generated ones: a SequenceSet, strings, a DataFrame or a path.
        training: real sequences that the generator learned from.
        held_out: real sequences that it did not.
        vae: folder of a VAE whose likelihoods are compared too.
        predictor: folder of a predictor whose predictions are compared too.
        max_sequences: of each set in the statistics, drawn at random.
        max_nearest: sequences whose nearest training sequence is looked for.
        resamples: for the 95% intervals.

    Returns:
        Measures with intervals, the same measures of real sequences, and findings.

    Raises:
        InputError: letters that the real sequences do not have, too few sequences. ModelError.

    Example:
        >>> print(evaluate(sample("models/gan", 500), "promoters.fa").text())
    """
    compute, seed = pick(ComputeOptions, options), pick(SeedOption, options)
    real = [None if s is None else sequence_set(s) for s in (training, held_out)]
    sets = make_sets(sequence_set(sequences), *real, letters=pick(LetterOptions, options))
    with computing(compute.device, compute.threads) as device:
        judgement = compare_sets(
            sets,
            vae=None if vae is None else Path(vae),
            predictor=None if predictor is None else Path(predictor),
            device=device,
            max_sequences=max_sequences,
            max_nearest=max_nearest,
            resamples=resamples,
            seed=seed.seed,
            workers=compute.threads or cores(),
        )
    return Evaluated(judgement, in_memory("evaluate", options, seed.seed, str(device)))


class Attribution(Sequence[Explained]):
    """What `attribute` gives: for each sequence the effect of every letter, ``effects`` (V, L)."""

    def __init__(self, explainer: Explainer, explained: list[Explained], manifest: Manifest) -> None:
        self._explainer, self._explained, self.manifest = explainer, explained, manifest

    def __len__(self) -> int:
        return len(self._explained)

    def __getitem__(self, index: Any) -> Any:
        return self._explained[index]

    def __repr__(self) -> str:
        return f"<Attribution of {self._explainer.outcome}: {len(self)} sequences>"

    @property
    def contributions(self) -> list[NDArray[np.float64]]:
        """What each letter that is there adds, (L,) for each sequence, in the outcome's units or log-odds."""
        return [one.contribution.mean(0) for one in self._explained]

    def text(self) -> str:
        """The positions that matter most."""
        top = self._explainer.top_positions()
        listed = ", ".join(f"{place} ({share:.0%})" for place, share in top)
        return f"{self._explainer.outcome} of {len(self):,} sequences; positions that matter most: {listed}"

    def to_dict(self) -> dict[str, Any]:
        """JSON types: the positions that matter most, and every position of every sequence."""
        top = [{"position": place, "share": float(share)} for place, share in self._explainer.top_positions()]
        return {"outcome": self._explainer.outcome, "top_positions": top, "records": list(self._rows())}

    def to_frame(self) -> pd.DataFrame:
        """One row a position: the letter, its contribution, and the effect of every letter."""
        import pandas as pd

        return pd.DataFrame(self._rows())

    def write(self, path: str | os.PathLike[str]) -> int:
        """Write the rows of ``to_frame`` by suffix (.csv, .xlsx, ...); returns how many. OutputError."""
        return write_table(self._rows(), path)

    def _rows(self) -> Iterator[dict[str, Any]]:
        for one in self._explained:
            for i, letter in enumerate(one.text):
                yield {
                    "id": one.id,
                    "position": i + 1,
                    "letter": letter,
                    "contribution": float(one.contribution[:, i].mean()),
                    **dict(zip(self._explainer.alphabet.letters, one.effects[:, i].tolist(), strict=True)),
                }

    def svg(self) -> str:
        """Logos of the first sequences."""
        from seqdesign.pages.attribution import logo_specs
        from seqdesign.reports.logo import draw_logos
        from seqdesign.reports.svg import standalone

        return standalone(draw_logos(logo_specs(self._explainer, self._explainer.shown, {})))

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write the HTML page; returns its path. OutputError."""
        from seqdesign.pages.attribution import attribution_page

        attribution_page(self._explainer, None, self.manifest).write(Path(path))
        return Path(path)

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.text())}</p>{self.svg()}"


@verb(LetterPolicy, ComputeOptions)
def attribute(
    model: Any,
    sequences: Any,
    *,
    method: str = "mutagenesis",
    outcome: str | None = None,
    alphabet: str = "dna",
    max_logos: int = 20,
    **options: Any,
) -> Attribution:
    """Which letters a prediction comes from.

    Args:
        model: a Predictor or VAE, the folder of one, or a torch module or function as for `maximize`.
        sequences: a SequenceSet, strings, a DataFrame or a path.
        method: mutagenesis, gradient or integrated-gradients.
        outcome: which of several outcomes; the first when not given.
        alphabet: letters of a function's channels.
        max_logos: sequences that are drawn.

    Returns:
        For each sequence ``contribution`` (M, L) and ``effects`` (V, L), in the outcome's units or log-odds.

    Raises:
        UsageError: a method that the model cannot be asked by. InputError. ModelError.

    Example:
        >>> attribute("models/predictor", ["AGUGCGUUU"]).to_frame()
    """
    compute = pick(ComputeOptions, options)
    records = sequence_set(sequences)
    if not len(records):
        raise UsageError("is empty", option="sequences")
    with computing(compute.device, compute.threads) as device:
        opened = design_model(model, device, len(records.sequences[0]), alphabet, 0.0)
        explainer = Explainer(
            opened,
            records,
            method=method,
            outcome=outcome,
            letters=pick(LetterPolicy, options),
            keep=max_logos,
        )
        explained = list(explainer.explained())
    return Attribution(explainer, explained, in_memory("attribute", options, None, str(device)))


@verb()
def report(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str] = "report.html",
    *,
    title: str | None = None,
    motifs: str | None = None,
    structure: str | os.PathLike[str] | None = None,
) -> Path:
    """One self-contained HTML page about model folders and files of sequences.

    Args:
        paths: folders of models and files that commands or records have written.
        output: page to write.
        title: of the page.
        motifs: collection in which gained and lost motifs are looked up, such as ``jaspar``.
        structure: PDB or mmCIF file of the molecule, coloured by what a model was told of each position.

    Returns:
        The path of the page.

    Raises:
        InputError: a path that is not there or cannot be read. ModelError. OutputError.

    Example:
        >>> report(["models/predictor", "designs.fa"])
    """
    from seqdesign.pages.report import write_report

    several = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    molecule = None if structure is None else Path(structure)
    write_report(
        [Path(path) for path in several], Path(output), title=title, motifs=motifs, structure=molecule
    )
    return Path(output)
