"""Parts of the sequence VAE on real data.

    python benchmarks/generators/vae_parts.py reconstruct [--networks transformer] [--epochs 10] \\
        [--options "--batch-size 32"]
    python benchmarks/generators/vae_parts.py steps [--steps 320] [--batch-size 32]
    python benchmarks/generators/vae_parts.py condition [--epochs 12]
    python benchmarks/generators/vae_parts.py antimicrobial [--epochs 30]
    python benchmarks/generators/vae_parts.py splice [--epochs 30]

reconstruct  3,000 core promoters of Drosophila of 100 letters, with a TATA box or without: 'train-vae' with
             --encoder and --decoder NETWORKS (auto: the usual ones); held-out figures, CPU seconds
condition    'train-vae --condition' on 5,000 measured lac promoters; 200 samples for each of five outcomes,
             judged by an additive model of 20,000 other ones
steps        promoters as for reconstruct, but the VAE's own loss alone (neither language model nor
             invariance) for --steps of --batch-size rows: what as many passes in smaller batches bring
splice       'train-vae --condition' on 3,000 measured 5' splice sites, 200 samples for each of five outcomes;
             the truth is looked up among all 30,483
antimicrobial  the same on half of the peptides of at most 50 letters, antimicrobial or not; 400 samples each,
             judged by a logistic regression of the other half
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import tempfile
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import torch
from generators import run
from generators_asked import ASKED, EACH, Additive
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression

from seqdesign.metrics.kmers import kmer_matrix
from seqdesign.metrics.nearest import nearest
from seqdesign.metrics.spectra import jensen_shannon
from seqdesign.models.vae.config import VAEOptions, adapt
from seqdesign.models.vae.model import SequenceVAE
from seqdesign.models.vae.quality import judge
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.compression import open_input
from seqdesign.sequences.encoders import Vocabulary, encode
from seqdesign.sequences.reader import read_sequences
from seqdesign.training.data import TokenData
from seqdesign.training.plan import rate_factor

TATA = re.compile("TATA[AT]A")
CHOSEN = (1, 4, 8, 16)
"""Draws for each sample of a condition."""


def core_promoters(seed: int) -> list[str]:
    texts = [s for s in read_sequences("dataset:dna_dm3_core_promoter100").sequences if len(s) == 100]
    random.Random(seed).shuffle(texts)
    return texts[:3000]


def steps(args: argparse.Namespace, folder: Path) -> None:
    texts = core_promoters(args.seed)
    named = {} if args.networks == "auto" else {"encoder": args.networks, "decoder": args.networks}
    options = VAEOptions(invariance_weight=0.0, **named)
    options = adapt(options, max_length=100, fixed_length=True, num_train=2700)
    outcomes = np.array([float(TATA.search(s) is not None) for s in texts])
    data = TokenData.of(encode(texts, get_alphabet("dna")), outcomes)
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    started = time.process_time()
    model = SequenceVAE(
        options,
        Vocabulary(get_alphabet("dna")),
        100,
        outcome_mean=outcomes.mean(),
        outcome_scale=outcomes.std(),
    )
    parameters = model.player_parameters("vae")
    optimizer = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=0.01)
    rng = torch.Generator().manual_seed(args.seed + 1)
    for step in range(args.steps):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * rate_factor("cosine", step, args.steps)
        batch = data.rows(torch.randint(2700, (args.batch_size,), generator=rng))
        optimizer.zero_grad()
        model.losses("vae", batch, rng, step / args.steps)["loss"].backward()
        torch.nn.utils.clip_grad_norm_(parameters, 5.0)
        optimizer.step()
    seconds = time.process_time() - started
    found = judge(model.eval(), data_of(data, 2700), rng)
    with torch.no_grad():
        missed = model.losses("vae", data.rows(torch.arange(2700, 3000)), rng, 1.0)["reconstruction"]
    print(
        f"{args.steps} steps of {args.batch_size} rows, {args.steps * args.batch_size / 2700:.1f} passes: "
        f"-log p(x given z) {missed:.1f} nats, {found.token_accuracy:.3f} of letters given back, "
        f"KL {found.kl:.0f}, {seconds:.0f} CPU s"
    )


def data_of(data: TokenData, first: int) -> TokenData:
    """The rows from one on."""
    return TokenData(data.tokens[first:], data.lengths[first:], data.outcomes[first:])


def reconstruct(args: argparse.Namespace, folder: Path) -> None:
    texts = core_promoters(args.seed)
    table = folder / "promoters.csv"
    rows = (f"{s},{int(TATA.search(s) is not None)}\n" for s in texts)
    table.write_text("sequence,outcome\n" + "".join(rows))
    words = ["train-vae", str(table), "-o", str(folder / "m"), "--epochs", str(args.epochs)]
    if args.networks != "auto":
        words += ["--encoder", args.networks, "--decoder", args.networks]
    seconds = run([*words, "--seed", str(args.seed), *args.options.split()])
    quality = json.loads((folder / "m" / "manifest.json").read_text())["result"]["quality"]
    for name in ("token_accuracy", "exact_accuracy", "active_units", "nll_bound", "language_nll"):
        print(f"{name} {quality[name]:.3f}")
    print(f"trained in {seconds:.0f} CPU s")


def condition(args: argparse.Namespace, folder: Path) -> None:
    with open_input(args.data / "dna_lac_sortseq75.csv.gz") as handle:
        rows = list(csv.DictReader(line.decode() for line in handle))
    random.Random(args.seed).shuffle(rows)
    texts = [row["sequence"] for row in rows]
    outcomes = np.array([float(row["outcome"]) for row in rows])
    judge = Additive(texts[5000:25000], outcomes[5000:25000])
    ability = spearmanr(judge(texts[:5000]), outcomes[:5000]).statistic
    table = folder / "train.csv"
    known = zip(texts[:5000], outcomes[:5000].tolist(), strict=True)
    table.write_text("sequence,outcome\n" + "".join(f"{s},{y}\n" for s, y in known))
    words = ["--condition", "outcome", "--kl-weight", "1", "--invariance-weight", "0", *args.options.split()]
    seconds = run(["train-vae", str(table), "-o", str(folder / "m"), "--epochs", str(args.epochs), *words])
    for choose_from in CHOSEN:
        judge_samples(folder, judge, texts[:5000], outcomes[:5000], choose_from)
    print(f"the judge has {ability:.3f} with outcomes of training; trained in {seconds:.0f} CPU s")


def splice(args: argparse.Namespace, folder: Path) -> None:
    with open_input(args.data / "rna_mpsa_5ss9.csv.gz") as handle:
        rows = list(csv.DictReader(line.decode() for line in handle))
    truth = {row["sequence"]: float(row["outcome"]) for row in rows}
    random.Random(args.seed).shuffle(rows)
    known = rows[:3000]
    table = folder / "train.csv"
    lines = (f"{row['sequence']},{row['outcome']}\n" for row in known)
    table.write_text("sequence,outcome\n" + "".join(lines))
    words = ["--condition", "outcome", "--kl-weight", "1", "--invariance-weight", "0", *args.options.split()]
    seconds = run(["train-vae", str(table), "-o", str(folder / "m"), "--epochs", str(args.epochs), *words])
    print(f"trained in {seconds:.0f} CPU s", flush=True)
    outcomes = np.array([float(row["outcome"]) for row in known])
    fresh = {row["sequence"] for row in rows[3000:]}

    def look_up(texts: list[str]) -> np.ndarray:
        return np.array([truth.get(text, np.nan) if text in fresh else np.nan for text in texts])

    for choose_from in CHOSEN:
        judge_samples(folder, look_up, [row["sequence"] for row in known], outcomes, choose_from)


def variety(texts: list[str], real: list[str]) -> str:
    """Different ones, mean edits to the nearest other one, and words of 3 beside real ones.

    Words: Jensen-Shannon divergence in thousandths of a bit, and in parentheses that between halves of the
    real ones, each as large as there are texts where there are so many.
    """
    near = nearest(texts, texts, own=np.arange(len(texts))).distance.mean()
    size = min(len(texts), len(real) // 2)
    mixed = random.Random(0).sample(real, 2 * size)
    parts = texts[:size], mixed[:size], mixed[size:]
    letters = "".join(sorted(set("".join(real))))
    words = [kmer_matrix(part, letters, 3).sum(0) for part in parts]
    apart, floor = (1000 * jensen_shannon(words[i], words[2]) for i in (0, 1))
    return f"{len(set(texts)) / len(texts):.2f} | {near:.2f} | {apart:.1f} ({floor:.1f})"


VARIETY = "different | to nearest other | words of 3"


def judge_samples(
    folder: Path,
    judge: Callable[[list[str]], np.ndarray],
    known: list[str],
    outcomes: np.ndarray,
    choose_from: int,
) -> None:
    """Print what is asked, what the judge says of it, and how varied it is beside the rows nearest to it."""
    asked: list[float] = []
    judged: list[float] = []
    middle = []
    print(f"--choose-from {choose_from}\n| asked | judged, mean | sd | {VARIETY} |\n{'|---' * 6}|")
    for quantile in ASKED:
        value, output = float(np.quantile(outcomes, quantile)), folder / f"{quantile}.fa"
        words = ["-m", str(folder / "m"), "-n", str(EACH), "--condition", str(value), "-o", str(output)]
        run(["sample-vae", *words, "--choose-from", str(choose_from)])
        texts = list(read_sequences(output, on_missing="unlabelled").sequences)
        said = judge(texts)
        said = said[~np.isnan(said)]  # those that nobody has measured apart
        real = [known[i] for i in np.argsort(np.abs(outcomes - value), kind="stable")[: 2 * EACH]]
        spread = variety(texts, real)
        print(f"| {value:.2f} | {said.mean():.3f} | {said.std():.3f} | {spread} |", flush=True)
        middle.append(said.mean())
        asked += [value] * len(said)
        judged += said.tolist()
    print(
        f"rank correlation of asked and judged {spearmanr(asked, judged).statistic:.3f}, of asked and the "
        f"means {spearmanr(sorted(set(asked)), middle).statistic:.3f}"
    )


LETTERS = {letter: i for i, letter in enumerate("ACDEFGHIKLMNPQRSTVWY")}


def features(text: str) -> np.ndarray:
    """Shares of letters and of pairs one and three apart, length, charge."""
    found = np.zeros(822)
    tokens = [LETTERS[c] for c in text if c in LETTERS]
    for token in tokens:
        found[token] += 1 / len(tokens)
    for first, gap in ((20, 1), (420, 3)):
        for a, b in zip(tokens, tokens[gap:], strict=False):
            found[first + a * 20 + b] += 1 / len(tokens)
    charge = sum(text.count(c) for c in "KR") - sum(text.count(c) for c in "DE")
    found[-2:] = len(tokens) / 50, charge / 10
    return found


def antimicrobial(args: argparse.Namespace, folder: Path) -> None:
    with open_input(args.data / "prot_amp_vs_uniprot.csv.gz") as handle:
        rows = list(csv.DictReader(line.decode() for line in handle))
    random.Random(args.seed).shuffle(rows)
    rows = [row for row in rows if len(row["sequence"]) <= 50]
    half = len(rows) // 2
    train, other = rows[:half], rows[half:]
    table = folder / "train.csv"
    known = (f"{row['sequence']},{row['outcome']}\n" for row in train)
    table.write_text("sequence,outcome\n" + "".join(known))
    x = np.array([features(row["sequence"]) for row in other])
    judge = LogisticRegression(C=10, max_iter=300).fit(x, [row["outcome"] for row in other])
    words = ["--condition", "outcome", "--encoder", "conv", "--kl-weight", "1", "--invariance-weight", "0"]
    words += ["--alphabet", "protein", "--on-unknown", "skip", "--on-duplicate", "rename"]
    words += args.options.split()
    seconds = run(["train-vae", str(table), "-o", str(folder / "m"), "--epochs", str(args.epochs), *words])
    print(f"trained in {seconds:.0f} CPU s")
    for choose_from, label in product(CHOSEN, "10"):
        output = folder / f"{label}_{choose_from}.fa"
        asked = ["--condition", label, "--choose-from", str(choose_from)]
        run(["sample-vae", "-m", str(folder / "m"), "-n", "400", *asked, "-o", str(output)])
        drawn = read_sequences(output, on_missing="unlabelled").sequences
        real = [row["sequence"] for row in train if row["outcome"] == label]
        shares = [np.mean(judge.predict([features(t) for t in texts]) == "1") for texts in (drawn, real)]
        print(
            f"asked {label}, --choose-from {choose_from}: called antimicrobial {shares[0]:.3f}; real ones "
            f"{shares[1]:.3f}; {VARIETY}: {variety(list(drawn), real)}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=["reconstruct", "steps", "condition", "splice", "antimicrobial"])
    parser.add_argument("--networks", default="transformer")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--steps", type=int, default=320)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--options", default="", help="further ones of 'train-vae', in one word")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    args = parser.parse_args()
    tasks = {
        "reconstruct": reconstruct,
        "steps": steps,
        "condition": condition,
        "splice": splice,
        "antimicrobial": antimicrobial,
    }
    tasks[args.task](args, Path(tempfile.mkdtemp()))


if __name__ == "__main__":
    main()
