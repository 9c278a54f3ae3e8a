"""REVISE: climb F inside the ellipsoid of codes that explain x0, and decode (Mueller, Gifford & Jaakkola 2017).

    z* = argmax F(z)  subject to  q(z | x0) >= alpha,      x* = D(z*)

With ``select="path"`` every code on the way is decoded by beam search and what comes out is scored as F(E(x)), which is
what counts: F off the encoded points is not to be trusted. Further rounds start from the codes of the best strings.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Normal

from seqdesign.decoding.adaptive import adaptive_bonus
from seqdesign.decoding.beam import beam_search
from seqdesign.decoding.edit_ball import EditBall
from seqdesign.optimizers._ascent import AscentConfig, Stop, ascend
from seqdesign.optimizers._ellipsoid import Ellipsoid
from seqdesign.optimizers._pool import Pool, per_item_generator
from seqdesign.optimizers._problem import ROWS, DesignProblem, DesignResult, Latent
from seqdesign.optimizers._revise_options import ReviseOptions


def revise(problem: DesignProblem, options: ReviseOptions, seed: int) -> DesignResult:
    """Up to ``problem.top`` revisions of each start. A batch gives what its items give one by one.

    A start for which no code is feasible gets none. Raises UsageError for an alpha that means nothing on its scale.
    """
    return _Revision(problem, options, seed).run()


class _Revision:
    """One call of ``revise``. Rows below are (start, code) pairs, each with the index of its start, its owner."""

    def __init__(self, problem: DesignProblem, options: ReviseOptions, seed: int) -> None:
        self.problem, self.options, self.seed = problem, options, seed
        self.model = problem.model
        self.pool = Pool(problem)
        with torch.no_grad():
            posterior = self._encode(problem.tokens, problem.lengths)
        self.posterior = posterior
        self.ellipsoid = Ellipsoid.from_alpha(
            posterior.mean, posterior.stddev, options.alpha, options.alpha_scale
        )
        self.bonus = self._bonus() if options.decode == "adaptive" else None

    def run(self) -> DesignResult:
        options = self.options
        feasible = self.ellipsoid.feasible.nonzero().squeeze(1).to(self.problem.tokens.device)
        stop = self._explore(feasible, self.posterior.mean[feasible])
        if options.select == "path":
            for _ in range(options.restarts):
                self._explore(feasible, self._random_codes()[feasible])
            for _ in range(options.rounds):
                places, exist = self.pool.best(options.survivors)
                owner, rank = exist.nonzero(as_tuple=True)
                chosen = places[owner, rank]
                with torch.no_grad():
                    codes = self._encode(self.pool.tokens[chosen], self.pool.lengths[chosen]).mean
                self._explore(owner, codes)
        reasons = [Stop.INFEASIBLE.value] * len(self.problem.tokens)
        for i, reason in zip(feasible.tolist(), stop, strict=True):
            reasons[i] = reason
        return self.pool.result(Latent(self.ellipsoid, tuple(reasons)))

    def _explore(self, owner: Tensor, codes: Tensor) -> tuple[str, ...]:
        """Climb from ``codes`` (M, d), decode on the way, and add what comes out to the pool; why each row stopped."""
        if len(owner) == 0:
            return ()
        e = self.ellipsoid
        rows = owner.to(e.mean.device)
        ellipsoid = Ellipsoid(e.mean[rows], e.scale[rows], e.kappa2[rows], e.log_mode[rows])
        ascent = ascend(self._objective, ellipsoid, codes, config=self._ascent_config())
        path = ascent.path if self.options.select == "path" else ascent.z.unsqueeze(0)
        for z in path:
            self._decode(owner, z)
        return tuple(reason.value for reason in ascent.stop)

    def _objective(self, z: Tensor) -> Tensor:
        return self.problem.score(self.model.outcome(z))

    def _ascent_config(self) -> AscentConfig:
        options = self.options
        return AscentConfig(
            method=options.optimizer,
            metric=options.metric,
            steps=options.steps,
            lr=options.learning_rate,
            step_length=options.step_length if options.select == "path" and options.optimizer == "barrier" else None,
        )

    @torch.no_grad()
    def _decode(self, owner: Tensor, z: Tensor) -> None:
        """Add the strings that codes z (M, d) decode to: every beam, or the first one with ``select="end"``."""
        ball = self.problem.ball()
        found = beam_search(
            self.model.decoder,
            z,
            width=self.options.width,
            bonus=None if self.bonus is None else self.bonus[owner],
            forced=None if self.problem.forced is None else self.problem.forced[owner],
            ball=None if ball is None else EditBall(ball.originals[owner], ball.lengths[owner], ball.max_edits[owner]),
        )
        beams = found.tokens.shape[1] if self.options.select == "path" else 1
        tokens, lengths, scores = found.tokens[:, :beams], found.lengths[:, :beams], found.scores[:, :beams]
        usable = (scores > -torch.inf) & (lengths >= self.problem.min_length)
        at_code = self.model.outcome(z).unsqueeze(1).expand(-1, beams)
        self.pool.add(owner.unsqueeze(1).expand(-1, beams)[usable], tokens[usable], lengths[usable], at_code[usable])

    def _encode(self, tokens: Tensor, lengths: Tensor) -> Normal:
        parts = [
            self.model.encode(tokens[i, : max(1, int(lengths[i].max()))], lengths[i])
            for i in torch.arange(len(tokens), device=tokens.device).split(ROWS)
        ]
        return Normal(torch.cat([p.mean for p in parts]), torch.cat([p.stddev for p in parts]), validate_args=False)

    def _bonus(self) -> Tensor:
        return adaptive_bonus(
            self.model.decoder,
            self.posterior.mean,
            self.problem.tokens,
            self.problem.lengths,
            width=self.options.width,
            forced=self.problem.forced,
            ball=self.problem.ball(),
        )

    def _random_codes(self) -> Tensor:
        """One draw of each posterior, (N, d), moved inside the ellipsoid; the same whatever the batch."""
        if not hasattr(self, "_generators"):
            self._generators = [per_item_generator(self.seed, row) for row in self.problem.tokens.cpu()]
        noise = np.stack([g.standard_normal(self.model.latent_dim) for g in self._generators])
        mean = self.posterior.mean
        return self.ellipsoid.shrink(mean + self.posterior.stddev * torch.from_numpy(noise).to(mean))
