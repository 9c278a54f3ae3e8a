"""The generator of ``maximize --generator``, whatever its family, and what is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from seqdesign.errors import SeqDesignError, UsageError
from seqdesign.families import Family, Generator, family_of
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.scope import Scope

MakeError = Callable[[str], SeqDesignError]


def check_alphabet(generator: Generator, alphabet: Alphabet) -> None:
    """Raise UsageError unless the predictor reads what the generator writes."""
    own = generator.alphabet
    if own.letters != alphabet.letters:
        raise UsageError(
            f"writes {own.name} ({own.shown}), but the model reads {alphabet.name} "
            f"({alphabet.shown}); train both on sequences of one alphabet",
            option="--generator",
        )


def check_length(
    length: int, lengths: tuple[int, int, int] | None, error: MakeError, *, who: str = "the model"
) -> None:
    """Raise what ``error`` makes of a message unless a model can take sequences of this length.

    lengths: the shortest, typical and longest sequence that it learned from; None if nobody knows.
    """
    if lengths is not None and (why := Scope(lengths[0], lengths[2]).objection(length, who)) is not None:
        raise error(why)


def load_generator(folder: Path, outcome: float | str | None, device: torch.device) -> Generator:
    """The generator in ``folder``, for one outcome if it is conditional. Raises ModelError and UsageError."""
    family = family_of(folder)
    if family.load is None:
        raise _no_generator(family, str(folder))
    return generator_of(family, family.load(folder, device), outcome, device, name=str(folder))


def generator_of(
    family: Family, trained: Any, outcome: float | str | None, device: torch.device, *, name: str
) -> Generator:
    """A trained model of a family as a generator. Raises UsageError for a family that writes nothing."""
    if family.generator is None:
        raise _no_generator(family, name)
    return family.generator(trained, outcome, device, name)


def _no_generator(family: Family, name: str) -> UsageError:
    return UsageError(
        f"{name} was made by {family.made_by} and writes no sequences; name a folder of train-lm, train-gan "
        "or train-vae",
        option="--generator",
    )
