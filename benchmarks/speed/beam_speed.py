"""Batched beam search against a per-sequence beam that reuses its state, on one thread.

    python benchmarks/speed/beam_speed.py [--sequences 1000] [--length 50] [--hidden 128] [--width 10]

Both use the same decoder. The opponent works on one sequence at a time, keeps every beam's state and steps
each beam once a position, as a plain Python implementation does; it is timed on ``--opponent`` of the
sequences, in turns with ours. Both must find the same strings in every beam: compared in float64, where no
two scores are close enough for rounding to swap them. Goal: at least 20 times the opponent's sequences a
second. Also printed: one sequence a call with its beams in one batch, greedy decoding and sampling.
"""

from __future__ import annotations

import argparse
import copy
import heapq
import math
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from seqdesign.decoding.beam import beam_search
from seqdesign.decoding.greedy import greedy
from seqdesign.decoding.protocol import AutoregressiveDecoder, State
from seqdesign.decoding.sample import sample
from seqdesign.models.vae.decoder import RecurrentDecoder
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary

LATENT = 32


def make_decoder(alphabet: str, hidden: int, length: int) -> RecurrentDecoder:
    """Random weights, sharpened a little, that hardly ever end before ``length`` letters."""
    torch.manual_seed(0)
    decoder = RecurrentDecoder(Vocabulary(get_alphabet(alphabet)), LATENT, hidden, 32, length).eval()
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter *= 1.5
        decoder.output.bias[decoder.end] = -8.0
    return decoder


@torch.no_grad()
def one_sequence(decoder: AutoregressiveDecoder, z: Tensor, width: int) -> list[tuple[float, list[int]]]:
    """The opponent: (score, letters) of the best strings for one code (d,), best first."""
    Beam = tuple[float, list[int], State, bool]
    beams: list[Beam] = [(0.0, [], decoder.initial_state(z[None]), False)]
    for t in range(decoder.max_length):
        candidates: list[Beam] = []
        for score, letters, state, done in beams:
            if done:
                candidates.append((score, letters, state, True))
                continue
            previous = torch.tensor([letters[-1] if letters else decoder.start])
            logits, after = decoder.step(state, previous, t)
            log_p = torch.log_softmax(logits[0], dim=0)
            values, tokens = log_p.topk(min(width, len(log_p)))
            for value, token in zip(values.tolist(), tokens.tolist(), strict=True):
                if value > -math.inf:
                    ended = token == decoder.end
                    candidates.append((score + value, letters if ended else [*letters, token], after, ended))
        beams = heapq.nlargest(width, candidates, key=lambda beam: beam[0])
        if all(beam[3] for beam in beams):
            break
    return [(score, letters) for score, letters, _, _ in beams]


def assert_same(decoder: RecurrentDecoder, z: Tensor, width: int) -> None:
    exact, codes = copy.deepcopy(decoder).double(), z.double()
    ours = beam_search(exact, codes, width=width)
    for i in range(len(codes)):
        theirs = one_sequence(exact, codes[i], width)
        for j, (score, letters) in enumerate(theirs):
            assert ours.tokens[i, j, : int(ours.lengths[i, j])].tolist() == letters, (i, j)
            assert abs(float(ours.scores[i, j]) - score) < 1e-9, (i, j)


def seconds(function: Callable[[], object]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def compare(alphabet: str, arguments: argparse.Namespace) -> None:
    decoder = make_decoder(alphabet, arguments.hidden, arguments.length)
    width, n, few = arguments.width, arguments.sequences, arguments.opponent
    z = torch.randn(n, LATENT, generator=torch.Generator().manual_seed(1))
    assert_same(decoder, z[: min(few, 20)], width)
    beam_search(decoder, z[:200], width=width)
    runs: dict[str, tuple[int, Callable[[], object]]] = {
        "all sequences in one call": (n, lambda: beam_search(decoder, z, width=width)),
        "one sequence, beam by beam": (few, lambda: [one_sequence(decoder, code, width) for code in z[:few]]),
        "one sequence a call": (
            few,
            lambda: [beam_search(decoder, code[None], width=width) for code in z[:few]],
        ),
        "greedy, all in one call": (n, lambda: greedy(decoder, z)),
        "sampling, all in one call": (
            n,
            lambda: sample(decoder, z, generator=torch.Generator().manual_seed(2)),
        ),
    }
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(arguments.rounds):
        for name, (count, run) in runs.items():
            times[name].append(seconds(run) / count)
    print(f"{alphabet}: width {width}, length {arguments.length}, hidden {arguments.hidden}")
    for name, each in times.items():
        print(f"  {name:28s} {1 / statistics.median(each):10,.0f} sequences/s")
    ours, theirs = times["all sequences in one call"], times["one sequence, beam by beam"]
    ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
    print(f"  ours / beam by beam: {ratio:.1f}x (goal: at least 20), the same strings in every beam")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sequences", type=int, default=1000)
    parser.add_argument("--length", type=int, default=50)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--width", type=int, default=10)
    parser.add_argument("--opponent", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for alphabet in ("dna", "protein"):
        compare(alphabet, arguments)


if __name__ == "__main__":
    main()
