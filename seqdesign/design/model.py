"""The oracle of a design run and what is known of it: outcomes, members, calibration, training sequences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdesign.design.evidence import Evidence, Known
from seqdesign.design.generator import check_length
from seqdesign.design.jury import Jury
from seqdesign.errors import SeqDesignError
from seqdesign.families import Generator
from seqdesign.judging.panel import Panel, Verdict
from seqdesign.metrics.nearest import nearest
from seqdesign.models.predictor.predictions import from_scores
from seqdesign.models.predictor.store import (
    Reference,
    TrainedPredictor,
    by_name,
)
from seqdesign.objectives.composite import Composite
from seqdesign.objectives.parse import parse_objective
from seqdesign.oracles.codons import CAI, CAI_UNIT, BesideOracle, CodonScore, beside, with_cai
from seqdesign.oracles.oracle import Oracle
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import decode, encode, one_hot
from seqdesign.sequences.lab.variants import Numbering
from seqdesign.sequences.origin import predicted_key
from seqdesign.sequences.reader import SequenceSet
from seqdesign.sequences.scope import Scope
from seqdesign.tasks.by_name import get_task

FloatArray = NDArray[np.float64]
ROWS = 256
TYPICAL = 500
"""Training sequences that say what is typical."""
FEWEST = 20
"""Measurements from which on judges of other kinds can learn something."""
NINE_IN_TEN = 1.2816
"""Standard deviations above which one in ten of normal errors lies."""


class Beginning(Protocol):
    """What designs begin from, as far as the model asks."""

    @property
    def compared(self) -> Tensor | None:
        """Tokens (P, l) of the parents as they were read; None from noise."""
        ...

    @property
    def tokens(self) -> Tensor:
        """Tokens (N, L) of the starts."""
        ...


class DesignModel:
    """An oracle with its name, and, for models of our own, their record and training sequences."""

    def __init__(
        self,
        name: str,
        oracle: Oracle,
        device: torch.device,
        *,
        trained: TrainedPredictor | None = None,
        reference: Reference | None = None,
        lengths: tuple[int, int, int] | None = None,
        folder: Path | None = None,
        evidence: Evidence | None = None,
    ) -> None:
        self.name, self.oracle, self.device = name, oracle, device
        self.folder = folder
        """Of a model of our own."""
        self.trained, self.reference = trained, reference
        self.lengths = lengths
        """The shortest, typical and longest sequence that the model learned from."""
        self.evidence = evidence
        """What it was trained on; None for oracles of others and models of earlier versions."""
        self.generator: Generator | None = None
        self.codons: CodonScore | None = None
        """The codon usage of designs, where it is an outcome."""
        self.jury = Jury((0,), ())
        self._panels: dict[int, Panel | None] = {}
        self._known: list[str] | None = None
        self._center: Tensor | None = None

    @property
    def alphabet(self) -> Alphabet:
        """Letters of the designs."""
        return self.oracle.alphabet

    @property
    def asked(self) -> Oracle:
        """What designers ask: the oracle, and codon usage where it is an outcome."""
        return self.oracle if self.codons is None else BesideOracle(self.oracle, self.codons)

    def with_codons(self, predictions: Tensor, tokens: Tensor) -> Tensor:
        """Predictions (..., B, K) with the codon usage of tokens (B, L) behind, where it is an outcome."""
        if self.codons is None:
            return predictions
        return beside(predictions, self.codons(one_hot(tokens, self.alphabet).to(predictions.device)))

    @property
    def both_strands(self) -> bool:
        """Whether a sequence and its reverse complement are the same to the model."""
        return self.trained is not None and self.trained.record.strands == "both"

    @property
    def numbering(self) -> Numbering:
        """The wild type and the number of its first letter, as named when the model was trained."""
        return Numbering() if self.evidence is None else self.evidence.measured.numbering

    @property
    def own(self) -> bool:
        """Whether it is a model of ours, so that its outcomes have the names of the training data."""
        return self.lengths is not None

    @property
    def scope(self) -> Scope | None:
        """Which sequences it can judge; None where nobody knows."""
        return None if self.lengths is None else Scope(self.lengths[0], self.lengths[2])

    def constant(self, length: int) -> np.ndarray[Any, np.dtype[np.bool_]] | None:
        """Positions that were the same in all training sequences; see ``Reference.constant``."""
        return None if self.reference is None else self.reference.constant(length)

    @property
    def log_odds(self) -> bool:
        """Whether predictions are log-odds of a probability."""
        return self.trained is not None and self.trained.record.head.log_odds

    @property
    def typical_length(self) -> int | None:
        """Letters of a design when nobody says how many."""
        if self.generator is None:
            return None if self.lengths is None else self.lengths[1]
        shortest, typical, longest = self.generator.lengths
        return typical if self.lengths is None else min(max(self.lengths[1], shortest), longest)

    def check_length(self, length: int, error: Callable[[str], SeqDesignError]) -> None:
        """Raise what ``error`` makes of a message unless predictor and generator take this length."""
        check_length(length, self.lengths, error)
        if self.generator is not None:
            check_length(length, self.generator.lengths, error, who="the generator")

    def composite(self, objective: Sequence[str], risk: str) -> Composite:
        """The objective of these texts, see ``parse_objective``. Raises UsageError."""
        outcomes = self.oracle.outcomes
        scales = self.trained.record.outcome_scale if self.trained is not None else ()
        odds = (self.log_odds,) * len(outcomes)
        if self.codons is None:
            return parse_objective(objective, outcomes, scales=scales or None, log_odds=odds, risk=risk)
        return parse_objective(
            with_cai(objective),
            (*outcomes, CAI),
            scales=(*(scales or (1.0,) * len(outcomes)), CAI_UNIT),
            log_odds=(*odds, False),
            risk=risk,
            beside=1,
        )

    @torch.no_grad()
    def predict(self, tokens: Tensor) -> Tensor:
        """Predictions (M, B, K) of tokens (B, L) by all members; unknown letters are averaged over."""
        if not len(tokens):  # frames may all lose against others, and not every network takes no rows
            return self.predict(tokens.new_zeros(1, tokens.shape[1]))[:, :0]
        found = [self.oracle(one_hot(part, self.alphabet)) for part in tokens.split(ROWS)]
        return torch.cat(found, 1)

    def before(self, starts: Beginning, parents: Tensor) -> Tensor:
        """Predictions (M, B, K) of what designs are compared with: their parents (B,), or, from noise, the
        mean over what is typical.
        """
        if starts.compared is not None:
            return self.predict(starts.compared)[:, parents]
        if self._center is None:
            self._center = self.typical(starts).mean(1, keepdim=True)
        return self._center.expand(-1, len(parents), -1)

    def typical(self, starts: Beginning) -> Tensor:
        """Predictions (M, n, K) of training sequences, or of the starts where these are not known."""
        told = self._of_training
        return self.predict(starts.tokens[:TYPICAL]) if told is None else told

    @cached_property
    @torch.no_grad()
    def _of_training(self) -> Tensor | None:
        if self.reference is None or self.trained is None:
            return None
        some, lengths = self.reference.some(TYPICAL)
        tokens, ends = torch.from_numpy(some.astype(np.int64)), torch.from_numpy(lengths)
        scores = self.trained.model.score_tokens(tokens.to(self.device), ends.to(self.device))
        return by_name(self.trained.record, scores)

    def may_go_on(self, composite: Composite, length: int) -> bool:
        """Whether judges have shown, of all outcomes that are used, that they can go beyond the rows on the
        side on which the score is better.
        """
        panel = self.panel(length)
        if panel is None or not bool(panel.tested.any()):
            return False
        down, up = panel.tested
        return all(bool(up[k] if high else down[k]) for k, high in self.better_ends(composite, length))

    def margins(self, composite: Composite) -> dict[int, float]:
        """For outcomes with limits what nine in ten errors of predictions there are below, by place and in
        units of the outcome; none where errors are not known.
        """
        limits = [term for term in composite.every if term.limit]
        calibrated = self.trained is not None and self.trained.record.calibration
        if not limits or not calibrated or self._of_training is None:
            return {}
        spread = self._of_training.double().std(0, correction=0).median(0).values.cpu().numpy()
        found = {}
        for term in limits:
            k = term.on[0]
            if k < len(spread) and term.target is not None:
                found[k] = NINE_IN_TEN * float(
                    calibrated[k].sd(np.array([term.target]), spread[k : k + 1])[0]
                )
        return found

    def better_ends(self, composite: Composite, length: int) -> list[tuple[int, bool]]:
        """Outcomes that are used and have judges, and whether more of them is better."""
        panel = self.panel(length)
        if panel is None:
            return []
        found, count, row = [], len(panel.typical), torch.zeros(1, dtype=torch.long)
        for k in (i for i in composite.used if i < count):
            points = panel.typical.repeat(2, 1)
            points[1, k] += float(np.nanstd(panel.measured.values[:, k]))
            if self.codons is not None:
                points = beside(points, points.new_zeros(2))
            typical, more = (float(composite(point[None, None], row)) for point in points)
            found.append((k, more > typical))
        return found

    def known(self, exclude: Sequence[str], starts: SequenceSet | None) -> Known:
        """What is measured already: training data, ``exclude``, and starts that have an outcome."""
        values = {} if self.evidence is None else self.evidence.known()
        found = Known(values, self.alphabet, both_strands=self.both_strands)

        def tidy(texts: Iterable[str]) -> list[str]:
            texts = map(self.alphabet.tokenize, texts)
            return [text if self.alphabet.case_sensitive else text.upper() for text in texts]

        found.add(tidy(exclude))
        if starts is not None and starts.outcomes is not None:
            labelled = [i for i, y in enumerate(starts.outcomes) if not np.isnan(y)]
            one = len(self.oracle.outcomes) == 1
            task = get_task("regression") if self.trained is None else self.trained.record.head
            numbers = task.learned(starts.outcomes)
            values_of = [(float(numbers[i]),) if one else () for i in labelled]
            found.add(tidy(starts.sequences[i] for i in labelled), values_of)
        return found

    @property
    def keys(self) -> tuple[str, ...]:
        """What columns and header fields call the outcomes, (K,); see ``predicted_key``."""
        return tuple(map(predicted_key, self.oracle.outcomes))

    def panel(self, length: int) -> Panel | None:
        """Judges of several kinds for sequences of this length; None without training data."""
        if self.evidence is not None and (self.evidence.measured.lengths != length).any():
            length = 0  # places mean nothing then, so that one panel judges all lengths
        if length not in self._panels:
            self._panels[length] = self._convene(length)
        return self._panels[length]

    def _convene(self, length: int) -> Panel | None:
        if self.evidence is None:
            return None
        measured = self.evidence.measured
        known = np.asarray((~np.isnan(measured.values)).any(axis=1), dtype=bool)
        if known.sum() < FEWEST:
            return None
        return Panel(
            measured.take(known),
            self.alphabet,
            get_task("regression") if self.trained is None else self.trained.record.head,
            num_scores=len(self.oracle.outcomes),
            length=length,
            both_strands=self.both_strands,
            network=self._network if self.trained is not None and self.jury.judge else None,
        )

    def _network(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Means and standard deviations (B, K) by the members that judge, as ``Network`` of a panel."""
        assert self.trained is not None
        scores = self._judged(self.predict(tokens.to(self.device)).double().cpu().numpy())
        if self.log_odds:
            return torch.from_numpy(scores.mean(0)), torch.from_numpy(scores.std(0))
        found = from_scores(self.trained, scores, self._unseen(tokens))
        return torch.from_numpy(found.mean), torch.from_numpy(found.sd)

    def _unseen(self, tokens: Tensor) -> FloatArray | None:
        """Letters (B,) of tokens (B, L) that training has never seen at their place; they widen intervals."""
        if self.trained is None:
            return None
        here = tokens.to(self.device)
        full = torch.full((len(here),), here.shape[1], device=self.device)
        return self.trained.model.unseen(here, full).double().cpu().numpy()

    def _judged(self, scores: FloatArray) -> FloatArray:
        """Scores (M, B, K) with the mean of the members that judge, and the spread of all."""
        if not self.jury.judge:
            return scores
        judged: FloatArray = scores + scores[list(self.jury.judge)].mean(0) - scores.mean(0)
        return judged

    def columns(
        self, predictions: Tensor, verdict: Verdict | None, texts: Sequence[str]
    ) -> list[dict[str, float | int | None]]:
        """What is said of B designs, by column: outcomes with error bars, how unusual they are, and how far
        from the nearest training sequence.

        Outcomes are those of the panel or, without one, of the members that judge, or of all.
        """
        array = encode(texts, self.alphabet)
        unseen = self._unseen(torch.from_numpy(array.tokens.astype(np.int64)))
        table = self._outcomes(self._judged(predictions.double().cpu().numpy()), verdict, unseen)
        if self.reference is not None:
            table["ood"] = self.reference.unusual(array.tokens, array.lengths)
            if self._known is None:
                self._known = decode(self.reference.tokens, self.alphabet)
            table["nearest"] = nearest(texts, self._known).distance
        if self.generator is not None:
            table["critic"] = self.generator.realness(array.tokens)
        return [
            {name: None if np.isinf(column[i]) else column[i].item() for name, column in table.items()}
            for i in range(len(texts))
        ]

    def _outcomes(
        self, scores: FloatArray, verdict: Verdict | None, unseen: FloatArray | None
    ) -> dict[str, Any]:
        """Columns of scores (M, B, K), or of what a panel said."""
        names = self.keys
        table: dict[str, Any] = {}
        if verdict is not None and not self.log_odds:
            parts = (verdict.mean, verdict.sd, verdict.low, verdict.high)
            for k, name in enumerate(names):
                for end, part in zip(("", "_sd", "_low", "_high"), parts, strict=True):
                    table[f"{name}{end}"] = part[:, k].numpy()
            return table
        if verdict is not None:
            scores = verdict.draws.numpy() - verdict.draws.mean(0).numpy() + verdict.mean.numpy()
        if self.trained is None:
            return {name: scores[..., k].mean(0) for k, name in enumerate(names)}
        record = self.trained.record
        if verdict is not None:  # which is no surer than rows bear out
            found = record.head.predictions(scores, record.calibration, unseen)
        else:
            found = from_scores(self.trained, scores, unseen)
        for k, name in enumerate(names):
            table[name], table[f"{name}_sd"] = found.mean[:, k], found.sd[:, k]
            if found.half_widths is not None:
                half = found.half_widths[:, k, -1]
                table[f"{name}_low"], table[f"{name}_high"] = found.mean[:, k] - half, found.mean[:, k] + half
        return table
