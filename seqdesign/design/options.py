"""The options of a design campaign, in groups that ``maximize`` inherits; importing this loads no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from seqdesign.config import Between, Flag, MadeBy, Options
from seqdesign.constraints.options import ConstraintOptions

DEFAULT_MODEL = Path("models/predictor")
NUM = 64
"""Designs when neither ``--num`` nor ``--start`` is given."""
TRIES = 2
"""Independent runs for each design wanted."""
JUDGES = 0.4
"""Share of the members that judge."""


@dataclass(frozen=True, kw_only=True)
class OracleOptions(Options):
    """Who says how good a sequence is."""

    PANEL: ClassVar[str] = "Model options"

    model: Annotated[Path | None, Flag("-m"), MadeBy("train-predictor", "train-vae")] = None
    """Folder of a model made by train-predictor or train-vae; models/predictor when not given."""
    oracle: str | None = None
    """Another oracle instead: module:function, table:FILE, FILE.onnx, FILE.pt, FILE.pt2 or cmd:COMMAND."""
    alphabet: str | None = None
    """Alphabet of --oracle: dna, rna, protein or letters:ABC...; dna when not given."""
    trust_model: bool = False
    """Load a TorchScript or exported file of --oracle, although such files can run any code."""

    def problems(self) -> Iterator[str]:
        """One oracle, and options that fit it."""
        if self.model is not None and self.oracle is not None:
            yield "--oracle: cannot be combined with --model"
        if self.oracle is None:
            for name in ("alphabet", "trust_model"):
                if getattr(self, name):
                    yield f"--{name.replace('_', '-')}: has no effect without --oracle; leave it out"


@dataclass(frozen=True, kw_only=True)
class ObjectiveOptions(Options):
    """What is better."""

    PANEL: ClassVar[str] = "Goal and constraints"

    objective: tuple[str, ...] = ()
    """max, min, target=1.5, max:NAME*2, at-least:NAME=70, specific:ON-OFF, ...; several are added up; max
    when not given."""
    codons: str | None = None
    """Host such as ecoli whose codon usage in the frames of --translate is raised too, as the outcome cai;
    --objective max:cai*0.5 gives it a weight."""
    risk: str = "mean"
    """How the predictions of an ensemble are combined: mean, lower:K (mean - K standard deviations) or
    quantile:Q."""
    pareto: bool = False
    """Spread the designs along the Pareto front of several --objective instead of adding the objectives up.
    """

    def problems(self) -> Iterator[str]:
        """A front needs two axes."""
        if self.pareto and len(self.objective) < 2 and self.codons is None:
            yield "--pareto: needs at least two --objective, such as --objective max:a --objective min:b"


@dataclass(frozen=True, kw_only=True)
class IndelOptions(Options):
    """Whether designs may be shorter or longer than their starts."""

    PANEL: ClassVar[str] = "Design options"

    indels: Annotated[int, Between(0, 50)] = 0
    """Letters that may be inserted and deleted in each --start, at most; the model must have seen sequences
    of several lengths."""
    lengths: str | None = None
    """Fewest and most letters of a design with --indels, such as 74-78; else what the model knows."""

    def problems(self) -> Iterator[str]:
        """Lengths are those of designs with insertions and deletions."""
        if self.lengths is not None and not self.indels:
            yield "--lengths: has no effect without --indels; leave it out"


@dataclass(frozen=True, kw_only=True)
class DesignOptions(IndelOptions):
    """Where to begin, how to search and how much."""

    PANEL: ClassVar[str] = "Design options"

    num: Annotated[int | None, Flag("-n"), Between(1)] = None
    """Designs wanted: 64 in all; with --start that many of each, 1 when not given."""
    start: Path | None = None
    """Sequences to improve: FASTA, GenBank or a table; without it designs begin from noise."""
    length: Annotated[int | None, Between(1)] = None
    """Letters of a design from noise; the template's, or typical ones of the model's, when not given."""
    method: str | None = None
    """How to search: mean-field (default), fast-seqprop, taylor, ledidi, softmax or gibbs with a gradient;
    guided or latent with --generator; evolution (default), greedy, annealing, adalead or ada-beam without."""
    set_: tuple[str, ...] = ()
    """A setting of the method, such as --set learning_rate=0.1; a wrong name lists them."""
    budget: Annotated[int | None, Between(1)] = None
    """Most sequences that the oracle may score in each run; the method's own default when not given."""
    tries: Annotated[int, Between(1)] = TRIES
    """Independent runs for each design wanted; the best designs of all of them are kept."""
    enough: float | None = None
    """Score that is good enough, with min the outcome, with target the distance: there a run ends, and beyond
    it fewer edits count more than a better score."""

    def problems(self) -> Iterator[str]:
        """Insertions and deletions are those of a start."""
        if self.indels and self.start is None:
            yield "--indels: refers to what designs are made from, so it needs --start"


@dataclass(frozen=True, kw_only=True)
class SeenOptions(Options):
    """How far designs may go from what the model was trained on."""

    PANEL: ClassVar[str] = "Goal and constraints"

    letters: Literal["seen", "any"] = "seen"
    """seen: write only letters that training has seen at that place or, where places have no meaning, words
    that it has seen; any: all letters, also those of which the model knows nothing."""


@dataclass(frozen=True, kw_only=True)
class NoveltyOptions(SeenOptions):
    """Whether designs may be known already."""

    PANEL: ClassVar[str] = "Goal and constraints"

    include_known: bool = False
    """Also return sequences that have been measured already, with their measurement; else only new ones."""
    exclude: tuple[Path, ...] = ()
    """More sequences that are known already, such as those of the last order: FASTA or a table; may be given
    several times."""


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions(Options):
    """What makes designs look like real sequences."""

    PANEL: ClassVar[str] = "Generator options"

    generator: Annotated[Path | None, MadeBy("train-lm", "train-gan", "train-vae")] = None
    """Folder of a model made by train-lm, train-gan or train-vae, such as models/lm: designs stay among the
    sequences that it would write."""
    condition: float | str | None = None
    """Outcome to write for, with a conditional --generator; needed where that is a GAN."""

    def problems(self) -> Iterator[str]:
        """A condition is the generator's."""
        if self.generator is None and self.condition is not None:
            yield "--condition: has no effect without --generator; leave it out"


@dataclass(frozen=True, kw_only=True)
class GuardOptions(Options):
    """How designs are judged that the optimizer may have deceived itself about."""

    PANEL: ClassVar[str] = "Judging options"

    judges: Annotated[float, Between(0, 0.9)] = JUDGES
    """Share of the ensemble's members that take no part in the design and only judge it, rounded down; 0:
    none."""
    min_confidence: Annotated[float | None, Between(0, 1)] = None
    """Drop designs for which the judges confirm less than this share of the predicted gain; 0.5 is a sensible
    value."""


@dataclass(frozen=True, kw_only=True)
class GoalOptions(ConstraintOptions):
    """What is better, and what must hold."""

    PANEL: ClassVar[str] = "Goal and constraints"

    minimize: bool = False
    """Lower the outcome instead of raising it."""
    target: float | None = None
    """Bring the outcome to this value."""
    indels: Literal["auto", "yes", "no"] = "auto"
    """Whether insertions and deletions are permitted; auto: unless all training sequences had one length."""
    min_loglik_change: float | None = None
    """Least change of log p(x), nats, such as -3; when not given, a revision is at least as natural per
    letter as its input or as the least natural 5% of the training sequences."""
    length: str | None = None
    """Shortest and longest length of a revision, such as 50-80."""
    top: Annotated[int, Between(1, 1000)] = 1
    """Revisions of each input, best first."""

    def problems(self) -> Iterator[str]:
        """One goal only."""
        if self.minimize and self.target is not None:
            yield "--minimize: cannot be combined with --target"
        if self.min_distance is not None and self.top == 1:
            yield "--min-distance: has no effect with --top 1; leave it out"


@dataclass(frozen=True, kw_only=True)
class SimilarityLimit(Options):
    """How alike a revision must be to its input, by a model."""

    PANEL: ClassVar[str] = "Goal and constraints"

    similarity: Annotated[Path | None, MadeBy("train-similarity")] = None
    """Folder of a model made by train-similarity: adds to each revision its similarity to the input."""
    min_similarity: Annotated[float | None, Between(0, 1)] = None
    """Least similarity to the input, by --similarity, such as 0.8."""

    def problems(self) -> Iterator[str]:
        """A bound is the model's."""
        if self.min_similarity is not None and self.similarity is None:
            yield "--min-similarity: needs --similarity MODEL, a folder made by train-similarity"


def num_wanted(num: int | None, from_noise: bool) -> int:
    """Designs of each parent, or in all from noise, when ``num`` may have been left open."""
    return num or (NUM if from_noise else 1)


@dataclass(frozen=True, kw_only=True)
class RoundOptions(SeenOptions):
    """What the next round shall be."""

    PANEL: ClassVar[str] = "Goal and constraints"

    batch: Annotated[int, Flag("-n"), Between(1)] = 96
    """Sequences to propose."""
    acquisition: Literal["upper", "mean"] = "upper"
    """upper: one after the other the highest mean + 2 standard deviations, as if those before were measured;
    mean: the highest means, which explores nothing."""
    minimize: bool = False
    """Lower the outcome instead of raising it."""
    min_distance: Annotated[int, Between(1)] = 1
    """Fewest edits between any two proposed sequences."""
    strands: Literal["one", "both"] = "one"
    """both: a sequence and its reverse complement count as the same."""
