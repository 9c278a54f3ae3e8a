"""Models in memory: trained, opened, asked, sampled from, and saved as the folders that the commands use."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from seqdesign.config import ComputeOptions, SeedOption
from seqdesign.drawing.samples import block_rng
from seqdesign.ensembles.options import PredictorOptions
from seqdesign.errors import ModelError, UsageError
from seqdesign.families import Family, family_of
from seqdesign.language.config import LMOptions
from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.fit import train_sequence_gan
from seqdesign.models.gan.fit_options import GANFitOptions
from seqdesign.models.gan.sampling import draw
from seqdesign.models.gan.store import KIND as GAN_KIND
from seqdesign.models.gan.store import TrainedGAN, load_gan, save_gan
from seqdesign.models.lm.fit import train_sequence_lm
from seqdesign.models.lm.fit_options import LMFitOptions
from seqdesign.models.lm.requests import Request, Samples
from seqdesign.models.lm.store import KIND as LM_KIND
from seqdesign.models.lm.store import TrainedLM, load_lm
from seqdesign.models.predictor.adapt import make_target
from seqdesign.models.predictor.config import AdaptOptions, OutcomeOptions, PredictorFitOptions
from seqdesign.models.predictor.fit import plates, train_sequence_predictor
from seqdesign.models.predictor.outcomes import read_outcomes
from seqdesign.models.predictor.store import KIND as PREDICTOR_KIND
from seqdesign.models.predictor.store import (
    Reference,
    TrainedPredictor,
    load_predictor,
    load_reference,
    save_predictor,
)
from seqdesign.models.similarity.store import KIND as SIMILARITY_KIND
from seqdesign.models.similarity.store import load_similarity
from seqdesign.models.translate.store import KIND as TRANSLATE_KIND
from seqdesign.models.translate.store import load_translator
from seqdesign.models.vae.config import VAEOptions
from seqdesign.models.vae.fit import train_sequence_vae
from seqdesign.models.vae.store import KIND as VAE_KIND
from seqdesign.models.vae.store import TrainedVAE, load_vae
from seqdesign.sequences.encoders import TokenArray, decode
from seqdesign.sequences.lab.replicates import STDERR
from seqdesign.sequences.options import CellOptions, LetterOptions, LetterPolicy, encode_with
from seqdesign.sequences.reader import OUTCOME, SequenceSet, read_sequences
from seqdesign.symbols import spelled
from seqdesign.training.config import FitOptions, GivenSplitOptions
from seqdesign.training.device import choose_device, computing
from seqdesign.training.given_split import read_split, split_column
from seqdesign.training.loop import make_fabric
from seqdesign.training.measured import Measured, load_measured, save_measured
from seqdesign.training.store import save_model
from seqdesign.verbs.base import BLOCK, Model, table_of
from seqdesign.verbs.data import alphabet_of, sequence_set
from seqdesign.verbs.options import pick, verb
from seqdesign.verbs.similarity import Similarity
from seqdesign.verbs.translation import Translator

if TYPE_CHECKING:
    import pandas as pd


class Predictor(Model):
    """An ensemble that predicts outcomes, with calibrated intervals."""

    kind = PREDICTOR_KIND

    def __init__(
        self,
        trained: TrainedPredictor,
        reference: Reference,
        measured: Measured | None,
        quality: Any = None,
        name: str = "",
    ) -> None:
        super().__init__(trained.record.alphabet, quality, name)
        self.trained, self.reference, self.measured = trained, reference, measured

    def _write(self, path: Path) -> None:
        save_predictor(path, self.trained.model, self.trained.record, self.reference)
        _keep(path, self.measured)

    def predict(self, sequences: Any, **options: Any) -> pd.DataFrame:
        """Mean, standard deviation and intervals, or probabilities, and how unusual a sequence is (ood)."""
        from seqdesign.models.predictor.rows import PredictorRows

        return table_of(PredictorRows(self.trained, self.reference), *self._encoded(sequences, options))


class VAE(Model):
    """A sequence VAE with its outcome network and its language model."""

    kind = VAE_KIND

    def __init__(
        self, trained: TrainedVAE, measured: Measured | None, quality: Any = None, name: str = ""
    ) -> None:
        super().__init__(trained.record.alphabet, quality, name)
        self.trained, self.measured = trained, measured

    def _write(self, path: Path) -> None:
        save_model(path, self.trained.model, self.trained.record)
        _keep(path, self.measured)

    def predict(self, sequences: Any, **options: Any) -> pd.DataFrame:
        """Outcome, and log-likelihood under the language model, in nats."""
        from seqdesign.models.vae.rows import VAERows

        return table_of(VAERows(self.trained), *self._encoded(sequences, options))

    def sample(self, num: int, *, seed: int = 0, condition: float | None = None) -> list[str]:
        """``num`` sequences: codes by the law of those of training, letters drawn from the decoder.

        condition: outcome to draw for, of a model trained with one. Raises UsageError.
        """
        from seqdesign.decoding.sample import sample as decode_code
        from seqdesign.models.vae.drawing import check_condition, codes

        model, rng = self.trained.model, torch.Generator().manual_seed(seed)
        wanted = check_condition(self.trained, condition)
        found: list[str] = []
        while len(found) < num:
            z = codes(model, min(BLOCK, num - len(found)), rng, wanted)
            shortest = self.trained.record.min_length
            drawn = decode_code(model.decoder, z, generator=rng, shortest=shortest)
            found += map(spelled, decode(drawn.tokens, self.alphabet))
        return found


class GAN(Model):
    """A generator of sequences and the critic that it learned against."""

    kind = GAN_KIND

    def __init__(self, trained: TrainedGAN, model: Any = None, name: str = "") -> None:
        super().__init__(trained.record.alphabet, None, name)
        self.trained, self._model = trained, model

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the model's folder."""
        if self._model is None:
            raise ModelError(f"{self.name} is saved already")
        return super().save(folder)

    def _write(self, path: Path) -> None:
        assert self._model is not None
        save_gan(path, self._model, self.trained.record)

    def sample(self, num: int, *, seed: int = 0) -> list[str]:
        """``num`` sequences from the generator."""
        rng = torch.Generator().manual_seed(seed)
        found: list[str] = []
        blocks = draw(
            self.trained.generator, num, rng, end=self.trained.end, shares=self.trained.record.shares
        )
        for tokens, _ in blocks:
            found += map(spelled, decode(tokens.numpy(), self.alphabet))
        return found


class LanguageModel(Model):
    """A model of the likelihood of sequences, from left to right or in any order."""

    kind = LM_KIND

    def __init__(self, trained: TrainedLM, quality: Any = None, name: str = "") -> None:
        super().__init__(trained.record.alphabet, quality, name)
        self.trained = trained

    def _write(self, path: Path) -> None:
        save_model(path, self.trained.model, self.trained.record)

    def predict(self, sequences: Any, **options: Any) -> pd.DataFrame:
        """Log-likelihood in nats."""
        from seqdesign.models.lm.rows import LMRows

        return table_of(LMRows(self.trained), *self._encoded(sequences, options))

    def sample(self, num: int, *, seed: int = 0) -> list[str]:
        """``num`` sequences, as long as those of training."""
        record, found = self.trained.record, list[str]()
        request = Request((record.min_length, record.max_length))
        source = Samples(self.trained, request)
        for number in count():
            if len(found) >= num:
                break
            drawn = source.round(block_rng(seed, number), number)
            found += map(spelled, decode(drawn.tokens, self.alphabet))
        return found[:num]


class Foreign(Model):
    """A model of a family that a plug-in brings, by what its family can do."""

    def __init__(self, family: Family, folder: Path, device: torch.device) -> None:
        if family.rows is None:
            raise ModelError(f"{folder}: models of kind {family.kind!r} predict nothing")
        self.kind, self._rows = family.kind, family.rows(folder, device)
        super().__init__(self._rows.alphabet, None, str(folder))

    def predict(self, sequences: Any, **options: Any) -> pd.DataFrame:
        """One row a sequence, with the columns of its family."""
        return table_of(self._rows, *self._encoded(sequences, options))


OPEN: dict[str, Callable[[Path, torch.device], Model]] = {
    PREDICTOR_KIND: lambda path, device: Predictor(
        load_predictor(path, device), load_reference(path), load_measured(path), name=str(path)
    ),
    VAE_KIND: lambda path, device: VAE(load_vae(path, device), load_measured(path), name=str(path)),
    GAN_KIND: lambda path, device: GAN(load_gan(path, device), name=str(path)),
    LM_KIND: lambda path, device: LanguageModel(load_lm(path, device), name=str(path)),
    SIMILARITY_KIND: lambda path, device: Similarity(load_similarity(path, device), name=str(path)),
    TRANSLATE_KIND: lambda path, device: Translator(load_translator(path, device), name=str(path)),
}
"""Kind of a folder -> how it is opened."""


@verb()
def load(folder: str | os.PathLike[str], *, device: str = "auto") -> Model:
    """The model in a folder that ``train-...`` or ``save`` has written.

    Args:
        folder: such as ``models/predictor``.
        device: auto, cpu, cuda, cuda:INDEX or mps.

    Returns:
        A Predictor, VAE, GAN, language model, similarity or translator, with ``predict``, ``sample`` and
        ``save`` as far as it can.

    Raises:
        ModelError: missing, unfinished, damaged or of a kind that is not known.

    Example:
        >>> load("models/predictor").predict(["ACGTACGT"])
    """
    family = family_of(folder)
    if family.kind not in OPEN:
        return Foreign(family, Path(folder), choose_device(device))
    return OPEN[family.kind](Path(folder), choose_device(device))


@verb(VAEOptions, FitOptions, LetterOptions, SeedOption, ComputeOptions)
def train_vae(data: Any, outcomes: Any = None, *, outcome: str | None = None, **options: Any) -> VAE:
    """Learn a sequence VAE with its outcome network and its language model (Mueller et al. 2017).

    Args:
        data: a SequenceSet, strings, a DataFrame or a path; see `read`.
        outcomes: (N,) measured numbers beside strings, NaN where there is none.
        outcome: column of the outcome in a table.

    Returns:
        The model, ready for `revise`, `sample` and `predict`; ``quality`` holds its held-out figures.

    Raises:
        InputError: too few sequences, or outcomes that cannot be learned from. UsageError. TrainingError.

    Example:
        >>> vae = train_vae(read("dataset:rna_mpsa_5ss9"), epochs=5)
    """
    records = sequence_set(data, outcomes, outcome=outcome)
    array, records = _letters(records, options)
    values, name = _numbers(records)
    fit = pick(FitOptions, options)
    with _computing(options) as device:
        done = train_sequence_vae(
            array,
            values,
            options=pick(VAEOptions, options),
            fit_options=fit,
            seed=pick(SeedOption, options).seed,
            fabric=make_fabric(fit, device),
            outcome_name=name,
        )
    return VAE(done.trained, Measured.of(array, values, done.held_out, records.numbering), done.quality)


@verb(
    PredictorOptions,
    PredictorFitOptions,
    GivenSplitOptions,
    AdaptOptions,
    OutcomeOptions,
    LetterOptions,
    SeedOption,
    ComputeOptions,
)
def train_predictor(
    data: Any, outcomes: Any = None, *, outcome: str | tuple[str, ...] | None = None, **options: Any
) -> Predictor:
    """Learn an ensemble that predicts outcomes with intervals: numbers, two values, or labels.

    Args:
        data: a SequenceSet, strings, a DataFrame or a path; see `read`.
        outcomes: (N,) numbers or labels beside strings; None or NaN is not measured.
        outcome: columns of the outcomes in a table.

    Returns:
        The model, ready for `maximize` and `predict`; ``quality`` holds its held-out figures.

    Raises:
        InputError: too few sequences, or outcomes that cannot be learned from. UsageError. TrainingError.

    Example:
        >>> model = train_predictor(["ACGT", "ACGA", ...], [0.1, 0.9, ...])
    """
    worth = pick(OutcomeOptions, options)
    given = pick(GivenSplitOptions, options).split_column
    more = [split_column(text)[0] for text in (given, worth.batch) if text is not None]
    beside = tuple(dict.fromkeys((*worth.sigma, *([worth.weight] if worth.weight else []), *more)))
    names = (outcome,) if isinstance(outcome, str) else outcome or (("outcome",) if beside else None)
    wanted = None if names is None else (*names, *beside)
    records = sequence_set(data, outcomes, outcome=wanted, written=pick(CellOptions, options))
    array, records = _letters(records, options)
    names = names or (_outcome_column(records),)
    asked = pick(PredictorOptions, options)
    measured = read_outcomes(records, names, task=asked.task, sigma=worth.sigma, weight=worth.weight)
    rows = np.flatnonzero(~np.isnan(measured.values).all(axis=1))
    fit, other = pick(PredictorFitOptions, options), pick(AdaptOptions, options)
    target = None
    if other.adapt is not None:
        there = read_sequences(
            other.adapt, columns=names, lacking_columns="leave out", outcomes=False, on_duplicate="keep"
        )
        far = encode_with(pick(LetterOptions, options), there, array.alphabet)
        target = make_target(far, there.take(far.kept), measured, other.adapt_weight)
    with _computing(options) as device:
        array, measured, records = array.take(rows), measured.take(rows), records.take(rows)
        done = train_sequence_predictor(
            array,
            measured,
            options=asked,
            fit_options=fit,
            seed=pick(SeedOption, options).seed,
            fabric=make_fabric(fit, device),
            split=None if given is None else read_split(records, *split_column(given)),
            batch=plates(records, worth.batch),
            target=target,
        )
    measured = done.outcomes
    kept = Measured.of(array, measured.values, done.held_out, records.numbering, detail=measured.detail)
    return Predictor(done.trained, done.reference, kept, done.quality)


@verb(GANOptions, GANFitOptions, LetterOptions, SeedOption, ComputeOptions)
def train_gan(data: Any, outcomes: Any = None, *, outcome: str | None = None, **options: Any) -> GAN:
    """Learn a generator of sequences against a critic (a Wasserstein GAN by default).

    Args:
        data: a SequenceSet, strings, a DataFrame or a path; see `read`.
        outcomes: (N,) numbers beside strings, for a conditional generator.
        outcome: column of the outcome in a table.

    Returns:
        The model, ready for `sample`.

    Raises:
        InputError: too few sequences. UsageError. TrainingError.

    Example:
        >>> train_gan(read("dataset:dna_dm3_core_promoter100"), steps=200).sample(10)
    """
    records = sequence_set(data, outcomes, outcome=outcome)
    array, records = _letters(records, options)
    values, name = _numbers(records)
    fit = pick(GANFitOptions, options)
    with _computing(options) as device:
        done = train_sequence_gan(
            array,
            values,
            options=pick(GANOptions, options),
            fit_options=fit,
            seed=pick(SeedOption, options).seed,
            fabric=make_fabric(fit, device),
            outcome_name=name,
        )
    return GAN(done.trained, done.model)


@verb(LMOptions, LMFitOptions, LetterOptions, SeedOption, ComputeOptions)
def train_lm(data: Any, outcomes: Any = None, *, outcome: str | None = None, **options: Any) -> LanguageModel:
    """Learn how likely sequences are, to draw new ones and to say how natural one is.

    Args:
        data: a SequenceSet, strings, a DataFrame or a path; see `read`.
        outcomes: (N,) numbers beside strings, for a model that is conditional on them.
        outcome: column of the outcome in a table; ``condition`` says that it is used.

    Returns:
        The model, ready for `sample` and `predict`; ``quality`` holds its held-out figures.

    Raises:
        InputError: too few sequences. UsageError. TrainingError.

    Example:
        >>> train_lm(read("dataset:dna_dm3_core_promoter100"), epochs=2).sample(10)
    """
    records = sequence_set(data, outcomes, outcome=outcome)
    array, records = _letters(records, options)
    values, _ = _numbers(records)
    fit = pick(LMFitOptions, options)
    with _computing(options) as device:
        done = train_sequence_lm(
            array,
            values,
            options=pick(LMOptions, options),
            fit_options=fit,
            seed=pick(SeedOption, options).seed,
            fabric=make_fabric(fit, device),
        )
    return LanguageModel(done.trained, done.quality)


@verb(LetterPolicy)
def predict(model: Any, sequences: Any, **options: Any) -> pd.DataFrame:
    """What a model says of sequences, one row each.

    Args:
        model: a Predictor, VAE or language model, or the folder of one.
        sequences: a SequenceSet, strings, a DataFrame or a path.

    Returns:
        For a predictor ``mean``, ``sd`` and interval ends in the outcome's units (or probabilities), and
        ``ood``, the percentile of unusual sequences; for a VAE ``outcome`` and ``loglik`` in nats.

    Raises:
        UnknownLetterError: a letter that the model does not know.
        InputError: a sequence that is too long for it.
        ModelError: a folder without a model.

    Example:
        >>> predict("models/predictor", ["ACGTACGT"])
    """
    return as_model(model).predict(sequences, **options)


@verb()
def sample(model: Any, num: int, *, seed: int = 0) -> list[str]:
    """New sequences from a generator.

    Args:
        model: a VAE, GAN or language model, or the folder of one.
        num: how many.
        seed: the same seed gives the same sequences on the same machine.

    Returns:
        ``num`` sequences.

    Raises:
        UsageError: a model that writes no sequences.
        ModelError: a folder without a model.

    Example:
        >>> sample("models/gan", 1000)
    """
    return as_model(model).sample(num, seed=seed)


def as_model(model: Any) -> Model:
    """A model, or the one in a folder. Raises UsageError for anything else."""
    if isinstance(model, Model):
        return model
    if isinstance(model, str | os.PathLike):
        return load(model)
    raise UsageError(f"must be a trained model or its folder, got {type(model).__name__}", option="model")


def _letters(records: SequenceSet, options: Mapping[str, Any]) -> tuple[TokenArray, SequenceSet]:
    letters = pick(LetterOptions, options)
    array = encode_with(letters, records, alphabet_of(letters.alphabet, records.sequences))
    return array, records.take(array.kept)


def _outcome_column(records: SequenceSet) -> str:
    """The one column of outcomes, or ``outcome`` of several. Raises UsageError where there is none."""
    names = [name for name in records.columns if not name.startswith(STDERR)]
    if OUTCOME in names or len(names) != 1:
        if OUTCOME not in names:
            have = ", ".join(names) or "none"
            raise UsageError(f"is needed: there is no column 'outcome' (outcomes: {have})", option="outcome")
        return OUTCOME
    return names[0]


def _numbers(records: SequenceSet) -> tuple[np.ndarray[Any, Any] | None, str]:
    """The outcome (N,) with NaN where missing, None where there is none at all, and its name."""
    if not records.columns:
        return records.outcomes, OUTCOME
    name = _outcome_column(records)
    values = records.numbers(name)
    return (None if np.isnan(values).all() else values), name


def _computing(options: Mapping[str, Any]) -> Any:
    compute = pick(ComputeOptions, options)
    return computing(compute.device, compute.threads)


def _keep(path: Path, measured: Measured | None) -> None:
    if measured is not None:
        save_measured(path, measured)
