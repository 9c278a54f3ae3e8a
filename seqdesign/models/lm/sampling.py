"""Sequences from a language model: from left to right or in a random order, under hard constraints.

Every sequence has its length before its first letter. Shapes: N sequences, T positions, V letters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seqdesign.devices.arithmetic import running_sum
from seqdesign.devices.capture import replayed
from seqdesign.language.dependence import turns
from seqdesign.language.model import SequenceLM
from seqdesign.language.networks import Transformer
from seqdesign.models.lm.lookahead import Lookahead, ball_of

if TYPE_CHECKING:
    from seqdesign.constraints.rules import Rules

BLOCK = 250
"""Sequences that are drawn together: as many as stay in a CPU's cache."""
FULL = 16
"""Letters that are written on a GPU are as many as fill up such pieces, so that few numbers of them occur."""
MOST_CANDIDATES = 64
"""Candidates for each sequence, at most, where constraints forbid letters that the model would write."""
UNFORCED = 0.1
"""Spread of ``Drawn.forced`` in nats up to which the first candidates are as good as any."""
TWICE = 0.05
"""Candidates are enough when no more than this share of the samples would have to be one of them again,"""
FEWEST = 8
"""and when they are worth this many of equal weights."""
_DEAD, _LEAST = -700.0, -600.0
"""Logarithms of weights next to the largest: of rows that break a constraint, and the smallest of others."""

Guide = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Shown tokens (N, T), logits of all places (N, T, V) and places (N,) -> what to add to the logits of those
places, (N, V)."""


@dataclass(frozen=True)
class Drawn:
    """What was drawn.

    tokens: (N, T) int64, PAD after the last letter. lengths: (N,). log_probs: (N,) float64, log p(x) of the
    model itself in nats, whatever temperature, constraints or guide; of a model of any order, log p of the
    letters that it wrote, in the order in which it wrote them.
    outcomes: (N,) float64 that it was drawn for, NaN = none. good: (N,) bool, whether it obeys the
    constraints. forced: (N,) float64, log of how much likelier the model's own letters were to it than to the
    draw under constraints; without a look ahead, the log-probabilities of what constraints allow, summed.
    """

    tokens: Tensor
    lengths: Tensor
    log_probs: Tensor
    outcomes: Tensor
    good: Tensor
    forced: Tensor

    def take(self, rows: Tensor) -> Drawn:
        """The chosen rows."""
        return Drawn(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    @classmethod
    def joined(cls, parts: Sequence[Drawn], pad: int) -> Drawn:
        """Several as one."""
        longest = max(part.tokens.shape[1] for part in parts)
        columns = {name: [getattr(part, name) for part in parts] for name in cls.__dataclass_fields__}
        columns["tokens"] = [F.pad(x, (0, longest - x.shape[1]), value=pad) for x in columns["tokens"]]
        return cls(**{name: torch.cat(values) for name, values in columns.items()})


@torch.inference_mode()
def draw(
    model: SequenceLM,
    lengths: Tensor,
    rng: torch.Generator,
    *,
    outcomes: Tensor | None = None,
    rules: Rules | None = None,
    temperature: float = 1.0,
    guide: Guide | None = None,
) -> Drawn:
    """One sequence for each of ``lengths`` (N,), given outcomes (N,) where they are.

    ``rules`` are for one start and one length. A model of any order writes in a random order around the
    letters about which the rules leave no choice, and from left to right where rules look at neighbours.
    Numbers are drawn on the CPU, so that a seed means the same on every device.
    """
    device = model.length_log_prob.device
    n, steps = len(lengths), int(lengths.max())
    uniform = torch.rand(n, steps, generator=rng, dtype=torch.float64).to(device)
    ranks = torch.rand(n, steps, generator=rng).to(device)
    given = torch.full((n,), torch.nan, dtype=torch.float64) if outcomes is None else outcomes
    given, lengths = given.to(device), lengths.to(device)
    page = _Page(model, lengths, model.context(given), rules, temperature, uniform)
    if model.is_causal and rules is None:
        page.write_at_once()
    elif model.is_causal:
        page.from_left_to_right(None)
    elif rules is not None and rules.walks:
        page.from_left_to_right(_Reader(model, guide))
    else:
        page.in_order_of(ranks, _Reader(model, guide))
    tokens = page.tokens.masked_fill(~page.inside, model.vocabulary.pad)
    good = page.good
    if rules is not None:
        good = good & rules.is_feasible(tokens, page.first_start)
    log_p = page.total + model.log_prob_length(lengths)
    return Drawn(tokens, lengths, log_p, given, good, page.forced)


def draw_fairly(model: SequenceLM, lengths: Tensor, rng: torch.Generator, **how: Any) -> Drawn:
    """As ``draw``, but chosen among more candidates where constraints forced the model's hand.

    Letters are drawn among those that constraints allow, which makes sequences too likely into which the
    constraints have forced the model; weights exp(forced) undo that (importance resampling). All candidates
    are of one length and compete with each other, so that there need not be a good one for each sequence.
    They are drawn until hardly any of them would be chosen twice.
    """
    drawn = draw(model, lengths, rng, **how)
    forced = drawn.forced[drawn.good]
    if how.get("rules") is None or (len(forced) > 1 and float(forced.std()) <= UNFORCED):
        return drawn
    rounds, n = 1, len(lengths)
    while rounds < MOST_CANDIDATES and not _are_enough(drawn, n):
        more = [draw(model, lengths, rng, **how) for _ in range(rounds)]
        drawn = Drawn.joined([drawn, *more], model.vocabulary.pad)
        rounds *= 2
    return choose(drawn, n, rng)


class _Reader:
    """Logits of hidden letters, given all that are shown, of a model of any order."""

    def __init__(self, model: SequenceLM, guide: Guide | None) -> None:
        self.network, self.guide = model.network, guide
        self.dependence = None if guide is not None else model.dependence

    def __call__(self, page: _Page, places: Tensor) -> Tensor:
        """Logits (N, k, V) of places (N, k); with a guide one place each."""
        if self.guide is None:
            return self.of(page.tokens, page.lengths, page.context, places)
        logits = self.network(page.tokens, page.lengths, page.context).double()
        mine = logits[page.everyone, places[:, 0]]
        return (mine + self.guide(page.tokens, logits, places[:, 0]))[:, None]

    def next(self, page: _Page, t: int) -> Tensor:
        """Logits (N, V) of place ``t`` of all; pages that read alike so far are read once."""
        places = torch.full_like(page.everyone, t)[:, None]
        if self.guide is not None or page.context is not None:
            return self(page, places)[:, 0]
        shown, which = page.tokens.unique(dim=0, return_inverse=True)
        n = len(shown)
        return self.of(shown, page.lengths[:n], None, places[:n])[which, 0]

    def of(self, shown: Tensor, lengths: Tensor, context: Tensor | None, places: Tensor) -> Tensor:
        """Logits (N, k, V) of places (N, k) of shown tokens (N, T), without a guide."""
        assert isinstance(self.network, Transformer)
        return self.network.at(shown, lengths, context, places).double()


class _Page:
    """Sequences that are being written."""

    def __init__(
        self,
        model: SequenceLM,
        lengths: Tensor,
        context: Tensor | None,
        rules: Rules | None,
        temperature: float,
        uniform: Tensor,
    ) -> None:
        self.model, self.lengths, self.context = model, lengths, context
        self.rules, self.temperature, self.uniform = rules, temperature, uniform
        n, steps = uniform.shape
        device = uniform.device
        self.everyone = torch.arange(n, device=device)
        self.first_start = torch.zeros_like(self.everyone)
        self.inside = torch.arange(steps, device=device) < lengths[:, None]
        self.tokens = torch.full((n, steps), model.network.inputs.nothing, device=device)
        self.total = torch.zeros(n, dtype=torch.float64, device=device)
        self.forced, self.good = self.total.clone(), torch.ones_like(self.inside[:, 0])

    def write_at_once(self) -> None:
        """As ``from_left_to_right`` without constraints; on a GPU all letters are one launch."""
        steps, whole = self.uniform.shape[1], self.model.max_length

        def call(uniform: Tensor, lengths: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
            page = _Page(self.model, lengths, context, None, self.temperature, uniform)
            page.from_left_to_right(None)
            return page.tokens, page.total

        full = steps if self.uniform.device.type == "cpu" else min(whole, -(-steps // FULL) * FULL)
        rows = (F.pad(self.uniform, (0, full - steps)), self.lengths, self.context)
        tokens, self.total = replayed(self.model, ("letters", self.temperature), rows, call)
        self.tokens = tokens[:, :steps]

    def from_left_to_right(self, reader: _Reader | None) -> None:
        """Write every place after the one before; without ``reader`` with the cache of a causal network."""
        network, rules = self.model.network, self.rules
        n, steps = self.tokens.shape
        memory = network.begin(n, steps) if reader is None else None
        if reader is not None:
            self._fill_in_what_is_sure()
        ahead = self._look_ahead(reader)
        previous = torch.full_like(self.everyone, network.inputs.nothing)
        state = None if rules is None else rules.start(self.first_start)
        for t in range(steps):
            places = torch.full_like(self.everyone, t)
            may = None if rules is None or state is None else rules.letters(state, self.first_start, t)
            tilt = None if ahead is None else ahead.tilt(self.tokens[:, :t], t)
            if reader is None:
                logits = network.step(memory, previous, self.lengths, self.context, t).double()
                previous = self._choose(logits, places, may, tilt=tilt)
            elif int(self.tokens[0, t]) == network.inputs.nothing:
                previous = self._choose(reader.next(self, t), places, may, tilt=tilt)
            else:
                previous = self.tokens[:, t]
                if may is not None:
                    self.good &= may.gather(1, previous[:, None])[:, 0]
            self.tokens[:, t] = previous
            if rules is not None and state is not None:
                state = rules.advance(state, previous, self.first_start, t)

    def _look_ahead(self, reader: _Reader | None) -> Lookahead | None:
        """What later letters cost where few may differ from a start; None where none is given.

        Of rows for different outcomes as of the first; weights allow for what that misses.
        """
        ball = None if self.rules is None else ball_of(self.rules)
        if ball is None or self.rules is None:
            return None
        steps = self.tokens.shape[1]
        start = ball.starts[:1, :steps].to(self.tokens)
        if reader is None:
            context = None if self.context is None else self.context[:1]
            logits = self.model.network(start, self.lengths[:1], context)[0].double()
        else:
            places = torch.arange(steps, device=start.device)
            shown = start.where(places < places[:, None], self.tokens[:1])
            context = None if self.context is None else self.context[:1].expand(steps, -1)
            logits = reader.of(shown, self.lengths[:1].expand(steps), context, places[:, None])[:, 0]
        if self.temperature != 1.0:
            logits = logits / self.temperature
        return Lookahead(ball, logits.log_softmax(1), self.rules.shared_mask[0, :steps])

    def in_order_of(self, ranks: Tensor, reader: _Reader) -> None:
        """Write the places that are free in the order of ``ranks`` (N, T), as the mask permits."""
        self._fill_in_what_is_sure()
        free = (self.tokens == self.model.network.inputs.nothing) & self.inside
        for places, writes in turns(reader.dependence, ranks, free, self.lengths):
            logits = reader(self, places)
            for k in range(places.shape[1]):
                place, mine = places[:, k], writes[:, k]
                may = None if self.rules is None else self.rules.shared_mask[0, place]
                letters = self._choose(logits[:, k], place, may, mine)
                self.tokens[self.everyone[mine], place[mine]] = letters[mine]

    def _fill_in_what_is_sure(self) -> None:
        if self.rules is not None:
            mask = self.rules.shared_mask[0, : self.tokens.shape[1]]
            sure = mask.sum(1) == 1
            self.tokens[:, sure] = mask.int().argmax(1)[sure]

    def _choose(
        self,
        logits: Tensor,
        places: Tensor,
        may: Tensor | None,
        writes: Tensor | None = None,
        tilt: Tensor | None = None,
    ) -> Tensor:
        """Letters (N,) for ``places`` (N,), drawn from logits (N, V) among those that may be.

        Of rows that do not write (default: where the place lies behind the end) nothing counts. tilt: (N, V),
        what the letters to come add to the logits that are drawn from.
        """
        if writes is None:
            writes = self.inside[self.everyone, places]
        wanted = logits if self.temperature == 1.0 else logits / self.temperature
        drawn = wanted
        if may is not None:
            alive = may.any(1)
            self.good &= alive | ~writes
            drawn = wanted if tilt is None else wanted + tilt
            drawn = drawn.masked_fill(~(may | ~alive[:, None]), -torch.inf)
        cumulative = running_sum(drawn.softmax(1), 1)
        letters = (cumulative <= (self.uniform[self.everyone, places] * cumulative[:, -1])[:, None]).sum(1)
        if may is not None:
            gain = (wanted.log_softmax(1) - drawn.log_softmax(1)).gather(1, letters[:, None])[:, 0]
            self.forced += gain.masked_fill(~writes, 0.0)
        log_p = logits.log_softmax(1).gather(1, letters[:, None])[:, 0]
        self.total += log_p.masked_fill(~writes, 0.0)
        return letters


def _are_enough(drawn: Drawn, num: int) -> bool:
    """Whether ``num`` samples can be chosen among these candidates."""
    shares = _weights(drawn)
    shares = shares / shares.sum()
    again = float((num * shares - 1).clamp(min=0).sum() / num)
    return again <= TWICE and float(1 / shares.square().sum()) >= FEWEST


def choose(drawn: Drawn, num: int, rng: torch.Generator) -> Drawn:
    """``num`` of the rows, none of them twice, in random order, with chances in proportion to exp(forced).

    Chances that would be larger than 1 are 1, in favour of the others (systematic sampling). Rows that break
    a constraint are taken only where there are too few others.
    """
    weights = _weights(drawn)
    order = torch.randperm(len(weights), generator=rng)
    chances = _chances(weights[order], num)
    first = torch.rand(1, generator=rng, dtype=torch.float64)
    marks = chances.cumsum(0) * (num / chances.sum())
    chosen = torch.searchsorted(marks, first + torch.arange(num), right=True).clamp(max=len(weights) - 1)
    return drawn.take(order[chosen].to(drawn.tokens.device))


def _weights(drawn: Drawn) -> Tensor:
    """(N,) float64 on the CPU, the largest 1."""
    forced, good = drawn.forced.cpu(), drawn.good.cpu()
    most = forced[good].max() if bool(good.any()) else forced.new_zeros(())
    return (forced - most).clamp(min=_LEAST).masked_fill(~good, _DEAD).exp()


def _chances(weights: Tensor, num: int) -> Tensor:
    """Chances (N,) of being among ``num``, in proportion to weights but at most 1."""
    sorted_, order = weights.sort(descending=True)
    rest = sorted_.flip(0).cumsum(0).flip(0)
    left = num - torch.arange(len(weights))
    certain = int(((left * sorted_ > rest) & (left > 0)).long().cumprod(0).sum())
    chances = torch.ones_like(weights)
    if certain < len(weights):
        chances[certain:] = (num - certain) * sorted_[certain:] / rest[certain]
    return torch.zeros_like(weights).index_copy(0, order, chances)
