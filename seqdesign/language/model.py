"""A language model: p(x) = p(length) p(letters | length), or the same given an outcome.

    left to right   log p(x | n) = sum_t log p(x_t | x_1 .. x_{t-1}, n)
    any order       log p(x | n) >= E over orders s of sum_k log p(x_s(k) | x_s(1) .. x_s(k-1), n)

The bound is that of absorbing discrete diffusion, whose noise schedule does not matter (Hoogeboom et al.
2022, arXiv 2110.02037; Ou et al. 2024, arXiv 2406.03736): hide k of n letters, k even in 1 .. n, and weigh
by n / k.
Shapes: N sequences, T positions, V letters, d features, K knots.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from seqdesign.devices.randomness import for_rows
from seqdesign.language.config import LMOptions
from seqdesign.language.dependence import STAGES, UNKNOWN, dependence, most_rows, turns
from seqdesign.language.ensemble import Ensemble
from seqdesign.language.layers import MAX_PLACES, Mixing
from seqdesign.language.networks import GRU, Transformer
from seqdesign.sequences.encoders import Vocabulary
from seqdesign.training.data import Batch, TokenData

UNCONDITIONAL = 0.1
"""Share of training rows whose outcome is hidden, so that the model works without one."""
ORDERS = 1
"""Orders of letters by which a bound is estimated, where they can be shown in few turns. Of tRNA-like
sequences it then varies by 0.1 nats, from LEVELS shares by 2.4."""
LEVELS = 32
"""Shares of hidden letters by which it is estimated elsewhere."""
WEIGHED, WEIGHED_BLOCK = 2000, 256
"""Held-out sequences by which parts of an ensemble are weighed, and at once."""
FEW_LEVELS = 8
"""The same where one sequence after the other is asked about."""


class SequenceLM(nn.Module):
    """A likelihood model of sequences of ``min_length`` to ``max_length`` letters.

    knots: outcomes in ascending order between which a condition is interpolated; empty: no condition.
    """

    players = ("lm",)
    length_log_prob: Tensor
    knots: Tensor
    dependence: Tensor | None
    """(S, T, T) nats that letters of two places tell each other, of a model of any order; UNKNOWN before
    it is measured, None for long sequences."""

    def __init__(
        self,
        options: LMOptions,
        vocabulary: Vocabulary,
        max_length: int,
        min_length: int,
        knots: tuple[float, ...] = (),
    ) -> None:
        super().__init__()
        assert isinstance(options.width, int), "adapt() the options first"
        assert isinstance(options.dropout, float), "adapt() the options first"
        assert options.architecture != "auto", "adapt() the options first"
        self.options, self.vocabulary = options, vocabulary
        self.max_length, self.min_length = max_length, min_length
        size, varied = vocabulary.n_letters, min_length < max_length
        shape: dict[str, Any] = {"layers": options.layers, "dropout": options.dropout}
        shape |= {"varied": varied, "repeats": not knots, "complement": vocabulary.alphabet.partners}
        self.network: Transformer | GRU | Ensemble
        if options.architecture == "gru":
            self.network = GRU(size, max_length, width=options.width, **shape)
        else:
            self.network = transformer = Transformer(
                size, max_length,
                width=options.width, heads=options.heads, window=options.window,
                causal=options.architecture != "masked", **shape,
            )  # fmt: skip
            if options.architecture == "ensemble":
                gru = GRU(size, max_length, width=2 * options.width, **shape)
                self.network = Ensemble([transformer, gru])
        self.register_buffer("length_log_prob", torch.zeros(max_length - min_length + 1))
        self.register_buffer("knots", torch.tensor(knots, dtype=torch.float32), persistent=False)
        together = options.architecture == "masked" and max_length <= MAX_PLACES
        unknown = torch.full((STAGES, max_length, max_length), UNKNOWN, dtype=torch.float16)
        self.register_buffer("dependence", unknown if together else None)
        features = self.network.inputs.letters.embedding_dim
        self.condition = nn.Embedding(len(knots), features) if knots else None

    @property
    def is_causal(self) -> bool:
        """Whether it writes from left to right, and its likelihoods are exact."""
        return self.options.architecture != "masked"

    def player_parameters(self, player: str) -> list[nn.Parameter]:
        """All of them."""
        return list(self.parameters())

    def sparse_parameters(self, player: str) -> list[nn.Parameter]:
        """Weights of pairs of places, of which there are many, and few that mean anything."""
        mixings = (module for module in self.modules() if isinstance(module, Mixing))
        return [mixing.place for mixing in mixings if mixing.place is not None]

    def count(self, data: TokenData) -> None:
        """Set what is counted in training sequences and not learned: p(length), and words.

        A conditional model has to learn words, and repeats: where one letter follows from the last, nothing
        would be left for which the outcome matters, but the first.
        """
        self.count_lengths(data.lengths)
        if self.condition is None:
            self.network.count(data.tokens, data.lengths)

    def count_lengths(self, lengths: Tensor) -> None:
        """Set p(length) from training lengths (N,): their shares, one more row spread over all lengths."""
        size = len(self.length_log_prob)
        counts = torch.bincount(lengths.cpu() - self.min_length, minlength=size).double() + 1 / size
        self.length_log_prob.copy_((counts / counts.sum()).log())

    def weigh(self, data: TokenData, device: torch.device) -> None:
        """Choose by held-out sequences how much the parts of an ensemble count that learn apart."""
        if isinstance(self.network, Ensemble):
            rows = (data.rows(index) for index in torch.arange(min(len(data), WEIGHED)).split(WEIGHED_BLOCK))
            self.network.weigh((batch.tokens.to(device), batch.lengths.to(device)) for batch in rows)

    def measure_dependence(self, data: TokenData, device: torch.device, seed: int) -> None:
        """Find out from the first rows of ``data`` which letters may be written at once."""
        if self.dependence is None:
            return
        steps, nothing = data.tokens.shape[1], self.network.inputs.nothing
        rows = most_rows(steps)
        parts = (data.tokens, data.lengths, data.outcomes)
        tokens, lengths, outcomes = (part[:rows].to(device) for part in parts)
        known = tokens.long().where(tokens < self.vocabulary.n_letters, nothing)
        context = self.context(outcomes)
        rng = Generator().manual_seed(seed)
        found = dependence(lambda shown: self.network(shown, lengths, context), known, lengths, nothing, rng)
        self.dependence[:, :steps, :steps] = found.clamp(max=UNKNOWN).to(self.dependence)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """Models of before this was measured write letter by letter, without counts of words or a profile.

        Those whose repeated words had weights of another kind do without repeated words.
        """
        if self.dependence is not None:
            state_dict.setdefault(f"{prefix}dependence", self.dependence)
        for name in ("weight", "bias"):
            state_dict.pop(f"{prefix}network.chains.repeats.{name}", None)
        for name, value in self.network.state_dict().items():
            if "chains." in name or name == "share" or name.startswith("profile."):
                state_dict.setdefault(f"{prefix}network.{name}", value)
        super()._load_from_state_dict(state_dict, prefix, *args)

    def context(self, outcomes: Tensor | None) -> Tensor | None:
        """Features (N, d) of outcomes (N,), NaN = unknown; None for a model without condition."""
        if self.condition is None or outcomes is None:
            return None
        weights = hats(outcomes, self.knots)
        return weights.to(self.condition.weight.dtype) @ self.condition.weight

    def losses(self, player: str, batch: Batch, rng: Generator, progress: Any) -> dict[str, Tensor]:
        """Mean negative log-likelihood, or its bound by one draw of hidden letters, in nats."""
        outcomes = batch.outcomes
        if self.condition is not None and self.training:
            luck = for_rows(lambda n: torch.rand(n, generator=rng, device=rng.device), len(outcomes))
            shown = (luck >= UNCONDITIONAL).to(outcomes.device)
            outcomes = outcomes.where(shown, torch.nan)
        context = self.context(outcomes)
        if self.is_causal:
            nll = -self._exact(batch.tokens, batch.lengths, context)
        else:
            nll = -self._bound(batch.tokens, batch.lengths, context, rng)
        return {"loss": (nll - self.log_prob_length(batch.lengths)).mean()}

    def log_prob_length(self, lengths: Tensor) -> Tensor:
        """Log p(length) (N,) in nats; -inf for a length that lies outside those of training."""
        place = lengths - self.min_length
        inside = (place >= 0) & (place < len(self.length_log_prob))
        return self.length_log_prob[place.where(inside, 0)].masked_fill(~inside, -torch.inf)

    @torch.no_grad()
    def log_likelihood(self, tokens: Tensor, lengths: Tensor, outcomes: Tensor | None = None) -> Tensor:
        """Log p(x) of sequences (N, T) in nats, (N,), given outcomes (N,) where they are.

        Exact from left to right. In any order a lower bound, estimated from ORDERS orders or LEVELS shares of
        hidden letters, the same ones at every call. -inf for a length outside those of training.
        """
        result = self.log_prob_length(lengths)
        rows = result.isfinite().nonzero().squeeze(1)
        if not len(rows):
            return result
        tokens, lengths = tokens[rows, : self.max_length], lengths[rows]
        context = self.context(None if outcomes is None else outcomes[rows])
        if self.is_causal:
            letters = self._exact(tokens, lengths, context)
        elif not self._takes_few_turns():
            letters = self._estimate(tokens, lengths, context, LEVELS)
        else:
            letters = self._in_turns(tokens, lengths, context)
        return result.index_add(0, rows, letters.to(result.dtype))

    def log_prob_letters(self, letters: Tensor, context: Tensor | None = None) -> Tensor:
        """Log p(letters | length) in nats (N,) of tokens (N, T), all of T letters.

        Or of one-hot or soft letters (N, V, T), differentiable in them: of soft ones the mean log-probability
        of each, given the soft ones that are seen. In any order the bound, estimated from FEW_LEVELS shares
        of hidden letters, the same ones at every call.
        """
        soft = letters.dim() == 3
        letters = letters.transpose(1, 2) if soft else letters
        lengths = torch.full((len(letters),), letters.shape[1], device=letters.device)
        if self.is_causal:
            return self._exact(letters, lengths, context)
        return self._estimate(letters, lengths, context, FEW_LEVELS)

    def _exact(self, tokens: Tensor, lengths: Tensor, context: Tensor | None) -> Tensor:
        """Log p(letters | length), (N,); while it learns, the mean of what each network of several says."""
        networks: Any = (self.network,)
        if self.training and isinstance(self.network, Ensemble):
            networks = self.network.members
        targets = self._targets(tokens)
        found = [self._score(each(tokens, lengths, context, targets), tokens, lengths) for each in networks]
        return torch.stack(found).mean(0).sum(1)

    def _bound(self, tokens: Tensor, lengths: Tensor, context: Tensor | None, rng: Generator) -> Tensor:
        """One draw of the bound of log p(letters | length), (N,); shares are spread evenly over the rows."""
        n = len(tokens)
        where: dict[str, Any] = {"generator": rng, "device": rng.device}
        first = torch.rand(1, **where)
        share = (first + for_rows(lambda n: torch.randperm(n, **where) / n, n)) % 1.0
        order = for_rows(lambda n: torch.rand(n, self.max_length, **where), n)
        ranks = self._ranks(tokens, lengths, order)
        return self._hiding(tokens, lengths, context, ranks < self._hidden(share, lengths)[:, None])

    def _estimate(self, tokens: Tensor, lengths: Tensor, context: Tensor | None, levels: int) -> Tensor:
        """The bound (N,) from so many shares of hidden letters, the same draws for all rows and calls."""
        rng, draws = Generator().manual_seed(0), []
        for i in range(levels):
            hidden = self._hidden((i + torch.rand(1, generator=rng)) / levels, lengths)
            ranks = self._ranks(tokens, lengths, torch.rand(1, self.max_length, generator=rng))
            draws.append(self._hiding(tokens, lengths, context, ranks < hidden[:, None]))
        return torch.stack(draws).mean(0)

    def _in_turns(self, tokens: Tensor, lengths: Tensor, context: Tensor | None) -> Tensor:
        """The bound (N,) from letters that are shown in turns, those of a turn at once, in ORDERS orders.

        Every letter is asked about once in an order, so that what one loses by coming first another gains,
        which shares of hidden letters leave to chance.
        """
        network, steps = self.network, tokens.shape[1]
        assert isinstance(network, Transformer)
        inside = torch.arange(steps, device=tokens.device) < lengths[:, None]
        total = torch.zeros(len(tokens), device=tokens.device)
        for ranks in self._orders(tokens.device):
            shown = torch.full_like(tokens, network.inputs.nothing)
            rows = ranks[:, :steps].expand(len(tokens), -1)
            for places, writes in turns(self.dependence, rows, inside, lengths):
                mine = tokens.gather(1, places)
                scores = self._score(network.at(shown, lengths, context, places), mine, lengths)
                total = total + (scores * writes).sum(1)
                shown = shown.scatter(1, places, mine.where(writes, shown.gather(1, places)))
        return total / ORDERS

    def _orders(self, device: torch.device) -> list[Tensor]:
        """ORDERS times (1, T), the same at every call."""
        rng = Generator().manual_seed(0)
        return [torch.rand(1, self.max_length, generator=rng).to(device) for _ in range(ORDERS)]

    def _takes_few_turns(self) -> bool:
        """Whether all letters of the longest sequences are shown in fewer looks than LEVELS."""
        device = self.length_log_prob.device
        whole = torch.ones(1, self.max_length, dtype=torch.bool, device=device)
        length = torch.tensor([self.max_length], device=device)
        looks = sum(1 for ranks in self._orders(device) for _ in turns(self.dependence, ranks, whole, length))
        return looks < LEVELS

    def _hidden(self, share: Tensor, lengths: Tensor) -> Tensor:
        """How many letters are hidden (N,), 1 to all of them."""
        return (1 + (share.to(lengths.device) * lengths).long()).clamp(max=lengths)

    def _ranks(self, tokens: Tensor, lengths: Tensor, noise: Tensor) -> Tensor:
        """Ranks of the letters (N, T) in the order of ``noise`` (N or 1, T'), those behind the end last."""
        noise = noise[:, : tokens.shape[1]].to(tokens.device).expand(len(tokens), -1)
        inside = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
        return noise.masked_fill(~inside, torch.inf).argsort(1).argsort(1)

    def _hiding(self, tokens: Tensor, lengths: Tensor, context: Tensor | None, hide: Tensor) -> Tensor:
        """Log-probability of the hidden letters (N, T), k of n, given the others, times n / k; (N,)."""
        if tokens.is_floating_point():
            shown = tokens.masked_fill(hide[:, :, None], 0.0)
        else:
            shown = tokens.masked_fill(hide, self.network.inputs.nothing)
        logits = self.network(shown, lengths, context, self._targets(tokens))
        scores = self._score(logits, tokens, lengths)
        return (scores * hide).sum(1) * lengths / hide.sum(1)

    def _targets(self, tokens: Tensor) -> Tensor | None:
        """Letters to be left out of the counts of words: of training sequences, while it learns."""
        return tokens if self.training and not tokens.is_floating_point() else None

    def _score(self, logits: Tensor, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Log-probabilities (N, T) of the letters; 0 behind the end and of unreadable letters."""
        if tokens.is_floating_point():
            return (logits.log_softmax(2) * tokens).sum(2)
        known = tokens < self.vocabulary.n_letters
        # As one long batch: with letters as a second axis CUDA's gradient adds up in any order.
        letters = tokens.where(known, 0).flatten()
        nll = F.cross_entropy(logits.flatten(0, 1).float(), letters, reduction="none")
        return -nll.view_as(tokens).masked_fill(~known, 0.0)


def hats(values: Tensor, knots: Tensor) -> Tensor:
    """Weights (N, K) by which values (N,) lie between knots (K,): two neighbours each; zeros for NaN."""
    x = values.to(knots).clamp(knots[0], knots[-1])
    if len(knots) == 1:
        return torch.ones_like(x)[:, None] * ~values.isnan()[:, None]
    right = torch.searchsorted(knots, x.where(~x.isnan(), knots[0])).clamp(1, len(knots) - 1)
    share = ((x - knots[right - 1]) / (knots[right] - knots[right - 1])).nan_to_num()
    weights = torch.zeros(len(x), len(knots), dtype=knots.dtype, device=knots.device)
    weights.scatter_(1, (right - 1)[:, None], (1 - share)[:, None])
    weights.scatter_(1, right[:, None], share[:, None])
    return weights * ~values.isnan()[:, None]
