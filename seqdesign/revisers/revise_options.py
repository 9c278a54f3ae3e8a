"""Options of REVISE and SEARCH. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from seqdesign.config import Between, Options

CAREFUL_ALPHA, OPEN_ALPHA = -1.0, -10_000.0
"""The papers' two settings: close to the input, and limited by the number of steps alone."""


@dataclass(frozen=True, kw_only=True)
class ReviseOptions(Options):
    """How REVISE climbs, decodes and chooses."""

    PANEL: ClassVar[str] = "REVISE options"

    alpha: float | Literal["auto"] = "auto"
    """Log of the least posterior density of a code, on --alpha-scale; lower permits bolder revisions. auto is
    -1, or -10000 with --max-edits, which then is what limits a revision."""
    alpha_scale: Literal["original", "density", "relative", "coverage", "radius"] = "original"
    """original: log alpha as the papers print it; density: as a true density; relative: log(alpha / mode);
    coverage: mass of the posterior in (0, 1); radius: standard deviations."""
    select: Literal["path", "end"] = "path"
    """path: decode along the way, keep what scores best after re-encoding; end: decode the last code only."""
    decode: Literal["adaptive", "plain"] = "adaptive"
    """adaptive: decoding the input's own code gives back the input; plain: the decoder as it is."""
    width: Annotated[int, Between(1, 1000)] = 10
    """Width of the beam search; 1 is greedy decoding."""
    optimizer: Literal["barrier", "original"] = "barrier"
    """barrier: log-barrier ascent that never gets worse; original: the authors' rule, without a check."""
    metric: Literal["euclid", "whitened"] = "euclid"
    """Steepest in the latent space, or in standard deviations of the posterior."""
    steps: Annotated[int, Between(1)] = 16
    """Steps of each ascent."""
    step_length: Annotated[float, Between(0, low_open=True)] = 0.6
    """Length of a step, with --select path."""
    learning_rate: Annotated[float, Between(0, low_open=True)] = 0.05
    """First step size of --optimizer original."""
    restarts: Annotated[int, Between(0)] = 1
    """Additional ascents from random codes of the input's posterior."""
    rounds: Annotated[int, Between(0)] = 2
    """Times to start again from the codes of the best revisions so far, within the same ellipsoid."""
    survivors: Annotated[int, Between(1)] = 8
    """Best revisions whose neighbours are scored, and from which each further round starts."""
    neighbours: Annotated[int, Between(0)] = 100
    """Neighbours of each survivor that are scored, again until none is better: one letter is another one,
    more or less, or one edit is exchanged. Where substitutions within --max-edits leave few strings all are
    scored instead. 0: what codes decode to alone."""

    def problems(self) -> Iterator[str]:
        """Auto is a number on the original scale."""
        if self.alpha == "auto" and self.alpha_scale != "original":
            yield f"--alpha: must be given with --alpha-scale {self.alpha_scale}"

    def log_alpha(self, max_edits: int | None) -> float:
        """The bound, with ``auto`` replaced for a budget of ``max_edits``."""
        if self.alpha == "auto":
            return CAREFUL_ALPHA if max_edits is None else OPEN_ALPHA
        return self.alpha


@dataclass(frozen=True, kw_only=True)
class SearchOptions(Options):
    """SEARCH: random mutants of the input, the best of which is kept (Mueller 2017's baseline)."""

    PANEL: ClassVar[str] = "SEARCH options"

    candidates: Annotated[int, Between(1)] = 100
    """Mutants of each input."""
    operations: Annotated[int | None, Between(1)] = None
    """Random mutations in each mutant; --max-edits when not given, else 3."""
