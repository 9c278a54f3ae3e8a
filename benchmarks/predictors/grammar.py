"""Does the grammar of words say what counts of words cannot, and nothing where there is none?

    python benchmarks/predictors/grammar.py [--rows 1000] [--length 60] [--ceiling .8] [--designs]

Random sequences carry random words, each with some probability (of six letters; of proteins three), and a
rule decides the outcome: the order of two words, their distance, copies, a helper, a repressor, a place.
Noise leaves R2 ``--ceiling`` to be explained. R2 of 400 fresh measurements is given for the judges of designs
by words and by grammar, and for the kinds of ``train-predictor``; nulls have words that add up, the share of
two letters, counts of pairs of letters, or noise. With --designs the product designs as by default: printed
are the true gain of 64 designs as a share of that of the best measured sequence, and how many are flagged.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import seqdesign as sd
from seqdesign.errors import SeqDesignError
from seqdesign.judging.processes import GRAMMAR, KINDS, GaussianProcess, hyperparameters, kinds_for, read_as
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode

FloatArray = NDArray[np.float64]
FRESH = 400
RULES = ("order", "near", "near copies", "copies", "helper", "repressor", "place", "three words")
NULLS = ("words", "composition", "pairs of letters", "noise")


def rule_of(name: str, words: list[str], letters: str) -> Callable[[str], float]:
    """The truth of a sequence."""
    size = len(words[0])

    def hits(text: str) -> list[list[int]]:
        return [[i for i in range(len(text)) if text.startswith(w, i)] for w in words]

    def gaps(left: list[int], right: list[int]) -> list[int]:
        return [b - a - size for a in left for b in right if b >= a + size]

    def truth(text: str) -> float:
        a, b, c, d = hits(text)
        ab, ba = gaps(a, b), gaps(b, a)
        found: dict[str, float] = {
            "order": 1.0 * bool(ab) - 1.0 * bool(ba) + 0.3 * bool(a),
            "near": 0.3 * bool(a) + 0.3 * bool(b) + 1.0 * any(g <= 12 for g in ab + ba),
            "near copies": 0.2 * bool(a) + 1.0 * any(g <= 10 for g in gaps(a, a)),
            "copies": (0, 0.2, 1.5, 1.8, 2.0)[min(4, len(a))] + 0.5 * bool(b),
            "helper": 1.0 * bool(a) + 1.0 * (bool(a) and bool(b)) - 0.3 * bool(b),
            "repressor": 1.0 * bool(a) - 1.0 * any(g <= 20 for g in ab + ba),
            "place": 1.0 * any(i < len(text) / 3 for i in a) + 0.4 * bool(b),
            "three words": 1.0 * bool(ab) + 0.8 * any(g <= 15 for g in gaps(b, c)) - 0.5 * bool(d),
            "words": 1.0 * len(a) + 0.7 * len(b) - 0.8 * len(c),
            "composition": 4 * (text.count(letters[1]) + text.count(letters[2])) / len(text),
            "pairs of letters": sum(0.3 * text.count(w[:2]) for w in words[:3]),
            "noise": 0.0,
        }
        return found[name]

    return truth


def rows_of(
    name: str, seed: int, args: argparse.Namespace
) -> tuple[list[str], FloatArray, FloatArray, Callable[[str], float]]:
    """Sequences, their true and their measured values, and the rule."""
    rng = np.random.default_rng([seed, sum(map(ord, name)), args.rows, args.length])
    alphabet = get_alphabet(args.alphabet)
    letters, size = alphabet.letters, 3 if alphabet.size > 6 else 6
    words = ["".join(rng.choice(list(letters), size)) for _ in range(4)]
    truth = rule_of(name, words, letters)
    texts = []
    for _ in range(args.rows + FRESH):
        shortest = int(args.length * (0.7 if args.vary else 1.0))
        text = list(rng.choice(list(letters), int(rng.integers(shortest, args.length + 1))))
        twice = name in ("copies", "near copies", "words")
        for word in rng.permutation([*words[:3], *(words[:1] if twice else [])]):
            if name not in NULLS[1:] and rng.random() < args.planted:
                place = int(rng.integers(len(text) - size + 1))
                text[place : place + size] = word
        texts.append("".join(text))
    true = np.array([truth(text) for text in texts])
    spread = float(true.std()) * np.sqrt(1 / args.ceiling - 1) or 1.0
    return texts, true, true + spread * rng.standard_normal(len(texts)), truth


def judged(texts: list[str], values: FloatArray, args: argparse.Namespace) -> dict[str, float]:
    """R2 of the judges of words and of grammar on the last rows."""
    alphabet = get_alphabet(args.alphabet)
    array = encode(texts, alphabet)
    tokens = torch.from_numpy(array.tokens.astype(np.int64))
    y = torch.from_numpy((values - values.mean()) / values.std())[:, None]
    taught, found = slice(0, min(args.rows, 1500)), {}
    _, basis = kinds_for(KINDS, array, same=True, both_strands=False)
    for kind in (next(kind for kind in KINDS if kind.name == "words"), GRAMMAR):
        begin = time.process_time()
        reader = read_as(kind, basis, tokens[taught], y[taught])
        x = reader(tokens[taught])
        theta = hyperparameters(kind, reader, x, y[taught], 0)
        judge = GaussianProcess(kind, theta, reader, x, y[taught])
        found[f"judge, {kind.name}"] = r2(
            judge(reader(tokens[args.rows :]))[0][:, 0].numpy(), y[args.rows :, 0].numpy()
        )
        found[f"{kind.name}, CPU s"] = time.process_time() - begin
    return found


def trained(texts: list[str], values: FloatArray, kind: str, seed: int, args: argparse.Namespace) -> float:
    """R2 of a predictor on the last rows; NaN where it cannot learn from the others."""
    try:
        model = sd.train_predictor(
            texts[: args.rows], values[: args.rows], architecture=kind, strands="one",
            alphabet=args.alphabet, seed=seed, device="cpu",
        )  # fmt: skip
    except SeqDesignError:
        return float("nan")
    return r2(model.predict(texts[args.rows :])["mean"].to_numpy(), values[args.rows :])


def r2(predicted: FloatArray, measured: FloatArray) -> float:
    return 1 - float(np.square(predicted - measured).mean() / np.var(measured))


def designed(name: str, seed: int, args: argparse.Namespace) -> dict[str, float]:
    """True gains of designs, as shares of that of the best measured sequence, and flags."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "design"))
    import guard
    from _guard_cases import Case

    texts, true, values, truth = rows_of(name, seed, args)
    some = slice(0, args.rows)
    case = Case(texts[some], values[some], truth, float(np.std(values - true)))
    with tempfile.TemporaryDirectory() as folder:
        figures, _ = guard.run(case, Path(folder), seed, None)
    best = float(true[some].max() - true[some].mean())
    shown = ("bad", "bad flagged", "good", "good flagged")
    return {"gain": figures["true"] / best, **{key: figures[key] for key in shown}}


def main() -> None:
    """Print a line for each rule and seed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--length", type=int, default=60)
    parser.add_argument("--alphabet", default="dna")
    parser.add_argument("--ceiling", type=float, default=0.8)
    parser.add_argument("--planted", type=float, default=0.6, help="probability of each word")
    parser.add_argument("--vary", action="store_true", help="sequences of .7 to 1 of the length")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[*RULES, *NULLS])
    parser.add_argument("--kinds", nargs="*", default=["words", "grammar"], help="of predictors")
    parser.add_argument("--designs", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name in args.only:
        for seed in range(args.seeds):
            if args.designs:
                row = designed(name, seed, args)
            else:
                texts, _, values, _ = rows_of(name, seed, args)
                row = judged(texts, values, args)
                row |= {kind: trained(texts, values, kind, seed, args) for kind in args.kinds}
            print(
                f"{name} {seed}: " + "  ".join(f"{key} {value:.3f}" for key, value in row.items()), flush=True
            )


if __name__ == "__main__":
    main()
