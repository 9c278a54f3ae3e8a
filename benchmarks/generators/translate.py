"""Unpaired translation beside simple ways to do the same: nearest real one, greedy search, copying, a motif.

tata: Drosophila core promoters without -> with a TATA box, the last 50 letters before the start site.
lac: variants of the lac promoter, mean bin 1 and 2 -> 8 and 9 of a sort-seq experiment.
splice: 5' splice sites that are silent (PSI below 10%) -> used (30% and more); the truth is looked up.

One half of each set is learned from, a third teaches the judges (a convolutional network, and logistic
regression on words and positions), a sixth is translated. Greedy search climbs a network of the same kind
that learned from the translator's own half, by as many substitutions as the translator makes on average.

    python benchmarks/generators/translate.py tata --data DIR --seed 0
"""

from __future__ import annotations

import argparse
import csv
import gzip
import math
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from _generator_judges import Critic, one_hot
from numpy.typing import NDArray

from seqdesign.metrics.edits import levenshtein_pairs
from seqdesign.metrics.nearest import nearest
from seqdesign.models.translate.config import TranslateOptions
from seqdesign.models.translate.fit import TranslateTraining, train_sequence_translator
from seqdesign.models.translate.fit_options import TranslateFitOptions
from seqdesign.models.translate.quality import restored, round_trip, texts_of
from seqdesign.models.translate.recogniser import Recogniser
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode
from seqdesign.training.loop import make_fabric

EPOCHS, BATCH = 14, 64
MOST = 3000
SHOWN = 6
LETTERS = "ACGT"
Pair = tuple[list[str], list[str]]
Score = Callable[[Sequence[str]], NDArray[np.float64]]


def rows_of(path: Path) -> list[dict[str, str]]:
    """Of a gzipped table."""
    with gzip.open(path, "rt", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def tata(data: Path) -> Pair:
    """Promoters without TATA anywhere in 100 letters, and with TATA[AT][AG] that begins at -38 to -24."""
    with gzip.open(data / "dna_dm3_core_promoter100.fa.gz", "rt") as handle:
        texts = [line.strip() for line in handle if not line.startswith(">")]
    texts = [text for text in texts if set(text) <= set(LETTERS)]
    a = [text[50:] for text in texts if "TATA" not in text]
    return a, [text[50:] for text in texts if re.search("TATA[AT][AG]", text[62:82])]


def lac(data: Path) -> Pair:
    """Weak and strong variants."""
    rows = rows_of(data / "dna_lac_sortseq75.csv.gz")
    weak, strong = (
        [row["sequence"] for row in rows if row["outcome"] in bins] for bins in (("1", "2"), ("8", "9"))
    )
    return weak, strong


def psi(data: Path) -> dict[str, float]:
    """Measured log10 PSI of every site, as DNA."""
    rows = rows_of(data / "rna_mpsa_5ss9.csv.gz")
    return {row["sequence"].replace("U", "T"): float(row["outcome"]) for row in rows}


def splice(data: Path) -> Pair:
    """Silent and used splice sites."""
    known = psi(data)
    used = [text for text, value in known.items() if value >= math.log10(30)]
    return [text for text, value in known.items() if value < 1], used


class Network:
    """The convolutional judge: log-odds that a text is one of the second set; both count the same."""

    def __init__(self, a: Sequence[str], b: Sequence[str], seed: int) -> None:
        self.length = max(map(len, [*a, *b]))
        rng = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = Critic(len(LETTERS), max(self.length, 10))
            x, y = self.hot([*a, *b]), torch.cat([torch.zeros(len(a)), torch.ones(len(b))])
            self.weight = torch.tensor(len(a) / len(b))
            order = torch.randperm(len(x), generator=rng)
            stop, fit = order[: len(x) // 7], order[len(x) // 7 :]
            optimizer = torch.optim.AdamW(self.network.parameters(), 2e-3, weight_decay=0.01)
            best, kept = math.inf, self.network.state_dict()
            for _ in range(EPOCHS):
                self.network.train()
                for index in fit[torch.randperm(len(fit), generator=rng)].split(BATCH):
                    loss = self.loss(x[index], y[index])
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                self.network.eval()
                with torch.no_grad():
                    now = float(self.loss(x[stop], y[stop]))
                if now < best:
                    best, kept = now, {k: v.clone() for k, v in self.network.state_dict().items()}
            self.network.load_state_dict(kept)

    def loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Of rows and their sides."""
        return F.binary_cross_entropy_with_logits(self.network(x), y, pos_weight=self.weight)

    def hot(self, texts: Sequence[str]) -> torch.Tensor:
        """(N, V, L), at least ten positions."""
        return one_hot(texts, LETTERS, max(self.length, 10))

    @torch.no_grad()
    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        return torch.cat([self.network(self.hot(part)) for part in _parts(texts)]).double().numpy()


def _parts(texts: Sequence[str], size: int = 512) -> list[Sequence[str]]:
    return [texts[i : i + size] for i in range(0, len(texts), size)]


def greedy(texts: Sequence[str], score: Score, sign: int, edits: float) -> list[str]:
    """The best substitution again and again, so often that there are ``edits`` on average."""
    made = list(texts)
    rng = np.random.default_rng(0)
    times = np.floor(edits + rng.random(len(made))).astype(int)
    for step in range(int(times.max())):
        rows = [i for i in range(len(made)) if times[i] > step]
        for i in rows:
            text = made[i]
            ways = [text[:p] + c + text[p + 1 :] for p in range(len(text)) for c in LETTERS if c != text[p]]
            made[i] = ways[int((sign * score(ways)).argmax())]
    return made


def placed(texts: Sequence[str], motif: str = "TATAAA", first: int = 16, last: int = 26) -> list[str]:
    """The motif where it takes the fewest edits, within the window of real ones."""

    def best(text: str) -> str:
        places = range(first, last + 1)
        at = min(places, key=lambda p: sum(x != y for x, y in zip(motif, text[p:], strict=False)))
        return text[:at] + motif + text[at + len(motif) :]

    return [best(text) for text in texts]


def describe(
    name: str,
    texts: Sequence[str],
    sources: Sequence[str],
    judges: Sequence[Score],
    side: int,
    known: Sequence[str],
    back: Sequence[str] | None = None,
    truth: dict[str, float] | None = None,
) -> str:
    """One row of the table."""
    shares = [float(((judge(texts) > 0) == bool(side)).mean()) for judge in judges]
    near = nearest(texts, known).distance
    cells = [
        name,
        *(f"{share:.3f}" for share in shares),
        f"{levenshtein_pairs(list(sources), list(texts)).mean():.2f}" if len(sources) == len(texts) else "",
        "" if back is None else f"{restored(sources, back):.3f}",
        f"{len(set(texts)) / len(texts):.2f}",
        f"{(near == 0).mean():.3f}",
        f"{np.median(near):.0f}",
    ]
    if truth is not None:
        values = np.array([truth.get(text, math.nan) for text in texts])
        there = values[~np.isnan(values)]
        used = (there >= math.log10(30)).mean()
        cells += [f"{np.median(there):.2f}", f"{used:.3f}", f"{len(there) / len(values):.2f}"]
    return f"| {' | '.join(cells)} |"


def look(record: dict[str, float]) -> None:
    """Held-out figures as they come."""
    shown = {k.removeprefix("held_out_"): round(v, 3) for k, v in record.items() if "held_out" in k}
    print(f"{record['step']:.0f}", shown, flush=True)


def run(task: str, pair: Pair, args: argparse.Namespace, truth: dict[str, float] | None) -> None:
    """Train, judge, print the table."""
    rng = np.random.default_rng(1000 + args.seed)
    a, b = ([texts[i] for i in rng.permutation(len(texts))[:MOST]] for texts in pair)
    dna = get_alphabet("dna")
    started = time.process_time()
    fit_options = TranslateFitOptions(
        steps=args.steps, held_out=0.5, batch_size=args.batch_size, learning_rate=args.learning_rate
    )
    options = TranslateOptions(
        channels=args.channels, kernel=args.kernel,
        cycle=args.cycle, identity=args.identity, noise=args.noise, stay=args.stay,
    )  # fmt: skip
    arrays = encode(a, dna), encode(b, dna)
    result = train_sequence_translator(
        *arrays, options=options, fit_options=fit_options, seed=args.seed,
        fabric=make_fabric(fit_options, torch.device("cpu")),
        on_epoch=look if args.verbose else lambda record: None,
    )  # fmt: skip
    seconds = time.process_time() - started
    print(
        f"{task}, seed {args.seed}: {len(a)} and {len(b)} sequences, {args.steps} steps, {seconds:.0f} s CPU"
    )
    table(result, arrays, args.seed, task, truth)


def table(
    result: TranslateTraining, arrays: tuple, seed: int, task: str, truth: dict[str, float] | None
) -> None:
    """All methods, both directions."""
    model = result.trained.model
    train, teach, test = ([texts_of(x.take(part[i])) for i, x in enumerate(arrays)]
                          for part in (result.train, result.teach, result.test))  # fmt: skip
    judges: list[Score] = [Network(*teach, seed), Recogniser(*teach, LETTERS)]
    oracle = Network(*train, seed + 1)
    truth_head = " measured median | measured PSI >= 30% | of those measured |" if truth else ""
    print(f"| way | network | logistic | edits | given back | distinct | copies | to nearest |{truth_head}")
    print("|---|" + "---|" * (7 + 3 * bool(truth)))
    for source, side in ((0, "b"), (1, "a")):
        target, texts = 1 - source, test[source]
        chooser, rows = result.trained.record.chooser, arrays[source].take(result.test[source])
        there, back = round_trip(model, rows, side, chooser)
        edits = float(levenshtein_pairs(texts, there).mean())
        place = nearest(texts, train[target]).index
        few = texts[:100]

        def row(name: str, made: Sequence[str], of: Sequence[str], back: Sequence[str] | None = None) -> None:
            print(describe(name, made, of, judges, target, train[target], back, truth), flush=True)  # noqa: B023

        way = f"{'ab'[source]} to {side}"
        row(f"{way}: translator", there, texts, back)
        row(f"{way}: its most probable translations", *(round_trip(model, rows, side)[0], texts))
        row("real ones of the target", test[target], [])
        row("copying", texts, texts)
        row("nearest real one", [train[target][i] for i in place], texts)
        row("greedy search", greedy(few, oracle, 1 if target else -1, edits), few)
        if task == "tata" and side == "b":
            row("TATAAA at the best place", placed(texts), texts)
        moved = np.array(
            [[x != y for x, y in zip(s, t, strict=True)] for s, t in zip(texts, there, strict=True)]
        )
        print(f"share changed by position: {' '.join(f'{x:.2f}' for x in moved.mean(0))}")
        for old, new in list(zip(texts, there, strict=True))[:SHOWN]:
            print("".join(x.lower() if x == y else y for x, y in zip(old, new, strict=True)))


TASKS: dict[str, Callable[[Path], Pair]] = {"tata": tata, "lac": lac, "splice": splice}


def main() -> None:
    """One task, one seed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=[*TASKS])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=TranslateFitOptions().steps)
    parser.add_argument("--learning-rate", type=float, default=TranslateFitOptions().learning_rate)
    parser.add_argument("--batch-size", type=int, default=TranslateFitOptions().batch_size)
    parser.add_argument("--channels", type=int, default=TranslateOptions().channels)
    parser.add_argument("--kernel", type=int, default=TranslateOptions().kernel)
    for name in ("cycle", "identity", "noise", "stay"):
        parser.add_argument(f"--{name}", type=float, default=getattr(TranslateOptions(), name))
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    truth = psi(args.data) if args.task == "splice" else None
    run(args.task, TASKS[args.task](args.data), args, truth)


if __name__ == "__main__":
    main()
