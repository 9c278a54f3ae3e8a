"""GANs on data whose truth is known, and on real promoters beside simple models; one thread.

    python benchmarks/gan.py tata|coding [--steps N] [--model DIR]
    python benchmarks/gan.py promoters --input dna_dm3_core_promoter100.fa.gz [--steps N] [--model DIR]

tata       50,000 50-mers of C and G with one TATA planted uniformly: share of samples with exactly one, and
           a chi-square test that its place is uniform (Killoran et al. 2017)
coding     100,000 36-mers, ATG + 10 codons that are no stop + a stop: share of valid frames
promoters  4-mer Jensen-Shannon distance to held-out sequences over that of training ones, repeats, AUC of a
           logistic classifier on 6-mers (and of a random forest where scikit-learn is installed), spread of
           GC content, nearest training distance, share of sequences with known motifs and how much of each
           lies at its peak; beside a Markov chain of order 3 and a position frequency matrix drawn from

The model in DIR is used where there is one; else it is trained and kept there.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.stats import chisquare

from seqdesign.metrics.classifier import two_sample_auc
from seqdesign.metrics.kmers import kmer_matrix
from seqdesign.metrics.nearest import nearest
from seqdesign.metrics.novelty import num_distinct
from seqdesign.metrics.spectra import jensen_shannon
from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.fit import GANTraining, train_sequence_gan
from seqdesign.models.gan.fit_options import GANFitOptions
from seqdesign.models.gan.sampling import draw
from seqdesign.models.gan.store import TrainedGAN, load_gan, save_gan
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import decode, encode
from seqdesign.sequences.reader import read_sequences
from seqdesign.training.loop import make_fabric
from seqdesign.training.splitting import hold_out

CPU, DNA = torch.device("cpu"), get_alphabet("dna")
STOPS = ("TAA", "TAG", "TGA")
MOTIFS = {
    "TATA box": "TATA[AT]A",
    "initiator": "TCA[GT]T",
    "DRE": "TATCGAT",
    "E-box": "CAGCTG",
    "GAGA": "GAGAGA",
}
PEAK = 10
"""Letters of the window in which a motif is most frequent."""
CODONS = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT"]


def planted(num: int, rng: np.random.Generator) -> list[str]:
    letters = rng.choice(list("CG"), size=(num, 50))
    places = rng.integers(0, 47, num)
    for i, letter in enumerate("TATA"):
        letters[np.arange(num), places + i] = letter
    return ["".join(row) for row in letters]


def coding(num: int, rng: np.random.Generator) -> list[str]:
    inner = [c for c in CODONS if c not in STOPS]
    rows = rng.integers(0, len(inner), (num, 10))
    ends = rng.integers(0, 3, num)
    return ["ATG" + "".join(inner[i] for i in row) + STOPS[e] for row, e in zip(rows, ends, strict=True)]


def judge_planted(texts: Sequence[str]) -> str:
    found = [[i for i in range(47) if t[i : i + 4] == "TATA"] for t in texts]
    places = [f[0] for f in found if len(f) == 1]
    test = chisquare(np.bincount(places, minlength=47))
    share = len(places) / len(texts)
    return f"exactly one TATA {share:.3f}, place uniform: chi2(46) {test.statistic:.0f}, p {test.pvalue:.2g}"


def judge_coding(texts: Sequence[str]) -> str:
    frames = [[t[i : i + 3] for i in range(0, 36, 3)] for t in texts]
    good = [f[0] == "ATG" and f[-1] in STOPS and not set(f[1:-1]) & set(STOPS) for f in frames]
    return f"valid frames {np.mean(good):.3f}"


def model_of(texts: Sequence[str], args: argparse.Namespace) -> tuple[TrainedGAN, np.ndarray, np.ndarray]:
    """Trained, or kept; with the indices that it learned from, and those held out."""
    tokens = encode(texts, DNA)
    fit = GANFitOptions(steps=args.steps)
    if args.model is not None and (args.model / "model.safetensors").exists():
        return (load_gan(args.model, CPU), *hold_out(tokens, None, fit, args.seed))
    result = train_sequence_gan(
        tokens, None, options=GANOptions(objective=args.objective, outputs=args.outputs), fit_options=fit,
        seed=args.seed, fabric=make_fabric(fit, CPU), on_epoch=report(),
    )  # fmt: skip
    return keep(result, args.model), result.train, result.held_out


def report() -> Callable[[dict[str, float]], None]:
    """What to print at a look."""
    begin = time.process_time()

    def say(row: dict[str, float]) -> None:
        elapsed = time.process_time() - begin
        print(f"  {row['step']:.0f} steps, {elapsed:.0f} s, score {row['held_out_score']:.3f}", flush=True)

    return say


def keep(result: GANTraining, folder: Path | None) -> TrainedGAN:
    """The model, written to the folder if there is one."""
    print(f"trained in {time.process_time():.0f} s of one thread")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        save_gan(folder, result.model, result.trained.record)
    return result.trained


def sample(trained: TrainedGAN, num: int, seed: int, *, argmax: bool = False) -> list[str]:
    drawn = draw(trained.generator, num, torch.Generator().manual_seed(seed), end=trained.end, argmax=argmax)
    return [text for tokens, _ in drawn for text in decode(tokens.numpy(), trained.record.alphabet)]


def markov(texts: Sequence[str], num: int, rng: np.random.Generator, order: int = 3) -> list[str]:
    """A chain of order 3 that starts as the sequences do."""
    codes = encode(texts, DNA).tokens.astype(np.int64)
    length, powers = codes.shape[1], 4 ** np.arange(order)[::-1]
    counts = np.full((4**order, 4), 0.1)
    for i in range(order, length):
        np.add.at(counts, (codes[:, i - order : i] @ powers, codes[:, i]), 1.0)
    cumulative = np.cumsum(counts / counts.sum(1, keepdims=True), axis=1)
    drawn = codes[rng.integers(len(codes), size=num)].copy()
    for i in range(order, length):
        rows = cumulative[drawn[:, i - order : i] @ powers]
        drawn[:, i] = np.minimum((rows < rng.random(num)[:, None]).sum(1), 3)
    return decode(drawn.astype(np.uint8), DNA)


def position_matrix(texts: Sequence[str], num: int, rng: np.random.Generator) -> list[str]:
    """Each position from its own letter frequencies."""
    codes = encode(texts, DNA).tokens
    columns = [codes[rng.integers(len(codes), size=num), i] for i in range(codes.shape[1])]
    return decode(np.stack(columns, axis=1), DNA)


def row(name: str, texts: list[str], training: list[str], held_out: list[str], floor: float) -> str:
    k4 = [kmer_matrix(t, "ACGT", 4).sum(axis=0) for t in (texts, held_out)]
    distance = float(jensen_shannon(*k4))
    few = [kmer_matrix(t[:1500], "ACGT", 6).toarray() for t in (texts, held_out)]
    common = np.argsort(-few[1].sum(axis=0))[:400]  # the words that held-out sequences have most
    auc = two_sample_auc(few[0][:, common], few[1][:, common], np.random.default_rng(0))[0]
    spread = np.std([t.count("G") + t.count("C") for t in texts])
    near = nearest(texts[:300], training).distance.mean()
    repeats = 1 - num_distinct(texts) / len(texts)
    cells = [name, f"{distance:.5f}", f"{distance / floor:.2f}", f"{repeats:.2%}", f"{auc:.3f}", forest(*few)]
    return f"| {' | '.join(cells)} | {spread:.1f} | {near:.1f} |"


def forest(generated: np.ndarray, real: np.ndarray) -> str:
    """AUC of a random forest of 200 trees on all 6-mers, fitted on one half and judged on the other."""
    try:
        from sklearn.ensemble import RandomForestClassifier
    except ModuleNotFoundError:
        return "-"
    rows, labels = np.concatenate([generated, real]), np.repeat([0, 1], [len(generated), len(real)])
    order = np.random.default_rng(0).permutation(len(rows))
    first, second = order[::2], order[1::2]
    model = RandomForestClassifier(200, random_state=0).fit(rows[first], labels[first])
    guess = model.predict_proba(rows[second])[:, 1]
    zero, one = guess[labels[second] == 0], guess[labels[second] == 1]
    return f"{np.mean(one[:, None] > zero) + np.mean(one[:, None] == zero) / 2:.3f}"


def motifs(sets: dict[str, list[str]]) -> None:
    """Where each motif peaks in the first set, the real one; the share of each set that has it, and there."""
    real = next(iter(sets.values()))
    print(f"| | {' | '.join(MOTIFS)} |\n|---|{'---|' * len(MOTIFS)}")
    windows = {}
    for name, pattern in MOTIFS.items():
        starts = np.bincount([m.start() for t in real for m in re.finditer(pattern, t)], minlength=100)
        windows[name] = int(np.convolve(starts, np.ones(PEAK), "valid").argmax())
    for label, texts in sets.items():
        cells = []
        for name, pattern in MOTIFS.items():
            starts = [[m.start() for m in re.finditer(pattern, t)] for t in texts]
            flat = np.array([s for row in starts for s in row] or [-1])
            peak = np.mean((flat >= windows[name]) & (flat < windows[name] + PEAK))
            cells.append(f"{np.mean([bool(s) for s in starts]):.4f}, {peak:.2f}")
        print(f"| {label} | {' | '.join(cells)} |")
    print("peaks at letters", {name: (w + 1, w + PEAK) for name, w in windows.items()})


def promoters(args: argparse.Namespace) -> None:
    texts = list(dict.fromkeys(read_sequences(args.input, on_duplicate="keep").sequences))
    trained, train, held = model_of(texts, args)
    training, held_out = [texts[i] for i in train], [texts[i] for i in held]
    rng, num = np.random.default_rng(args.seed), len(held_out)
    like = [training[i] for i in rng.permutation(len(training))[:num]]
    k4 = [kmer_matrix(t, "ACGT", 4).sum(axis=0) for t in (like, held_out)]
    floor = float(jensen_shannon(*k4))
    print("| | 4-mer JS | over floor | repeats | AUC, 6-mers | AUC, forest | sd of GC | nearest, edits |")
    print("|---|---|---|---|---|---|---|---|")
    rest = [t for t in training if t not in set(like)]
    print(row("training (floor)", like, rest, held_out, floor))
    print(row("GAN", sample(trained, num, 1), training, held_out, floor))
    print(row("Markov chain, order 3", markov(training, num, rng), training, held_out, floor))
    print(row("position matrix", position_matrix(training, num, rng), training, held_out, floor))
    held_near = nearest(held_out[:300], training).distance.mean()
    print(f"held-out sequences are {held_near:.1f} edits from the nearest training sequence")
    many = sample(trained, 20_000, 2)
    print(f"repeats among 20,000: {1 - num_distinct(many) / len(many):.3%}\n")
    motifs({
        "all real": texts, "held out": held_out, "GAN": many,
        "Markov chain, order 3": markov(training, 20_000, rng),
        "position matrix": position_matrix(training, 20_000, rng),
    })  # fmt: skip


def toy(
    make: Callable[[int, np.random.Generator], list[str]],
    num: int,
    judge: Callable[[Sequence[str]], str],
    args: argparse.Namespace,
) -> None:
    trained, _, _ = model_of(make(num, np.random.default_rng(7)), args)
    for name, texts in (
        ("data", make(4000, np.random.default_rng(8))),
        ("samples", sample(trained, 4000, 1)),
        ("samples, argmax", sample(trained, 4000, 1, argmax=True)),
    ):
        print(f"{name}: {judge(texts)}, distinct {num_distinct(texts)} of {len(texts)}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=["tata", "coding", "promoters"])
    parser.add_argument("--input", type=Path)
    parser.add_argument("--steps", type=int, default=GANFitOptions().steps)
    parser.add_argument("--objective", default=GANOptions().objective)
    parser.add_argument("--outputs", default=GANOptions().outputs)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.task == "tata":
        toy(planted, 50_000, judge_planted, args)
    elif args.task == "coding":
        toy(coding, 100_000, judge_coding, args)
    elif args.input is None:
        parser.error("promoters needs --input")
    else:
        promoters(args)


if __name__ == "__main__":
    main()
