"""Translators in memory: trained from two sets, asked for translations, and saved."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from seqdesign.config import ComputeOptions, SeedOption
from seqdesign.constraints.options import EditOptions
from seqdesign.models.translate.config import DraftOptions, TranslateOptions
from seqdesign.models.translate.fit import train_sequence_translator
from seqdesign.models.translate.fit_options import TranslateFitOptions
from seqdesign.models.translate.store import KIND, TrainedTranslator
from seqdesign.models.translate.translations import translations
from seqdesign.sequences.options import LetterOptions, LetterPolicy, encode_with
from seqdesign.training.device import computing
from seqdesign.training.loop import make_fabric
from seqdesign.training.store import save_model
from seqdesign.verbs.base import Model
from seqdesign.verbs.data import alphabet_of, sequence_set
from seqdesign.verbs.options import pick, verb

if TYPE_CHECKING:
    import pandas as pd


class Translator(Model):
    """Makes sequences of one set look like those of the other; ``quality`` has both directions."""

    kind = KIND

    def __init__(self, trained: TrainedTranslator, quality: Any = None, name: str = "") -> None:
        super().__init__(trained.record.alphabet, quality, name)
        self.trained = trained

    def _write(self, path: Path) -> None:
        save_model(path, self.trained.model, self.trained.record)

    def translate(self, sequences: Any, to: Literal["a", "b"] = "b", **options: Any) -> pd.DataFrame:
        """One row a sequence: original, translation, edits and what the way back restores.

        options: those of ``seqdesign translate``: constraints such as ``keep="1-4"``, ``choose_from``, and
        how letters are read.
        Raises InputError and UsageError.
        """
        import pandas as pd

        found = translations(
            self.trained,
            sequence_set(sequences),
            to,
            rules=pick(EditOptions, options),
            choose_from=pick(DraftOptions, options).choose_from,
            letters=pick(LetterPolicy, options),
            device=next(self.trained.model.parameters()).device,
        )
        return pd.DataFrame([one.row() for one in found])


@verb(TranslateOptions, TranslateFitOptions, LetterOptions, SeedOption, ComputeOptions)
def train_translate(a: Any, b: Any, **options: Any) -> Translator:
    """Learn to make sequences of one set look like those of another, and back (Zhu et al. 2017).

    Args:
        a: a SequenceSet, strings, a DataFrame or a path; see `read`.
        b: the other set, which shares no sequence with the first.

    Returns:
        The model, with ``translate(sequences, to="b")``; ``quality`` holds both directions on held-out rows.

    Raises:
        InputError: too few sequences, or sets that overlap. UsageError. TrainingError.

    Example:
        >>> train_translate(weak, strong, steps=500).translate(weak[:10])
    """
    sets = [sequence_set(one) for one in (a, b)]
    letters = pick(LetterOptions, options)
    texts = list(chain(*(records.sequences for records in sets)))
    alphabet = alphabet_of(letters.alphabet, texts)
    first, second = (encode_with(letters, records, alphabet) for records in sets)
    fit, compute = pick(TranslateFitOptions, options), pick(ComputeOptions, options)
    with computing(compute.device, compute.threads) as device:
        done = train_sequence_translator(
            first,
            second,
            options=pick(TranslateOptions, options),
            fit_options=fit,
            seed=pick(SeedOption, options).seed,
            fabric=make_fabric(fit, device),
        )
    return Translator(done.trained, done.directions)
