"""What judges of several kinds say of designs, each heard as far as it predicts rows that were held out.

Members of one ensemble learned from the same rows in the same way and share mistakes. Where the training
data are known, judges of other kinds sit beside them: Gaussian processes over positions and over words, which
learn from the measurements directly. Their weights maximise the likelihood of held-out rows (stacking, Yao et
al. 2018), and what they disagree about is part of the error.

Shapes: B sequences, K outcomes, J judges.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdesign.judging.ends import ends_of
from seqdesign.judging.link import (
    Link,
    Opinion,
    borne_out,
    corrected,
    fit_link,
    followed,
    median,
    surely,
    within,
)
from seqdesign.judging.processes import (
    FIT_ROWS,
    KINDS,
    GaussianProcess,
    Kind,
    bernoulli,
    hyperparameters,
    kinds_for,
    log_density,
    most_probable,
    read_as,
)
from seqdesign.judging.reached import FEWEST, Reached, reached, shares_reached, uncorrelated
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import TokenArray
from seqdesign.tasks.scale import CLEARLY, as_measured, ratios
from seqdesign.tasks.task import Task
from seqdesign.training.measured import Measured

ROWS = 1500
"""Measurements that a judge learns from, at most: half of them the nearest to what is judged."""
HELD_OUT = 500
FEWEST_ROWS = 20
"""Training rows from which on a scale is chosen."""
DRAWS = 64
"""What the judges think possible of each design, as equally likely values."""
EM_STEPS = 200
LIMIT_ROUNDS, LIMIT_PARTS = 2, 4
"""Rounds in which limits are completed, each part of the rows by the others."""
HIDDEN = 0.2
"""Share of the rows, the best, that judges must predict from the others before they may go beyond all."""
LEAST, MOST = 0.01, 0.99
"""Probabilities are kept within, so that log-odds stay finite."""

Network = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Tokens (B, L) -> means and standard deviations (B, K) of a measurement, in user units or log-odds."""
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Verdict:
    """What the judges say of B sequences, in the user's units or log-odds.

    mean, sd (B, K): headlines, and the error of a measurement of them; they go as far as rows bear them out
    (``borne_out``, ``surely``). low, high (B, K): 95% interval of a measurement of it, in the units of
    measurements (probabilities for labels have none: NaN), infinite where it reaches beyond an abrupt end of
    the measurements. draws (DRAWS, B, K): possible outcomes; within: those of them that are no better than
    the best row, unless the judges have shown that they can go beyond the rows. counted (B,): whether words
    more often than in any row would change what is said by more than the noise.
    plain: the same without networks, and of the rows that taught them, each by all others.
    """

    mean: Tensor
    sd: Tensor
    low: Tensor
    high: Tensor
    draws: Tensor
    within: Tensor
    counted: Tensor
    plain: Plain | None


@dataclass(frozen=True)
class Plain:
    """Means and standard deviations (B, K) of sequences by the judges that are no networks; of n rows that
    taught them, each by all other rows, (n, K); and what was measured of these rows.
    """

    mean: Tensor
    sd: Tensor
    rows: Tensor
    rows_sd: Tensor
    values: Tensor
    tokens: Tensor
    """Of these rows (n, L), padded."""


class Panel:
    """Judges of all kinds that fit some measurements, weighted by what they know.

    measured: at least two rows with values. length: letters of what will be judged. network: the members that
    judge, as one more judge. Raises ValueError for fewer rows.
    """

    def __init__(
        self,
        measured: Measured,
        alphabet: Alphabet,
        task: Task,
        *,
        num_scores: int,
        length: int,
        both_strands: bool,
        network: Network | None = None,
        seed: int = 0,
    ) -> None:
        if len(measured) < 2:
            raise ValueError(f"judges need at least two measurements, got {len(measured)}")
        self.alphabet, self.task, self.network, self.seed = alphabet, task, network, seed
        same = bool((measured.lengths == length).all())
        self.measured = measured
        rows = TokenArray(measured.tokens, measured.lengths, alphabet, np.arange(len(measured)))
        self.values = _targets(measured.values, task, num_scores)
        """What judges learn (N, K), on their scale."""
        taught = self.values.where(~torch.from_numpy(measured.held_out)[:, None], torch.nan)
        self.kinds, self._basis = kinds_for(KINDS, rows, same=same, both_strands=both_strands, values=taught)
        self.centre, self.unit = _standard(self.values)
        self.scale = as_measured(self.values)
        self.noise = torch.full_like(self.unit, torch.nan)
        """Standard deviation (K,) of a measurement; known once something was judged."""
        self.clueless = torch.zeros_like(self.unit, dtype=torch.bool)
        """(K,): outcomes of which left-out rows are predicted no better than by chance; known likewise."""
        self._asked: Rows = np.zeros(0, dtype=np.int64)  # rows by which they were tested
        self.told: Plain | None = None  # what was said last of the rows; known likewise
        self.borne = torch.full((2, len(self.unit)), torch.nan, dtype=torch.float64)
        """Outcomes (2, K), least and largest, as far as which predictions beyond the rows are borne out; NaN:
        they are not. Known likewise.
        """
        self._tokens = torch.from_numpy(measured.tokens.astype(np.int64))
        self._theta: dict[str, Tensor] = {}
        self._complete()
        self.ends = [] if task.log_odds else [ends_of(column) for column in self.values.numpy().T]
        """Where measurements of each outcome end abruptly; empty for labels."""
        self._mean = self.centre
        if not (task.log_odds or task.rounds):
            self._choose_scale()
        self._weigh()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the judges, in the order of ``weights``."""
        return (*(kind.name for kind in self.kinds), *(() if self.network is None else ("networks",)))

    @property
    def typical(self) -> Tensor:
        """The mean of the measurements (K,), of labels as log-odds."""
        return self._mean if not self.task.log_odds else torch.logit(self._mean.clamp(LEAST, MOST))

    @property
    def tested(self) -> Tensor:
        """(2, K), down and up: whether they have shown that they can go beyond the rows."""
        if not len(self._asked):
            self(self._tokens[:1])
        return ~self.borne.isnan()

    def _choose_scale(self) -> None:
        """Logarithms of the outcomes that are clearly more probable so."""
        logs = ratios(self.values)
        rows = np.flatnonzero(~self.measured.held_out)
        rows = np.random.default_rng([self.seed, 53]).permutation(rows)[:FIT_ROWS]
        taken = logs.into(self.values)
        for k in torch.nonzero(logs.logs).flatten().tolist():
            known = rows[(~self.values[rows, k].isnan()).numpy()]
            if len(known) < FEWEST_ROWS:
                logs.added[k] = torch.nan
                continue
            raw, log = (self._probability(values[known, k : k + 1], known) for values in (self.values, taken))
            if log - float(taken[known, k].sum()) < raw + CLEARLY:
                logs.added[k] = torch.nan
        self.scale, self.values = logs, logs.into(self.values)
        self.centre, self.unit = _standard(self.values)

    def _probability(self, values: Tensor, rows: Rows) -> float:
        """Log probability of values (n, 1) of rows by the judge that knows most of them, up to a constant.

        One that knows nothing of them asks only whether they look normal: counts of a word do as logarithms.
        """
        centre, unit = _standard(values)
        found = []
        for kind in self.kinds:
            reader = read_as(kind, self._basis, self._tokens[rows], values)
            x = reader(self._tokens[rows])
            found.append(most_probable(kind, reader, x, (values - centre) / unit, self.seed)[1])
        return max(found) - len(values) * math.log(float(unit))

    def _heard(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """What the networks say of tokens (B, L) on the judges' scale: means, errors (B, K)."""
        assert self.network is not None
        mean, sd = self.network(tokens)
        return self.scale.into(mean), self.scale.spread_into(mean, sd)

    def _complete(self) -> None:
        """What is expected in the place of limits, by the first judge, each by rows that it has not seen."""
        detail = self.measured.detail
        if detail is None or not self.task.rounds:
            return
        targets, limits = (self.values - self.centre) / self.unit, torch.from_numpy(detail)
        done = self.task.complete(targets, limits, torch.zeros_like(targets))
        rng = np.random.default_rng([self.seed, 47])
        for _ in range(LIMIT_ROUNDS):
            self.values = self.centre + self.unit * done
            parts = np.array_split(rng.permutation(len(targets)), LIMIT_PARTS)
            fitted = torch.zeros_like(targets)
            for part in parts:
                others = rng.permutation(np.setdiff1d(np.arange(len(targets)), part))[:ROWS]
                (judge,) = self._judges(others, self.kinds[:1])
                fitted[part], _ = judge(judge.reader(self._tokens[part]))
            done = self.task.complete(targets, limits, fitted)
        self.values = self.centre + self.unit * done
        self._theta = {}

    def _weigh(self) -> None:
        """Hyperparameters from training rows, and weights (J,) by held-out rows."""
        rng = np.random.default_rng([self.seed, 41])
        train = np.flatnonzero(~self.measured.held_out)
        fresh = rng.permutation(np.flatnonzero(self.measured.held_out))[:HELD_OUT]
        train = rng.permutation(train)[:ROWS] if len(train) else fresh
        self._network_links: list[Link] = []
        self._network_error = torch.ones_like(self.unit)
        alone, unseen, errors = [], [], []
        y, taught = self.values[fresh], self.values[train]
        for judge in self._judges(train, self.kinds):
            links, (mean, variance), _ = self._linked(judge)
            alone.append(self._density(taught, mean, variance))
            found, _ = _said(judge, links, self._tokens[fresh])
            unseen.append(self._density(y, found.mean, found.total + judge.noise))
            errors.append(_mean_square(found.mean - (y - self.centre) / self.unit))
        table = torch.stack(unseen, 1)
        # A process predicts each row from all others in closed form, so that all rows choose among processes.
        own = stack(torch.cat([torch.stack(alone, 1), table]))
        if self.network is None:
            self.weights = own
            return
        if not len(fresh):
            self.weights = torch.cat([own, own.new_ones(1)]) / 2
            return
        # The networks learned from the training rows: they are weighed against the mixture by the others.
        together = (table + own.log()).logsumexp(1)
        share = stack(torch.stack([together, self._network_density(fresh)], 1))
        self._network_error = (self._network_error / (own @ torch.stack(errors))).clamp(max=1)
        self.weights = torch.cat([share[0] * own, share[1:]])

    def _network_density(self, rows: Rows) -> Tensor:
        """Log density (n,) that the networks give the values of rows that they have not learned from."""
        mean, sd = self._heard(self._tokens[rows])
        if self.task.log_odds:
            return bernoulli(self.values[rows], mean.sigmoid().clamp(LEAST, MOST))
        mean, variance = (mean - self.centre) / self.unit, (sd / self.unit).square()
        y = (self.values[rows] - self.centre) / self.unit
        self._network_links = [fit_link(mean[:, k], variance[:, k], y[:, k]) for k in range(y.shape[1])]
        found = corrected(self._network_links, mean, variance)
        self._network_error = _mean_square(found.mean - y)
        return self._density(self.values[rows], found.mean, found.total)

    def _linked(self, judge: GaussianProcess) -> tuple[list[Link], tuple[Tensor, Tensor], Tensor]:
        """What corrects a judge at its ends, one for each outcome, and corrected means and variances (n, K),
        noise included, of the rows that taught it, each by all others; and these means before that.
        """
        left, around = judge.left_out()
        if self.task.log_odds:
            return [], (left, around), left
        links = [fit_link(left[:, k], around[:, k], judge.y[:, k]) for k in range(left.shape[1])]
        found = corrected(links, left, around - judge.noise)
        return links, (found.mean, found.total + judge.noise), left

    def _density(self, y: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        """Log density (n,) of values (n, K) in user units, under standardised means and variances."""
        if not self.task.log_odds:
            each = log_density((y - self.centre) / self.unit, mean, variance)
            return each.nan_to_num().sum(1)
        return bernoulli(y, (self.centre + self.unit * mean).clamp(LEAST, MOST))

    def _judges(self, rows: Rows, kinds: Sequence[Kind]) -> Iterator[GaussianProcess]:
        """A judge of each kind that learned from these rows; those that read alike share their likeness."""
        tokens, y = self._tokens[rows], (self.values[rows] - self.centre) / self.unit
        for _, some in itertools.groupby(kinds, lambda kind: kind.reads):
            alike = list(some)
            reader = read_as(alike[0], self._basis, tokens, y)
            x = reader(tokens)
            like = reader.likeness(x, x)
            for kind in alike:
                if kind.name not in self._theta:
                    self._theta[kind.name] = hyperparameters(kind, reader, x, y, self.seed)
                yield GaussianProcess(kind, self._theta[kind.name], reader, x, y, like)

    @torch.no_grad()
    def __call__(self, tokens: Tensor, base: Tensor | None = None) -> Verdict:
        """What they say of tokens (B, L), of all measurements.

        base (B, K): what the headlines are compared with, if a gain is claimed of them.
        """
        rows = self._chosen(tokens)
        said: list[Opinion] = []
        noise, ratios, further, fits, known, unseen = [], [], [], [], [], []
        alone: list[tuple[Tensor, Tensor]] = []
        for judge in self._judges(rows, self.kinds):
            links, (left, around), plainly = self._linked(judge)
            unseen.append(plainly)
            opinion, beyond = _said(judge, links, tokens)
            said.append(opinion)
            further.append(beyond)
            fits.append(corrected(links, judge.fitted(), judge.noise * torch.ones_like(judge.y)).mean)
            noise.append(judge.noise)
            alone.append((left, around - judge.noise))
            known.append(judge.noise * (1 - judge.noise / around).clamp(min=0))
            ratios.append(((judge.y - left).abs() / around.sqrt()).nanquantile(0.95))
        weights = self.weights
        own = weights[: len(self.kinds)] / weights[: len(self.kinds)].sum()
        typical = min(noise)  # what one of them can explain is no noise
        self.noise = self.scale.spread_out(self.centre, self.unit * math.sqrt(typical))
        fitted = (own[:, None, None] * torch.stack(fits)).sum(0)
        widen = max(1.0, float((own * torch.stack(ratios)).sum()) / 1.96)
        everyone = Opinion(*(torch.stack(parts) for parts in zip(*said, strict=True)))
        more = (own[:, None, None] * torch.stack(further)).sum(0)
        self.clueless = self._no_better_than_chance(own, alone, rows)
        if not np.array_equal(rows, self._asked):
            self.borne, self._asked = self._borne_out(own, alone, fitted, rows), rows
        plain = self.told = self._plain(own, (everyone.mean, everyone.total), alone, rows)
        if self.task.log_odds:
            everyone = self._as_log_odds(everyone)
        if self.network is not None:
            center, sd = self._heard(tokens)
            one = corrected([], center, sd.square())
            if not self.task.log_odds:
                center, sd = (center - self.centre) / self.unit, sd / self.unit
                held = self._held(center, more)
                # How far a sequence is from what was measured the processes alone can tell.
                least = self._network_error * (own[:, None, None] * everyone.variance).sum(0)
                one = corrected(self._network_links, held, torch.maximum(sd.square() - typical, least))
                one = one.or_further(center - held)
            everyone = Opinion(*(torch.cat([a, b[None]]) for a, b in zip(everyone, one, strict=True)))
        unsure = (own[:, None, None] * torch.stack(known)).sum(0)
        counted = more.square().amax(1) > typical
        top = self._reached((own[:, None, None] * torch.stack(unseen)).sum(0), rows)
        return self._verdict(everyone, base, typical, widen, plain, (fitted, unsure), top, counted)

    def _reached(self, left: Tensor, rows: Rows) -> Reached:
        """How far rows came, by predictions (n, K) of left-out ones; of labels the log-odds that are borne
        out, by judges or by networks, whichever tell labels apart better.
        """
        if not self.task.log_odds:
            return reached(left, (self.values[rows] - self.centre) / self.unit)
        found = shares_reached(left, self.values[rows])
        fresh = np.flatnonzero(self.measured.held_out)
        if self.network is not None and len(fresh) >= FEWEST:
            other = shares_reached(self._heard(self._tokens[fresh])[0], self.values[fresh])
            found = torch.stack([torch.minimum(found[0], other[0]), torch.maximum(found[1], other[1])])
        return Reached(found.logit(), torch.zeros_like(found), torch.zeros_like(found, dtype=torch.bool))

    def _no_better_than_chance(
        self, weights: Tensor, alone: list[tuple[Tensor, Tensor]], rows: Rows
    ) -> Tensor:
        """(K,): whether predictions of left-out rows, by judges and networks, do not correlate with them."""
        left = (weights[:, None, None] * torch.stack([m for m, _ in alone])).sum(0)
        blind = [uncorrelated(left[:, k], self.values[rows][:, k]) for k in range(left.shape[1])]
        if self.network is not None and any(blind):
            fresh = np.flatnonzero(self.measured.held_out)[:HELD_OUT]
            mean, _ = self._heard(self._tokens[fresh])
            blind = [b and uncorrelated(mean[:, k], self.values[fresh][:, k]) for k, b in enumerate(blind)]
        return torch.tensor(blind)

    def _borne_out(
        self, weights: Tensor, alone: list[tuple[Tensor, Tensor]], fitted: Tensor, rows: Rows
    ) -> Tensor:
        """(2, K) in the user's units: how far down and up predictions may go beyond all rows; NaN: nowhere.

        The best rows by the predictions (n, K) of the judges ``alone`` are hidden from them, and predicted
        from the rest. Where measurements follow, as far again beyond the best row is borne out.
        """
        found = torch.full((2, fitted.shape[1]), torch.nan, dtype=fitted.dtype)
        if self.task.log_odds:
            return found
        left = (weights[:, None, None] * torch.stack([m for m, _ in alone])).sum(0)
        y = (self.values[rows] - self.centre) / self.unit
        for end, sign in enumerate((-1.0, 1.0)):
            for k in range(fitted.shape[1]):
                rank = sign * left[:, k].nan_to_num(-sign * math.inf)
                edge = rank.quantile(1 - HIDDEN)
                hidden, rest = torch.nonzero(rank > edge).flatten(), torch.nonzero(rank <= edge).flatten()
                if len(hidden) < FEWEST_ROWS:
                    continue
                judges = self._judges(rows[rest.numpy()], self.kinds)
                tokens = self._tokens[rows[hidden.numpy()]]
                said = torch.stack([judge(judge.reader(tokens))[0][:, k] for judge in judges])
                further = followed(sign * (weights @ said) - edge, sign * y[hidden, k] - edge)
                found[end, k] = sign * (torch.nan_to_num(sign * fitted[:, k], -math.inf).max() + further)
        return self.scale.out(self.centre + self.unit * found)

    def _plain(
        self,
        weights: Tensor,
        sequences: tuple[Tensor, Tensor],
        alone: list[tuple[Tensor, Tensor]],
        rows: Rows,
    ) -> Plain | None:
        """Mixtures of the judges without the networks, of a regression."""
        if self.task.log_odds:
            return None

        def mixed(mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
            w = weights[:, None, None]
            middle = (w * mean).sum(0)
            spread = (w * (variance.clamp(min=0) + (mean - middle).square())).sum(0)
            middle, spread = self.centre + self.unit * middle, self.unit * spread.sqrt()
            return self.scale.out(middle), self.scale.spread_out(middle, spread)

        mean, sd = mixed(*sequences)
        left, left_sd = mixed(torch.stack([m for m, _ in alone]), torch.stack([v for _, v in alone]))
        return Plain(mean, sd, left, left_sd, self.scale.out(self.values[rows]), self._tokens[rows])

    def _as_log_odds(self, said: Opinion) -> Opinion:
        p = (self.centre + self.unit * said.mean).clamp(LEAST, MOST)
        return corrected([], torch.logit(p), said.total * (self.unit / (p * (1 - p))).square())

    def _held(self, mean: Tensor, further: Tensor) -> Tensor:
        """What networks say (B, K) without what further copies of words add, by the other judges (B, K).

        No further back than to where their predictions of rows end.
        """
        if not self._network_links:
            return mean
        low = torch.stack([link.down[-1] for link in self._network_links])
        high = torch.stack([link.up[-1] for link in self._network_links])
        up = torch.maximum(mean - further, mean.minimum(high))
        down = torch.minimum(mean - further, mean.maximum(low))
        return torch.where(further > 0, up, down)

    def _verdict(
        self,
        said: Opinion,
        base: Tensor | None,
        noise: float,
        widen: float,
        plain: Plain | None,
        fitted: tuple[Tensor, Tensor],
        top: Reached,
        counted: Tensor,
    ) -> Verdict:
        """From opinions of J judges (J, B, K), standardised or in log-odds.

        fitted: means and variances (N, K) of rows.
        """
        w = self.weights[:, None, None]
        middle = median(self.weights, said)
        apart = said.variance + (said.mean - middle).square()
        spread = (w * (apart + 0.5 * (said.down.square() + said.up.square()))).sum(0)
        draws = self._draws(said)
        if self.task.log_odds:
            nothing = torch.full_like(middle, torch.nan)
            middle, held = (
                torch.maximum(torch.minimum(x, top.level[1]), top.level[0]) for x in (middle, draws)
            )
            if base is not None:
                middle = surely(middle.sigmoid(), held.sigmoid(), base.sigmoid()).logit()
            return Verdict(middle, spread.sqrt(), nothing, nothing, draws, held, counted, plain)
        reach = [
            1.96 * widen * ((w * (apart + side.square())).sum(0) + noise).sqrt()
            for side in (said.down, said.up)
        ]
        borne = (self.scale.into(self.borne) - self.centre) / self.unit
        # What is asked about without a claim may be a row itself, of which more is known than of a choice.
        came = None if base is None else top
        held = self._outside(within(draws, *fitted, borne, came))
        headline = self._outside(borne_out(middle, draws, fitted[0], borne, came))
        headline = headline if base is None else surely(headline, held, base)
        sure = (self.scale.into(headline) - self.centre) / self.unit
        # An interval also holds measurements of what the headline says.
        least = 1.96 * widen * math.sqrt(noise)
        low = self._outside(torch.minimum(middle - reach[0], sure - least))
        high = self._outside(torch.maximum(middle + reach[1], sure + least))
        draws = self._outside(draws)
        sd = self.scale.spread_out(self.centre + self.unit * sure, self.unit * (spread + noise).sqrt())
        for k, end in enumerate(self.ends):
            # Beyond an abrupt end nobody knows anything, so what may lie there has no limit on that side.
            if end.high is not None:
                high[:, k] = torch.where(high[:, k] > end.high, torch.inf, high[:, k])
            if end.low is not None:
                low[:, k] = torch.where(low[:, k] < end.low, -torch.inf, low[:, k])
        return Verdict(headline, sd, low, high, draws, held, counted, plain)

    def _outside(self, values: Tensor) -> Tensor:
        """Standardised values (..., K) in the user's units."""
        return self.scale.out(self.centre + self.unit * values)

    def _draws(self, said: Opinion) -> Tensor:
        """(DRAWS, B, K): each of one judge, with the same luck for all sequences."""
        count = shares(self.weights, DRAWS)
        who = torch.repeat_interleave(torch.arange(len(count)), torch.tensor(count))
        luck = torch.randn(DRAWS, 2, said.mean.shape[2], generator=torch.Generator().manual_seed(0)).double()
        if luck.shape[2] == 2 and bool((self.values.nan_to_num(0.5).sum(1) == 1).all()):
            luck[:, :, 1] = -luck[:, :, 0]  # of two labels one is what the other is not
        own, slope = luck[:, :1], luck[:, 1:]
        ends = torch.where(slope < 0, slope * said.down[who], slope * said.up[who])
        return said.mean[who] + said.variance[who].sqrt() * own + ends

    def _chosen(self, tokens: Tensor) -> Rows:
        """Rows to learn from when these are judged: the nearest, and some of the others."""
        count = len(self.measured)
        if count <= ROWS:
            return np.arange(count)
        order = np.random.default_rng([self.seed, 43]).permutation(count)
        if tokens.shape[1] != self._tokens.shape[1]:
            return np.sort(order[:ROWS])
        letters = torch.arange(self.alphabet.size)
        centre = (tokens.unsqueeze(2) == letters).float().mean(0)
        alike = torch.cat(
            [
                ((part.unsqueeze(2) == letters).float() * centre).sum((1, 2))
                for part in self._tokens.split(2048)
            ]
        ).numpy()
        near = order[np.argsort(-alike[order], kind="stable")[: ROWS // 2]]
        others = order[~np.isin(order, near)][: ROWS - len(near)]
        return np.sort(np.concatenate([near, others]))


def _said(judge: GaussianProcess, links: Sequence[Link], tokens: Tensor) -> tuple[Opinion, Tensor]:
    """Opinion of tokens (B, L) from what rows have had, and by how much more the judge would say (B, K).

    A word more often in a sequence than in any row has the effect of the largest count that was measured.
    """
    features = judge.reader(tokens)
    mean, variance = judge(features)
    held = judge.seen(features)
    return corrected(links, held, variance).or_further(mean - held), mean - held


def stack(log_densities: Tensor) -> Tensor:
    """Weights (J,) of judges by the log densities (n, J) that they give held-out rows.

    They maximise the likelihood of the mixture, as if each judge had explained one more row by itself.
    """
    weights = log_densities.new_ones(log_densities.shape[1]) / log_densities.shape[1]
    scaled = (log_densities - log_densities.amax(1, keepdim=True)).exp()
    for _ in range(EM_STEPS):
        share = weights * scaled
        weights = 1.0 + (share / share.sum(1, keepdim=True)).sum(0)
        weights = weights / weights.sum()
    return weights


def _standard(values: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (K,) of values (n, K), NaN unknown."""
    count = (~values.isnan()).sum(0).clamp(min=1)
    centre = values.nan_to_num().sum(0) / count
    spread = ((values - centre).square().nan_to_num().sum(0) / count).sqrt()
    return centre, spread.clamp(min=1e-9)


def _mean_square(errors: Tensor) -> Tensor:
    """(K,): of errors (n, K), NaN unknown; 1 without any."""
    return errors.square().nanmean(0).nan_to_num(1.0)


def shares(weights: Tensor, total: int) -> list[int]:
    """``total`` divided in proportion to the weights, by largest remainders."""
    exact = (weights * total).tolist()
    found = [math.floor(x) for x in exact]
    order = sorted(range(len(exact)), key=lambda j: found[j] - exact[j])
    for j in order[: total - sum(found)]:
        found[j] += 1
    return found


def _targets(values: NDArray[np.float64], task: Task, num_scores: int) -> Tensor:
    """(N, K) what judges learn: numbers, 0 and 1, or one column for each class."""
    table = torch.from_numpy(np.asarray(values, dtype=np.float64))
    zero, one = table.new_zeros(1), table.new_ones(1)
    return task.targets(table, zero, one, num_scores)
