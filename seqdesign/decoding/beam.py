"""Batched beam search: all codes and all beams are one batch for the network.

Shapes: N codes, W beams, V letters, T = max_length positions. No length penalty: a score is log p(x | z), END
included, so it equals the string's teacher-forced log-probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seqdesign.decoding.edit_ball import EditBall, EditBallSearch, last_forced
from seqdesign.decoding.protocol import (
    AutoregressiveDecoder,
    PrefixRules,
    State,
    chunked,
    log_probabilities,
    may_look,
)
from seqdesign.devices.capture import replayed


@dataclass(frozen=True)
class BeamResult:
    """The strings found, best first.

    tokens: (N, W, T) int64, PAD after the last letter. lengths: (N, W) int64, without END.
    scores: (N, W) float64, log-probabilities in nats. Where fewer than W strings were found the rest has
    score -inf and length 0.
    """

    tokens: Tensor
    lengths: Tensor
    scores: Tensor


@torch.no_grad()
def beam_search(
    decoder: AutoregressiveDecoder,
    z: Tensor,
    *,
    width: int,
    bonus: Tensor | None = None,
    forced: Tensor | None = None,
    ball: EditBall | None = None,
    rules: PrefixRules | None = None,
    owners: Tensor | None = None,
    chunk: int | None = None,
) -> BeamResult:
    """The W most probable strings that the search finds for each of the codes (N, d).

    bonus: (N, T, V+1) is added to the logits before they are normalised (adaptive decoding); scores include
    it.
    forced: (N, T) tokens that every string must have, -1 where it is free. A string does not end before its
    last forced position; a forced END fixes the length.
    ball: only strings within that many edits of each original.
    rules: only strings that obey them; owners: (N,) whose rules apply to each code. Where all beams of a code
    run into a dead end, it has no string.
    chunk: codes that are searched together; it changes speed and memory only.
    ``forced``, ``ball`` and ``rules`` exclude strings and leave the scores of the others as they are.

    Ties go to the better beam, then to the lower token id. Raises ValueError for arguments that do not fit.
    """
    _check(decoder, len(z), width, bonus, forced, ball)
    if rules is not None and owners is None:
        owners = torch.arange(len(z), device=z.device)

    reach = 0 if ball is None else ball.reach(decoder.max_length)

    def part(rows: slice) -> BeamResult:
        followed = None if rules is None or owners is None else _Followed(rules, owners[rows])

        def search(
            z: Tensor, bonus: Tensor | None, forced: Tensor | None, *near: Tensor
        ) -> tuple[Tensor, Tensor, Tensor]:
            mine = None if ball is None else ball.of(*near)
            return _search(decoder, z, width, _Rules(decoder, bonus, forced, mine, reach, followed))

        near = () if ball is None else (ball.originals, ball.lengths, ball.max_edits)
        given: tuple[Any, ...] = (z, bonus, forced, *near)
        given = tuple(None if each is None else each[rows] for each in given)
        if followed is not None:  # tables of their own, for these rows alone
            return BeamResult(*search(*given))
        key = ("beam", width, reach, ball is not None and ball.indels)
        return BeamResult(*replayed(decoder, key, given, search))

    parts = list(chunked(part, len(z), width, z.device, chunk))
    return BeamResult(
        torch.cat([part.tokens for part in parts]),
        torch.cat([part.lengths for part in parts]),
        torch.cat([part.scores for part in parts]),
    )


def _check(
    decoder: AutoregressiveDecoder,
    n: int,
    width: int,
    bonus: Tensor | None,
    forced: Tensor | None,
    ball: EditBall | None,
) -> None:
    if width < 1:
        raise ValueError(f"width must be at least 1, got {width}")
    length, outputs = decoder.max_length, decoder.end + 1
    if bonus is not None and bonus.shape != (n, length, outputs):
        raise ValueError(f"bonus must have shape {(n, length, outputs)}, got {tuple(bonus.shape)}")
    if forced is not None and forced.shape != (n, length):
        raise ValueError(f"forced must have shape {(n, length)}, got {tuple(forced.shape)}")
    if forced is not None and bool(((forced < -1) | (forced > decoder.end)).any()):
        raise ValueError(f"forced tokens must be -1 (free), a letter or END, so -1 .. {decoder.end}")
    if ball is not None and not len(ball.originals) == len(ball.lengths) == len(ball.max_edits) == n:
        raise ValueError(
            f"the ball must have one original for each of the {n} codes, got {len(ball.originals)}"
        )
    if ball is not None and bool((ball.max_edits < 0).any()):
        raise ValueError(f"max_edits must be at least 0, got {int(ball.max_edits.min())}")


class _Followed:
    """``PrefixRules`` along the beams of N codes."""

    def __init__(self, rules: PrefixRules, owners: Tensor) -> None:
        self.rules, self.owners = rules, owners
        self.state: State = rules.start(owners)

    def allowed(self, beams: int, t: int) -> Tensor:
        """(N, W, V+1) bool."""
        rows = self.owners.repeat_interleave(beams)
        return self.rules.allowed(self.state, rows, t).unflatten(0, (len(self.owners), beams))

    def follow(self, parents: Tensor, letters: Tensor, beams: int, t: int) -> None:
        """Beams (N, W') of their parents out of ``beams``; a beam after END has no meaning."""
        first = torch.arange(len(parents), device=parents.device).unsqueeze(1) * beams
        places = (parents + first).flatten()
        rows = self.owners.repeat_interleave(parents.shape[1])
        state = tuple(s.index_select(0, places) for s in self.state)
        self.state = self.rules.advance(state, letters.flatten(), rows, t)


class _Rules:
    """What may be emitted, and how likely it is: logits, bonus, forced tokens, edit ball and constraints."""

    def __init__(
        self,
        decoder: AutoregressiveDecoder,
        bonus: Tensor | None,
        forced: Tensor | None,
        ball: EditBall | None,
        reach: int,
        followed: _Followed | None,
    ) -> None:
        self.end, self.followed = decoder.end, followed
        self.bonus, self.forced = bonus, forced
        self.last = None if forced is None else last_forced(forced)
        self.ball = (
            None if ball is None else EditBallSearch(ball, decoder.max_length, decoder.end, forced, reach)
        )
        self.rows = None if self.ball is None else self.ball.start()

    def log_probs(self, logits: Tensor, t: int) -> Tensor:
        """Logits (N, W, V+1) -> log-probabilities, -inf for what must not be emitted."""
        if self.bonus is not None:
            logits = logits + self.bonus[:, t].unsqueeze(1)
        log_p = log_probabilities(logits)
        if self.forced is not None and self.last is not None:
            token = self.forced[:, t, None]
            outputs = torch.arange(log_p.shape[2], device=log_p.device)
            wrong = (token >= 0) & (outputs != token) | (self.last[:, None] > t) & (outputs == self.end)
            log_p.masked_fill_(wrong.unsqueeze(1), -torch.inf)
        if self.ball is not None and self.rows is not None:
            log_p.masked_fill_(~self.ball.allowed(self.rows, t), -torch.inf)
        if self.followed is not None:
            log_p.masked_fill_(~self.followed.allowed(log_p.shape[1], t), -torch.inf)
        return log_p

    def follow(self, parents: Tensor, tokens: Tensor, beams: int, t: int) -> None:
        """Beams (N, W') were made from their parents out of ``beams`` by the tokens at position t."""
        if self.followed is not None:
            self.followed.follow(parents, tokens.clamp(max=self.end - 1), beams, t)
        if self.ball is not None and self.rows is not None:
            rows = self.rows.gather(1, parents.unsqueeze(2).expand(-1, -1, self.rows.shape[2]))
            self.rows = self.ball.advance(rows, tokens, t)


def _search(
    decoder: AutoregressiveDecoder, z: Tensor, width: int, rules: _Rules
) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens, lengths and scores of ``BeamResult``."""
    n, end, device = len(z), decoder.end, z.device
    scores = torch.zeros(n, 1, dtype=torch.float64, device=device)
    done = torch.zeros(n, 1, dtype=torch.bool, device=device)
    previous = torch.full((n,), decoder.start, dtype=torch.long, device=device)
    first_row = torch.arange(n, device=device).unsqueeze(1)
    state = decoder.initial_state(z)
    fixed = [True] * len(state)
    history: list[tuple[Tensor, Tensor]] = []
    for t in range(decoder.max_length):
        before = state
        logits, state = decoder.step(state, previous, t)
        # What a step hands on as it is belongs to the code, and is the same for all its beams.
        fixed = [old is new and known for old, new, known in zip(before, state, fixed, strict=True)]
        beams = scores.shape[1]
        candidates = scores.unsqueeze(2) + rules.log_probs(logits.unflatten(0, (n, beams)), t)
        if t:
            # A finished string stays as it is: END again, at no cost.
            stay = torch.where(done, scores, candidates[..., end])
            candidates.masked_fill_(done.unsqueeze(2), -torch.inf)
            candidates[..., end] = stay
        scores, parents, tokens = _best(candidates, width)
        history.append((parents, tokens))
        done = (tokens == end) | (scores == -torch.inf)
        if t == decoder.max_length - 1 or (may_look(t, device) and bool(done.all())):
            break
        rules.follow(parents, tokens, beams, t)
        rows = (parents + first_row * beams).flatten()
        as_before = tokens.shape[1] == beams
        state = tuple(
            s if known and as_before else s.index_select(0, rows)
            for s, known in zip(state, fixed, strict=True)
        )
        previous = tokens.flatten()
    return _backtrack(history, scores, width, decoder)


def _best(candidates: Tensor, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Scores (N, W, V+1) -> the best ``width`` of them, their beams and tokens, each (N, W'); ties: lowest
    index.

    ``topk`` orders equal scores as it likes. So the index replaces the last few bits of the score: for
    numbers of one sign the order of floating-point numbers is that of their bits. Scores count as equal
    when they agree to a relative 1e-11 or so, far below the resolution of the float32 log-probabilities
    that they sum.
    """
    flat = candidates.flatten(1)
    num = flat.shape[1]
    low = (1 << num.bit_length()) - 1
    keys = flat.abs().view(torch.int64) & ~low | torch.arange(num, device=flat.device)
    index = keys.topk(min(width, num), dim=1, largest=False).values & low
    outputs = candidates.shape[2]
    return flat.gather(1, index), index // outputs, index % outputs


def _backtrack(
    history: list[tuple[Tensor, Tensor]], scores: Tensor, width: int, decoder: AutoregressiveDecoder
) -> tuple[Tensor, Tensor, Tensor]:
    """Follow the parents from the last step to the first, and fill up to (N, width, T)."""
    n, found = scores.shape
    tokens = torch.full((n, width, decoder.max_length), decoder.pad, dtype=torch.long, device=scores.device)
    beam = torch.arange(found, device=scores.device).expand(n, found)
    for t in range(len(history) - 1, -1, -1):
        parents, emitted = history[t]
        tokens[:, :found, t] = emitted.gather(1, beam)
        beam = parents.gather(1, beam)
    scores = torch.nn.functional.pad(scores, (0, width - found), value=-torch.inf)
    empty = (tokens == decoder.end) | (scores == -torch.inf).unsqueeze(2)
    tokens = tokens.masked_fill_(empty, decoder.pad)
    return tokens, (tokens != decoder.pad).sum(2), scores
