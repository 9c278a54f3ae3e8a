"""What a GAN's game says beside the health of its sequences: gaps of the critic, and gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from seqdesign.evaluation.health import MOST, Checked, check
from seqdesign.evaluation.sets import FEWEST, Sets
from seqdesign.models.gan.fit import GANTraining, kept
from seqdesign.models.gan.quality import MOST_LEFT_OUT
from seqdesign.models.gan.sampling import draw_real
from seqdesign.runs.progress import phase
from seqdesign.sequences.encoders import TokenArray, decode

UNLIKE = 0.03
"""Share of sequences unlike real ones from which on it is said."""


@dataclass(frozen=True, kw_only=True)
class Game:
    """Figures of the critic at the weights that were kept."""

    gap_training: float
    """Mean critic score of training minus generated sequences."""
    gap_held_out: float
    """The same of validation sequences; much smaller means that the critic knows its sequences by heart."""
    unlike: float
    """Share of draws that the critic finds less real than 99% of validation sequences."""
    gradient_critic: float
    """Mean gradient norm of the critic between the last two looks."""
    gradient_generator: float


@phase("judging")
def check_gan(
    result: GANTraining, tokens: TokenArray, seed: int, workers: int, progress: Callable[[int, int], None]
) -> Checked:
    """Draw as many sequences as there are to learn from, up to 2,000, and judge them by the test set."""
    texts = decode(tokens.tokens, tokens.alphabet)
    trained = result.trained
    num = max(FEWEST, min(MOST, len(result.train)))
    rng = torch.Generator().manual_seed(seed + 1)  # not the sequences by which the weights were chosen
    generated = decode(draw_real(trained, num, rng).numpy(), tokens.alphabet)
    training, test = ([texts[i] for i in part] for part in (result.train, result.test))
    sets = Sets(tokens.alphabet, generated, training, test, ())
    return check(sets, name="this GAN", seed=seed, workers=workers, progress=progress)


def game_of(result: GANTraining) -> Game:
    """From what was measured at every look."""
    history = result.fit.state.history
    best = kept(history)
    return Game(
        gap_training=best["held_out_gap_training"],
        gap_held_out=best["held_out_gap"],
        unlike=best["held_out_unlike"],
        gradient_critic=history[-1]["train_critic_gradient"],
        gradient_generator=history[-1]["train_generator_gradient"],
    )


def game_words(game: Game) -> Iterator[str]:
    """Sentences for people."""
    yield (
        f"  Critic: real minus generated {game.gap_training:.3g} on training, {game.gap_held_out:.3g} on "
        f"validation sequences; gradient norms {game.gradient_critic:.2g} (critic), "
        f"{game.gradient_generator:.2g} (generator)."
    )
    if game.unlike >= UNLIKE:
        which = "they are" if game.unlike <= MOST_LEFT_OUT else "the worst tenth is"
        yield (
            f"  {game.unlike:.0%} of the draws it finds less real than 99% of validation sequences; {which} "
            "left out of samples (sample-gan --reject 0 keeps them)."
        )
