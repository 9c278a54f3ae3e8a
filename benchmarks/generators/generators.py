"""Generators on data of known structure and on real sequences, beside the simplest models of the same data.

    python benchmarks/generators/generators.py DATA [--rows "train-lm" "train-gan --objective wgan-gp" ...]
        [--seed 0] [--alone]

A row is a training command without input and output; the model is trained on the training sequences, of which
it holds out some itself, and 'seqdesign sample' draws from it. Rows there always are: the data themselves, a
Markov chain, a position matrix, a GRU language model, the default of train-lm; with --alone only those of
--rows. --kept DIR keeps the models, and uses those that are there. The sequences that judge are in neither
part. --seed is that of training and drawing, and of real data that of what judges, too; made sequences are
the same for each. CPU s are those of training; nats are those of a sequence that a language model held out
of its training part, of the weights that were kept.

trna      20,000 x 72, stems of 7, 4, 5, 5 pairs that always pair: share of samples with each stem whole
families  20,000 x 60 from three unrelated proteins, 20% mutated: chimeras, mutations
tata      20,000 x 50 of C and G with one TATA;  tataa  the same with TATAA: exactly one, evenly placed
pair      20,000 x 100 with two words, the second 30 letters after the first
genes     20,000 x 300: ATG, 98 codons, a stop: valid frames
long      5,000 x 500 with two words, the second 30 letters after the first
ww        WW domains (--input prot_ww_pfam_aligned.fa.gz): recognised by a profile HMM of training members
globins   the same of unaligned globins (--input prot_globins630.fa.gz)
hairpins  1,500 of RNA, 26 to 46 letters, a stem of 7 to 9 pairs anywhere: share with one of 7
precursors 1,500 like tRNA with up to 15 letters on either side: share with all stems
operators 2,000 x 80 of DNA, a word of 9 comes twice: share with one of 7
peptides  2,000 of 8 to 11 letters with anchors at the second and the last place: share with each
bacteria  500 simulated promoters x 81: two words 15 to 19 letters apart;  ragged  cut to 60 to 81 letters
promoters dm3 promoters (--input dna_dm3_core_promoter100.fa.gz): AUC of a network and of a forest, words,
          motifs and their places, copies;  few  the same, of 300 sequences only
"""

from __future__ import annotations

import argparse
import csv
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import _generator_classes as classes
import _generator_data as data
import _generator_judges as judges
import numpy as np

from seqdesign.metrics.nearest import nearest
from seqdesign.metrics.novelty import num_distinct
from seqdesign.sequences.fasta import Record, write_fasta
from seqdesign.sequences.reader import read_sequences

Figures = dict[str, float]
LM_ROWS = ("train-lm --architecture gru", "train-lm")
CHAIN, MATRIX, REAL = "Markov chain", "position matrix", "held-out sequences"
DATA = (
    "trna",
    "families",
    "tata",
    "tataa",
    "pair",
    "genes",
    "long",
    "ww",
    "globins",
    "hairpins",
    "precursors",
    "operators",
    "peptides",
    "bacteria",
    "ragged",
    "promoters",
    "few",
)


@dataclass(frozen=True)
class Task:
    """Sequences to learn from, sequences to judge by, and what is asked of samples."""

    train: list[str]
    test: list[str]
    judge: Callable[[Sequence[str]], Figures]
    num: int = 1000
    letters: str = "ACGT"
    order: int = 3


def made(maker: Callable[[int, np.random.Generator], list[str]], judge: Callable[[Sequence[str]], Figures],
         letters: str = "ACGT", order: int = 3, num: int = 20_000) -> Task:  # fmt: skip
    """A task of made sequences."""
    train, test = maker(num, np.random.default_rng(7)), maker(4000, np.random.default_rng(8))
    return Task(train, test, judge, letters=letters, order=order)


def promoters(path: Path, limit: int | None, seed: int) -> Task:
    """Real promoters: 4,000 judge; of the others ``limit`` are learned from."""
    texts = list(dict.fromkeys(read_sequences(path, on_duplicate="keep").sequences))
    texts = [t for t in texts if not set(t) - set("ACGT")]
    order = np.random.default_rng(seed).permutation(len(texts))
    shuffled = [texts[i] for i in order]
    num = 4000 if limit is None else 1500
    test, rest = shuffled[:num], shuffled[num:]
    train = rest[:limit]
    return Task(train, test, judges.Promoters(train, rest, test, seed), num=num)


def ww(path: Path, seed: int) -> Task:
    """Members of a protein family, gaps removed; a fifth of them judge."""
    aligned = [s.upper().replace(".", "-") for s in read_sequences(path, on_duplicate="keep").sequences]
    first = {a.replace("-", ""): a for a in reversed(aligned)}
    rows = [row for bare, row in first.items() if not set(bare) - set(data.AMINO)]
    order = np.random.default_rng(seed).permutation(len(rows))
    num = len(rows) // 5
    test, train = [rows[i] for i in order[:num]], [rows[i] for i in order[num:]]
    bare, held_out = [r.replace("-", "") for r in train], [r.replace("-", "") for r in test]
    return Task(bare, held_out, judges.Family(train, bare, held_out), letters=data.AMINO, order=2)


def globins(path: Path, seed: int) -> Task:
    """Members of a protein family that nobody has aligned; a fifth of them judge."""
    texts = list(dict.fromkeys(t.upper() for t in read_sequences(path, on_duplicate="keep").sequences))
    texts = [t for t in texts if not set(t) - set(data.AMINO)]
    order = np.random.default_rng(seed).permutation(len(texts))
    num = len(texts) // 5
    test, train = [texts[i] for i in order[:num]], [texts[i] for i in order[num:]]
    return Task(train, test, judges.Family(judges.aligned(train), train, test), letters=data.AMINO, order=2)


def bacteria(cut: bool, seed: int) -> Task:
    """Few simulated promoters, others for each seed; whole or cut."""
    rngs = [np.random.default_rng([seed, i]) for i in range(3)]
    train, test, more = (data.bacteria(n, r) for n, r in zip((500, 2000, 2000), rngs, strict=True))
    if cut:
        train, test, more = (data.ragged(t, r) for t, r in zip((train, test, more), rngs, strict=True))
    return Task(train, test, judges.Bacteria(test, more))


def task(args: argparse.Namespace) -> Task:
    """The data that were asked for."""
    if args.data in ("bacteria", "ragged"):
        return bacteria(args.data == "ragged", args.seed)
    if args.data in ("ww", "globins", "promoters", "few"):
        if args.input is None:
            raise SystemExit(f"{args.data} needs --input")
        if args.data in ("ww", "globins"):
            return (ww if args.data == "ww" else globins)(args.input, args.seed)
        return promoters(args.input, 300 if args.data == "few" else None, args.seed)
    simple: dict[str, Callable[[], Task]] = {
        "trna": lambda: made(data.trna, data.judge_trna, "ACGU"),
        "families": lambda: made(data.families, data.judge_families, data.AMINO, 2),
        "tata": lambda: made(
            lambda n, r: data.planted("TATA", n, r), lambda t: data.judge_planted("TATA", t)
        ),
        "tataa": lambda: made(
            lambda n, r: data.planted("TATAA", n, r), lambda t: data.judge_planted("TATAA", t)
        ),
        "pair": lambda: made(data.word_pair, data.judge_word_pair),
        "genes": lambda: made(data.genes, data.judge_genes),
        "hairpins": lambda: made(classes.hairpins, classes.judge_hairpins, "ACGU", num=1500),
        "precursors": lambda: made(classes.precursors, classes.judge_precursors, "ACGU", num=1500),
        "operators": lambda: made(classes.operators, classes.judge_operators, num=2000),
        "peptides": lambda: made(classes.peptides, classes.judge_peptides, data.AMINO, 2, num=2000),
        "long": lambda: made(lambda n, r: data.word_pair(n, r, 500), data.judge_word_pair, num=5000),
    }
    return simple[args.data]()


def markov(texts: Sequence[str], num: int, order: int, rng: np.random.Generator) -> list[str]:
    """A chain whose next letter, or end, is that after the same letters somewhere in the data."""
    after: dict[str, list[str]] = {}
    longest = max(map(len, texts))
    fixed = len(set(map(len, texts))) == 1
    for text in texts:
        padded = "^" * order + text + ("" if fixed else "$")
        for i in range(order, len(padded)):
            after.setdefault(padded[i - order : i], []).append(padded[i])
    found: list[str] = []
    while len(found) < num:
        text = "^" * order
        while len(text) < longest + order:
            choices = after.get(text[-order:], ["$"])
            letter = choices[rng.integers(len(choices))]
            if letter == "$":
                break
            text += letter
        found.append(text[order:])
    return [t for t in found if t]


def position_matrix(texts: Sequence[str], num: int, rng: np.random.Generator) -> list[str]:
    """Each position from a random sequence that is long enough, as long as some sequence."""
    lengths = [len(texts[i]) for i in rng.integers(len(texts), size=num)]
    columns = [[t[i] for t in texts if len(t) > i] for i in range(max(lengths))]
    return ["".join(columns[i][rng.integers(len(columns[i]))] for i in range(n)) for n in lengths]


def run(words: Sequence[str]) -> float:
    """Run seqdesign; its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "seqdesign_cli", *words, "--quiet"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def held_out_nats(folder: Path) -> float:
    """The best held-out loss of a language model's passes; NaN of anything else."""
    with open(folder / "metrics.csv", newline="") as handle:
        values = [float(row.get("held_out_lm_loss", "nan")) for row in csv.DictReader(handle)]
    return min(values)


def trained(row: str, asked: Task, folder: Path, seed: int) -> tuple[list[str], Figures]:
    """Samples of a model, the CPU seconds of training (NaN if it was there) and of sampling, and its nats."""
    seconds = float("nan")
    if not (folder / "model.safetensors").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        source = folder.parent / f"train_{folder.name}.fa"
        with open(source, "wb") as handle:
            write_fasta((Record(f"s{i}", "", t) for i, t in enumerate(asked.train)), handle)
        command, *options = shlex.split(row)
        seconds = run([command, str(source), "-o", str(folder), "--seed", str(seed), "--overwrite", *options])
    output = folder.parent / f"{folder.name}.fa"
    drawing = run(["sample", str(folder), "-n", str(asked.num), "-o", str(output), "--seed", str(seed)])
    figures = {"CPU s": seconds, "sampling": drawing, "nats": held_out_nats(folder)}
    return read_sequences(output).sequences, figures


def drawn_before(kept: Path, data: str, seed: int) -> Iterator[tuple[str, list[str]]]:
    """(row, samples) of each model that an earlier run has left in ``kept``."""
    start = f"{data}_{seed}_"
    for path in sorted(kept.glob(f"{start}*.fa")):
        yield path.stem.removeprefix(start).replace("_", " "), read_sequences(path).sequences


def line(name: str, figures: Figures, more: Figures) -> str:
    """A row of the table."""
    cells = [f"{value:.4g}" for value in (figures | more).values()]
    return f"| {name} | {' | '.join(cells)} |"


def common(texts: Sequence[str], asked: Task) -> Figures:
    """What is asked of samples of anything."""
    training = set(asked.train)
    lengths = {len(t) for t in asked.train}
    return {
        "repeats": 1 - num_distinct(texts) / len(texts),
        "copies": float(np.mean([t in training for t in texts])),
        "nearest": float(nearest(list(texts[:300]), asked.train).distance.mean()),
        "new lengths": float(np.mean([not min(lengths) <= len(t) <= max(lengths) for t in texts])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", choices=DATA)
    parser.add_argument("--rows", nargs="*", default=LM_ROWS, help="training commands with their options")
    parser.add_argument("--input", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--alone", action="store_true", help="no other rows than those asked for")
    parser.add_argument("--kept", type=Path, metavar="DIR")
    args = parser.parse_args()
    asked = task(args)
    rng = np.random.default_rng(args.seed)
    kept = args.kept or Path(tempfile.mkdtemp())
    baselines: dict[str, Callable[[], list[str]]] = {
        REAL: lambda: asked.test,
        f"{CHAIN} of order {asked.order}": lambda: markov(asked.train, asked.num, asked.order, rng),
        MATRIX: lambda: position_matrix(asked.train, asked.num, rng),
    }
    names: list[str] | None = None
    for name in (*(() if args.alone else baselines), *args.rows):
        begun = time.process_time()
        if name in baselines:
            texts = baselines[name]()
            spent = {"CPU s": time.process_time() - begun, "sampling": float("nan"), "nats": float("nan")}
        else:
            folder = kept / f"{args.data}_{args.seed}_{name.replace(' ', '_').replace('/', '_')}"
            texts, spent = trained(name, asked, folder, args.seed)
        figures = asked.judge(texts)
        more = common(texts, asked) | spent
        if names is None:
            names = [*figures, *more]
            print(
                f"{args.data}, seed {args.seed}: {len(asked.train):,} sequences to learn from, {asked.num:,} "
                "drawn"
            )
            print(f"| | {' | '.join(names)} |\n|---|{'---|' * len(names)}", flush=True)
        print(line(name, figures, more), flush=True)


if __name__ == "__main__":
    main()
