"""Options of the designers that follow a gradient. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from seqdesign.config import Between, Options


@dataclass(frozen=True, kw_only=True)
class PolishOptions(Options):
    """How the best sequence of an ascent is polished."""

    candidates: Annotated[int, Between(1)] = 16
    """Substitutions ranked by the gradient that are scored at once while polishing."""
    patience: Annotated[int, Between(1)] = 64
    """Substitutions scored without a better one before a sequence counts as polished."""
    kick: Annotated[float, Between(0, 1)] = 0.03
    """Share of the free positions that is drawn anew to leave a polished sequence, two at least."""


@dataclass(frozen=True, kw_only=True)
class FastSeqpropOptions(PolishOptions):
    """How normalised logits ascend, and how their best sequence is polished."""

    PANEL: ClassVar[str] = "Fast SeqProp options"

    steps: Annotated[int, Between(0)] = 150
    """Gradient steps on the logits, half of --budget at most."""
    learning_rate: Annotated[float, Between(0, low_open=True)] = 0.1
    """First step size of Adam on the normalised logits; it falls to 0 along a cosine."""
    forward: Literal["sampled", "argmax"] = "sampled"
    """The sequence whose gradient is taken: drawn from the letters' probabilities, or the likeliest."""


@dataclass(frozen=True, kw_only=True)
class MeanFieldOptions(PolishOptions):
    """How letter probabilities anneal, and how their best sequence is polished."""

    PANEL: ClassVar[str] = "Mean-field options"

    steps: Annotated[int, Between(0)] = 100
    """Gradient steps, half of --budget at most."""
    hot: Annotated[float, Between(0, low_open=True)] = 1.0
    """First temperature, in units of the gradient's root mean square."""
    cold: Annotated[float, Between(0, low_open=True)] = 0.03
    """Last temperature."""
    memory: Annotated[float, Between(0, 1, high_open=True)] = 0.9
    """Weight of the past in the running mean of gradients."""


@dataclass(frozen=True, kw_only=True)
class TaylorOptions(Options):
    """Width of the beam, and how its best sequence is polished."""

    PANEL: ClassVar[str] = "Taylor options"

    beam: Annotated[int, Between(1)] = 1
    """Sequences kept for each start while one substitution is made at a time; 1 climbs by several at once."""
    candidates: Annotated[int, Between(1)] = 16
    """Substitutions ranked by the gradient that are scored for each of them."""
    patience: Annotated[int, Between(1)] = 64
    """Substitutions scored without a better one before a sequence counts as polished."""
    kick: Annotated[float, Between(0, 1)] = 0.03
    """Share of the free positions that is drawn anew to leave a polished sequence, two at least."""


@dataclass(frozen=True, kw_only=True)
class SoftmaxOptions(Options):
    """How logits ascend."""

    PANEL: ClassVar[str] = "Softmax options"

    steps: Annotated[int, Between(1)] = 300
    """Gradient steps on the logits."""
    learning_rate: Annotated[float, Between(0, low_open=True)] = 0.1
    """First step size of Adam; it falls to 0 along a cosine."""
    sharpness: Annotated[float, Between(0)] = 1.0
    """First logit of the start's letters; that of others is 0."""
    decode_every: Annotated[int, Between(1)] = 5
    """Steps between decodings, each of which is scored."""


@dataclass(frozen=True, kw_only=True)
class LedidiOptions(Options):
    """How edits are found, and how few suffice."""

    PANEL: ClassVar[str] = "Ledidi options"

    steps: Annotated[int, Between(0)] = 100
    """Gradient steps on the weights, a third of --budget at most."""
    learning_rate: Annotated[float, Between(0, low_open=True)] = 0.5
    """Step size of Adam on the weights."""
    temperature: Annotated[float, Between(0, low_open=True)] = 1.0
    """Of the Gumbel-softmax whose gradient stands for that of the sample."""
    beam: Annotated[int, Between(1)] = 2
    """Sequences kept for each start in the search for fewer edits."""
    candidates: Annotated[int, Between(1)] = 64
    """Substitutions ranked by the gradient that are scored for each of them."""


@dataclass(frozen=True, kw_only=True)
class LatentOptions(Options):
    """How the code of a generator ascends."""

    PANEL: ClassVar[str] = "Latent options"

    steps: Annotated[int, Between(0)] = 500
    """Gradient steps on the code, --budget less two at most."""
    update: Literal["adam", "langevin"] = "adam"
    """How the code follows its slope: by Adam, or in proportion to it, as Langevin dynamics and PPGN do."""
    learning_rate: Annotated[float, Between(0, low_open=True)] = 0.1
    """First step size; it falls to 0 along a cosine with adam and stays with langevin."""
    prior: Annotated[float, Between(0)] = 1.0
    """Weight of log p(z) where the score's slope has unit size: 1 keeps codes about as long as drawn ones."""
    noise: Annotated[float, Between(0)] = 0.0
    """Standard deviation of the normal noise that every step adds to the code."""
    critic: Annotated[float, Between(0)] = 1.0
    """Weight of the slope of the critic's score, where that of the score is 1."""
    least_real: float = 0.5
    """A sequence counts only if the critic finds it more real than starts are on average, by so many standard
    deviations of samples; a negative number asks for less."""
    forward: Literal["sampled", "argmax"] = "sampled"
    """The sequence whose gradient is taken: drawn from the letters' probabilities, or the likeliest."""
    encode_steps: Annotated[int, Between(0)] = 200
    """Steps that look for the code of a start that did not come from the generator."""
