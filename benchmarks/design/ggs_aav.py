"""A conservative climb on the AAV tasks of the GGS protocol (arXiv 2307.00494), by a judge of `maximize`.

    python benchmarks/design/ggs_aav.py --task hard --seeds 3 --data ../shared/data

128 designs from the given rows, which are all of low fitness; the CNN oracle of the protocol is asked for
the figures only. The Gaussian process over letters and pairs of positions learns 1,200 rows; the 128 best
measured rows are changed letter by letter, to letters seen at their place, and the 128 with the best lower
bound (mean less --doubts standard deviations) stay, for 24 rounds.

--begin consensus begins from the most common letters of the given rows instead, and --profile adds to the
bound how common the letters of a sequence are in the rows (log frequencies), which tells what these have been
selected for. Its weight is such that single edits of the consensus differ as much in one as in the other.

Printed are the median normalised oracle of the best measured rows and after every sixth round, and in
brackets the edits to the nearest training row. Nothing is chosen by the oracle.

--defaults runs `train-predictor` and `maximize -n 128` as they are instead, beside the most common letters.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import seqdesign as sd
from seqdesign.judging.processes import KINDS, GaussianProcess, Places, hyperparameters
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode
from seqdesign.sequences.reader import read_sequences

ORDER, TOP = "ARNDCQEGHILKMFPSTWYV", 19.5365
NUM, ROWS, TRIED, ROUNDS = 128, 1200, 20, 24


class Oracle:
    """Normalised fitness of texts: a convolution, two layers and the maximum over places."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as found:
            weights = [torch.from_numpy(found[name]).float() for name in found.files]
        shapes = {tuple(w.shape): w for w in weights}
        self.filters, self.hidden = next(w for w in weights if w.ndim == 3), shapes[(512, 256)]
        self.out, self.bias = shapes[(1, 512)], [shapes[(256,)], shapes[(512,)], shapes[(1,)]]

    def __call__(self, texts: list[str]) -> Tensor:
        codes = torch.tensor([[ORDER.index(letter) for letter in text] for text in texts])
        x = torch.nn.functional.one_hot(codes, 20).float().transpose(1, 2)
        x = torch.nn.functional.conv1d(x, self.filters, self.bias[0]).transpose(1, 2)
        top = torch.relu(x @ self.hidden.T + self.bias[1]).amax(1)
        return (top @ self.out.T + self.bias[2])[:, 0] / TOP


def neighbours(parents: Tensor, seen: Tensor, rng: np.random.Generator) -> Tensor:
    """``TRIED`` single substitutions of each parent (P, L), by letters seen (L, V) at their place."""
    places, letters = seen.nonzero().unbind(1)
    found = []
    for parent in parents:
        free = torch.from_numpy(rng.permutation(len(places))[: 2 * TRIED])
        free = free[parent[places[free]] != letters[free]][:TRIED]
        changed = parent.repeat(len(free), 1)
        changed[torch.arange(len(free)), places[free]] = letters[free]
        found.append(changed)
    return torch.cat(found)


def put(text: Tensor, place: int, letter: int) -> Tensor:
    """Text (L,) with another letter."""
    changed = text.clone()
    changed[place] = letter
    return changed


def climb(args: argparse.Namespace, seed: int) -> list[str]:
    """Figures of one run."""
    alphabet, rng = get_alphabet("protein"), np.random.default_rng(seed)
    records = read_sequences(args.data / f"prot_ggs_aav_{args.task}.csv.gz", outcome="outcome")
    assert records.outcomes is not None
    oracle = Oracle(args.data / "prot_ggs_aav_oracle.npz")
    tokens = torch.from_numpy(encode(records.sequences, alphabet).tokens.astype(np.int64))
    seen = torch.stack([(tokens == v).any(0) for v in range(alphabet.size)], 1)
    y = torch.from_numpy((records.outcomes - records.outcomes.mean()) / records.outcomes.std())[:, None]
    rows = torch.from_numpy(rng.permutation(len(tokens))[:ROWS])
    reader = Places(tokens, alphabet)
    x = reader(tokens[rows])
    judge = GaussianProcess(KINDS[0], hyperparameters(KINDS[0], reader, x, y[rows], seed), reader, x, y[rows])

    def common(found: Tensor) -> Tensor:
        return often[torch.arange(found.shape[1]), found].sum(1)

    often = torch.stack([(tokens == v).sum(0) + 1.0 for v in range(alphabet.size)], 1).log().double()
    edits = torch.stack([put(reader.common, i, v) for i, v in seen.nonzero().tolist()])
    weight = float(judge(reader(edits))[0].std() / common(edits).std()) if args.profile else 0.0

    def figure(designs: Tensor) -> str:
        texts = ["".join(alphabet.letters[i] for i in row) for row in designs.tolist()]
        near = [float((tokens != row).sum(1).min()) for row in designs]
        return f"{float(oracle(texts).median()):.3f} ({np.mean(near):.1f})"

    found = torch.unique(tokens[torch.argsort(-y[:, 0])[:NUM]], dim=0)
    if args.begin == "consensus":
        found = reader.common[None]
    shown = [figure(found)]
    for step in range(1, ROUNDS + 1):
        tried = torch.unique(torch.cat([found, neighbours(found, seen, rng)]), dim=0)
        mean, variance = judge(reader(tried))
        worth = (mean - args.doubts * variance.sqrt())[:, 0] + weight * common(tried)
        found = tried[torch.argsort(-worth)[:NUM]]
        if step % 6 == 0:
            shown.append(figure(found))
    return shown


def by_default(args: argparse.Namespace, seed: int) -> list[str]:
    """Figures of the designs of the two commands."""
    oracle = Oracle(args.data / "prot_ggs_aav_oracle.npz")
    source = args.data / f"prot_ggs_aav_{args.task}.csv.gz"
    model = sd.train_predictor(source, seed=seed)
    found = sd.maximize(model, num=NUM, seed=seed)
    texts = [one.sequence for one in found]
    columns = zip(*read_sequences(source, outcome="outcome").sequences, strict=True)
    common = "".join(max(sorted(set(column)), key=column.count) for column in columns)
    far = np.mean([sum(a != b for a, b in zip(text, common, strict=True)) for text in texts])
    return [
        f"designs {float(oracle(texts).median()):.3f}",
        f"most common letters {float(oracle([common])[0]):.3f} ({far:.1f} changes away)",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--task", choices=("medium", "hard"), default="hard")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--doubts", type=float, default=1.0, help="standard deviations below the mean")
    parser.add_argument("--begin", choices=("rows", "consensus"), default="rows")
    parser.add_argument("--profile", action="store_true", help="add how common the letters are in the rows")
    parser.add_argument("--defaults", action="store_true", help="the two commands as they are instead")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.defaults:
        for seed in range(args.seeds):
            print(f"{args.task} seed {seed}: {'  '.join(by_default(args, seed))}", flush=True)
        return
    for seed in range(args.seeds):
        with torch.no_grad():
            print(f"{args.task} seed {seed}: {'  '.join(climb(args, seed))}", flush=True)


if __name__ == "__main__":
    main()
