"""Learned similarity on real families, and what it is worth as a limit of REVISE.

    python benchmarks/generators/similarity.py pairs TRAIN.aln ALL.aln HELD_OUT.csv MODEL [MODEL ...]
        [--pairs N]
    python benchmarks/generators/similarity.py revise TRAIN.aln HELD_OUT.csv VAE MODEL [MODEL ...]
        [--inputs N]

pairs: random pairs of held-out members of an aligned family, which no model has seen. Truth: identity over
the columns of the alignment, which nothing was taught, and bits of a profile HMM of the training members
(pyhmmer) against the mean similarity to these. Beside: 1 - edit distance / length, and the cosine of word
counts.

revise: held-out members are revised for more net charge (K + R - D - E, which is counted, so that gains are
true ones) under limits of three kinds: edits (--max-edits), naturalness (--min-loglik-change), and a learned
similarity (--min-similarity). Each kind is run at several strengths; drift is the loss of bits under the
profile HMM of the training members, which no limit knows. Drift at a gain is read off between strengths.
--letters any, so that nothing else limits a revision.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from _generator_judges import Family
from numpy.typing import NDArray

import seqdesign as sd
from seqdesign.metrics.likeness import edit_similarity
from seqdesign.metrics.regression import spearman
from seqdesign.models.similarity.fit import codes
from seqdesign.models.similarity.quality import cosine
from seqdesign.models.similarity.store import TrainedSimilarity, load_similarity
from seqdesign.sequences.encoders import encode

GAPS = str.maketrans("", "", "-.")
GAINS = (1.0, 2.0, 3.0, 4.0, 5.0)
CPU = torch.device("cpu")
FloatArray = NDArray[np.float64]


def aligned(path: Path) -> dict[str, str]:
    """Rows of an aligned FASTA by their bare sequence."""
    rows: list[str] = []
    for line in path.read_text().splitlines():
        if line.startswith(">"):
            rows.append("")
        else:
            rows[-1] += line.strip().upper()
    return {row.translate(GAPS): row for row in rows}


def column_identity(a: str, b: str) -> float:
    """Share of equal letters among the columns where both rows have one."""
    both = [(x, y) for x, y in zip(a, b, strict=True) if x not in "-." and y not in "-."]
    return sum(x == y for x, y in both) / max(1, len(both))


def net_charge(text: str) -> int:
    """K + R - D - E."""
    return sum(text.count(c) for c in "KR") - sum(text.count(c) for c in "DE")


def family(training: dict[str, str], held_out: list[str]) -> Family:
    """A profile HMM of the training members."""
    return Family(list(training.values()), list(training), held_out)


def coded(trained: TrainedSimilarity, texts: Sequence[str]) -> torch.Tensor:
    """Codes of some sequences."""
    return codes(trained.model, encode(texts, trained.record.alphabet, on_unknown="mask"), CPU)


@torch.no_grad()
def pairs(args: argparse.Namespace) -> None:
    """Print the rank correlations."""
    rows = aligned(args.alignment)
    held = sd.read(args.held_out).sequences
    everything = aligned(args.whole)
    rng = np.random.default_rng(0)
    first, second = rng.integers(len(held), size=(2, args.pairs))
    kept = first != second
    first, second = first[kept], second[kept]
    a, b = [held[i] for i in first], [held[i] for i in second]
    truth = np.array([column_identity(everything[x], everything[y]) for x, y in zip(a, b, strict=True)])
    bits = family(rows, held)._bits(held)[0]
    some = list(rows)[:500]
    measures = {"1 - edit distance / length": edit_similarity(a, b)}
    typical = {
        "1 - edit distance / length": np.array([edit_similarity([x] * len(some), some).mean() for x in held])
    }
    letters = "ACDEFGHIKLMNPQRSTVWY"
    for k in (1, 2, 3):
        measures[f"cosine of words of {k}"] = cosine(held, letters, k, first, second)
        texts = held + some
        i, j = (
            x.ravel()
            for x in np.meshgrid(np.arange(len(held)), len(held) + np.arange(len(some)), indexing="ij")
        )
        typical[f"cosine of words of {k}"] = cosine(texts, letters, k, i, j).reshape(len(held), -1).mean(1)
    for folder in args.models:
        trained = load_similarity(folder, CPU)
        found, known = coded(trained, held), coded(trained, some)
        measures[str(folder)] = trained.model.similarity(found[first], found[second]).double().numpy()
        typical[str(folder)] = trained.model.similarities(found, known).mean(1).double().numpy()
    print(f"| measure | identity of {len(a):,} held-out pairs | bits of {len(held)} held-out members |")
    print("|---|---|---|")
    for name, values in measures.items():
        print(f"| {name} | {spearman(truth, values):.3f} | {spearman(bits, typical[name]):.3f} |")


@dataclass(frozen=True)
class Point:
    """A limit at one strength: means over all inputs, those that stayed as they were included."""

    gain: float
    drift: float
    edits: float
    loglik: float


def revised(args: argparse.Namespace, inputs: Sequence[str], judge: Family, **limit: object) -> Point:
    """Revise under one limit."""
    found = sd.revise(args.vae, list(inputs), letters="any", alpha=-10000.0, rounds=1, **limit)
    texts = found.sequences
    before, after = judge._bits(inputs)[0], judge._bits(texts)[0]
    gain = np.mean([net_charge(t) - net_charge(s) for s, t in zip(inputs, texts, strict=True)])
    return Point(
        float(gain),
        float((before - after).mean()),
        float(np.mean([r.edits for r in found])),
        float(np.mean([r.loglik_change for r in found])),
    )


def revise(args: argparse.Namespace) -> None:
    """Print the points of each kind of limit, and drift at equal gains."""
    rows = aligned(args.alignment)
    inputs = sd.read(args.held_out).sequences[: args.inputs]
    judge = family(rows, inputs)
    free: dict[str, object] = {"min_loglik_change": -1000.0}
    kinds: dict[str, list[dict[str, object]]] = {
        "max-edits, any naturalness": [{"max_edits": k, **free} for k in (1, 2, 4, 6)],
        "max-edits": [{"max_edits": k} for k in (1, 2, 4, 6)],
        "min-loglik-change": [{"min_loglik_change": x} for x in (0.0, -5.0, -10.0)],
    }
    for folder in args.models:
        kinds[f"{folder.name}, any naturalness"] = [
            {"similarity": folder, "min_similarity": x, **free} for x in (0.95, 0.9, 0.8, 0.7)
        ]
        kinds[folder.name] = [{"similarity": folder, "min_similarity": x} for x in (0.95, 0.9, 0.8, 0.7)]
    print("| limit | strength | gain | drift, bits | edits | nats |")
    print("|---|---|---|---|---|---|")
    lines = {}
    for name, limits in kinds.items():
        if args.kinds and name not in args.kinds:
            continue
        points = [revised(args, inputs, judge, **limit) for limit in limits]
        for limit, p in zip(limits, points, strict=True):
            strength = next(
                v for k, v in limit.items() if k in ("max_edits", "min_similarity", "min_loglik_change")
            )
            print(
                f"| {name} | {strength} | {p.gain:.2f} | {p.drift:.2f} | {p.edits:.2f} | {p.loglik:+.1f} |",
                flush=True,
            )
        lines[name] = points
    print("\n| drift at a gain of | " + " | ".join(f"{g:g}" for g in GAINS) + " |")
    print("|---|" + "---|" * len(GAINS))
    for name, points in lines.items():
        order = sorted(points, key=lambda p: p.gain)
        gains, drifts = [0.0, *(p.gain for p in order)], [0.0, *(p.drift for p in order)]
        read = [f"{np.interp(g, gains, drifts):.2f}" if g <= gains[-1] else "" for g in GAINS]
        print(f"| {name} | " + " | ".join(read) + " |")


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("pairs")
    one.add_argument("alignment", type=Path, help="aligned FASTA of the training members")
    one.add_argument("whole", type=Path, help="aligned FASTA of all members")
    one.add_argument("held_out", type=Path, help="table of the held-out members")
    one.add_argument("models", type=Path, nargs="+")
    one.add_argument("--pairs", type=int, default=4000)
    one.set_defaults(run=pairs)
    two = commands.add_parser("revise")
    two.add_argument("alignment", type=Path, help="aligned FASTA of the training members")
    two.add_argument("held_out", type=Path, help="table of the held-out members")
    two.add_argument("vae", type=Path)
    two.add_argument("models", type=Path, nargs="+")
    two.add_argument("--kinds", nargs="+", help="only these limits, as the table names them")
    two.add_argument("--inputs", type=int, default=40)
    two.set_defaults(run=revise)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
