"""REVISE: climb F inside the ellipsoid of codes that explain x0; decode (Mueller, Gifford & Jaakkola 2017).

    z* = argmax F(z)  subject to  q(z | x0) >= alpha,      x* = D(z*)

With ``select="path"`` every code on the way is decoded by beam search and what comes out is scored as
F(E(x)), which is what counts: F off the encoded points is not to be trusted. Further rounds start from the
codes of the best strings.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from seqdesign.decoding.adaptive import adaptive_bonus
from seqdesign.decoding.beam import beam_search
from seqdesign.devices.blocks import block_size, in_blocks
from seqdesign.revisers.ascent import AscentConfig, Stop, ascend
from seqdesign.revisers.ellipsoid import Ellipsoid
from seqdesign.revisers.few import MOST, all_within, has_few
from seqdesign.revisers.neighbours import neighbours
from seqdesign.revisers.pool import Pool, per_item_generator
from seqdesign.revisers.problem import DesignProblem, DesignResult, Latent, posterior
from seqdesign.revisers.revise_options import ReviseOptions

CPU_LETTERS = 1 << 22
"""Letters of strings that are looked at together on a CPU."""
LETTER_BYTES = 1 << 8
"""What a letter of them takes on a GPU."""


def revise(problem: DesignProblem, options: ReviseOptions, seed: int) -> DesignResult:
    """Up to ``problem.top`` revisions of each start. A batch gives what its items give one by one.

    A start for which no code is feasible gets none. Raises UsageError for an alpha that means nothing on its
    scale.
    """
    return _Revision(problem, options, seed).run()


class _Revision:
    """One call of ``revise``. Rows are (start, code) pairs; the owner of a row is the index of its start."""

    def __init__(self, problem: DesignProblem, options: ReviseOptions, seed: int) -> None:
        self.problem, self.options, self.seed = problem, options, seed
        self.model = problem.model
        self.pool = Pool(problem)
        self.climbed, self.looked = _Survivors(self.pool, options), _Survivors(self.pool, options)
        """From whose codes ascents began, and whose neighbours were scored."""
        self.posterior = posterior(self.model, problem.tokens, problem.lengths)
        mean, scale = self.posterior.mean, self.posterior.stddev
        alpha = options.log_alpha(problem.max_edits)
        self.ellipsoid = Ellipsoid.from_alpha(mean, scale, alpha, options.alpha_scale)
        self.bonus = self._bonus() if options.decode == "adaptive" else None

    def run(self) -> DesignResult:
        options = self.options
        feasible = self.ellipsoid.feasible.nonzero().squeeze(1).to(self.problem.tokens.device)
        stop = self._explore(feasible, self.posterior.mean[feasible])
        if options.select == "path":
            rest = self._look_at_all(feasible)
            for codes in self._random_codes(options.restarts):
                self._explore(rest, codes[rest])
            self._look_around(self._whole(rest))
            for _ in range(options.rounds):
                places = self.climbed.take()
                codes = posterior(self.model, self.pool.tokens[places], self.pool.lengths[places]).mean
                self._explore(self.pool.owner[places], codes)
                self._look_around(self.looked.take())
        reasons = [Stop.INFEASIBLE.value] * len(self.problem.tokens)
        for i, reason in zip(feasible.tolist(), stop, strict=True):
            reasons[i] = reason
        return self.pool.result(Latent(self.ellipsoid, tuple(reasons)))

    def _whole(self, starts: Tensor) -> Tensor:
        """Those of some starts (M,) that have no unknown letter."""
        tokens, decoder = self.problem.tokens, self.model.decoder
        return starts[~((tokens >= decoder.end) & (tokens != decoder.pad)).any(1)[starts]]

    def _look_at_all(self, starts: Tensor) -> Tensor:
        """Score all strings of those starts (M,) whose budget leaves few; returns those to go on with.

        No search finds better strings, but where codes of strings lie outside of the ellipsoid: what is
        decoded from a code inside may have its own code there.
        """
        problem, pool = self.problem, self.pool
        few = starts[has_few(problem, starts)]
        if not self.options.neighbours or not len(few):
            return starts

        def part(rows: slice) -> Tensor:
            owner, tokens = all_within(problem, few[rows])
            unknown = torch.full(owner.shape, torch.nan, device=owner.device)
            outside = pool.add(owner, tokens, problem.lengths[owner], unknown, self.ellipsoid)
            done = few[rows][~torch.isin(few[rows], outside)]
            pool.settle(done)
            return done

        letters = MOST * problem.tokens.shape[1]
        size = block_size(starts.device, LETTER_BYTES * letters, cpu=max(1, CPU_LETTERS // letters))
        done = torch.cat(list(in_blocks(part, len(few), size)))
        for survivors in (self.climbed, self.looked):
            survivors.record[done] = torch.inf
        return starts[~torch.isin(starts, done)]

    def _look_around(self, places: Tensor) -> None:
        """Score neighbours of these strings, then of the best ones as long as better ones are found."""
        problem, pool = self.problem, self.pool
        while self.options.neighbours and len(places):
            strings = pool.owner[places], pool.tokens[places], pool.lengths[places]
            source, tokens, lengths = neighbours(problem, *strings, self.options.neighbours)
            owner = pool.owner[places][source]
            ball = problem.ball(owner)
            if ball is not None:
                inside = ball.contains(tokens, lengths, self.model.decoder.end)
                owner, tokens, lengths = owner[inside], tokens[inside], lengths[inside]
            unknown = torch.full(owner.shape, torch.nan, device=owner.device)
            pool.add(owner, tokens, lengths, unknown, self.ellipsoid)
            places = self.looked.take()

    def _explore(self, owner: Tensor, codes: Tensor) -> tuple[str, ...]:
        """Climb from ``codes`` (M, d) and pool what decodes on the way; why each row stopped."""
        if len(owner) == 0:
            return ()
        ascent = ascend(self._objective, self.ellipsoid[owner], codes, config=self._ascent_config())
        path = ascent.path if self.options.select == "path" else ascent.path[-1:]
        for z in path:
            self._decode(owner, z)
        return tuple(reason.value for reason in ascent.stop)

    def _objective(self, z: Tensor) -> Tensor:
        return self.problem.score(self.model.outcome(z))

    def _ascent_config(self) -> AscentConfig:
        options = self.options
        traced = options.select == "path" and options.optimizer == "barrier"
        return AscentConfig(
            method=options.optimizer,
            metric=options.metric,
            steps=options.steps,
            lr=options.learning_rate,
            step_length=options.step_length if traced else None,
        )

    @torch.no_grad()
    def _decode(self, owner: Tensor, z: Tensor) -> None:
        """Add what codes z (M, d) decode to: every beam, or only the first one with ``select="end"``."""
        forced = self.problem.forced
        found = beam_search(
            self.model.decoder,
            z,
            width=self.options.width,
            bonus=None if self.bonus is None else self.bonus[owner],
            forced=None if forced is None else forced[owner],
            ball=self.problem.ball(owner),
            rules=self.problem.rules,
            owners=owner,
        )
        beams = found.tokens.shape[1] if self.options.select == "path" else 1
        usable = found.scores[:, :beams] > -torch.inf
        owners = owner.unsqueeze(1).expand(-1, beams)
        at_code = self.model.outcome(z).unsqueeze(1).expand(-1, beams)
        tokens, lengths = found.tokens[:, :beams], found.lengths[:, :beams]
        self.pool.add(owners[usable], tokens[usable], lengths[usable], at_code[usable])

    def _bonus(self) -> Tensor:
        problem = self.problem
        return adaptive_bonus(
            self.model.decoder,
            self.posterior.mean,
            problem.tokens,
            problem.lengths,
            width=self.options.width,
            forced=problem.forced,
            ball=problem.ball(torch.arange(len(problem.tokens), device=problem.tokens.device)),
        )

    def _random_codes(self, draws: int) -> Iterator[Tensor]:
        """Draws of the posteriors, (N, d) each; the same whatever the batch."""
        mean, scale = self.posterior.mean, self.posterior.stddev
        generators = [per_item_generator(self.seed, row) for row in self.problem.tokens.cpu()]
        noise = np.array([g.standard_normal((draws, mean.shape[1])) for g in generators])
        for k in range(draws if generators else 0):
            yield mean + scale * torch.from_numpy(noise[:, k]).to(mean)


class _Survivors:
    """The best strings of the pool, each taken once, and only after their start has got a better one."""

    def __init__(self, pool: Pool, options: ReviseOptions) -> None:
        self.pool, self.count = pool, options.survivors
        self.taken = torch.zeros(0, dtype=torch.long, device=pool.owner.device)
        self.record = torch.full_like(pool.before.outcome, -torch.inf)

    def take(self) -> Tensor:
        """Their places in the pool, (M,)."""
        best, exist = self.pool.best(self.count)
        score = self.pool.problem.score(self.pool.outcome)[best[:, 0]].where(exist[:, 0], -torch.inf)
        places = best[exist & (score > self.record).unsqueeze(1)]
        places = places[~torch.isin(places, self.taken)]
        self.taken, self.record = torch.cat([self.taken, places]), torch.maximum(self.record, score)
        return places
