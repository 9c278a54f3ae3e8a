"""Which predictor reads insertions and deletions? Learned from the substitutions and a fifth of the indels.

    python benchmarks/predictors/indels.py prot_aav2_indels451_600.csv.gz [--seeds 3]

Judged by the rank correlation with what was measured of the other indels. Beside the kinds of
`train-predictor` stand ridge regression on one-hot letters by alignment (substituted, inserted and deleted
letters by their places, penalty chosen on a part of the training rows), the same with a column for any change
at each place, and ridge regression on words of up to three letters. That windows and shared columns are worth
having was seen on these three seeds; nothing else was tuned on them.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

import seqdesign as sd
from seqdesign.ensembles.aligned import align, common_parent, mismatches
from seqdesign.ensembles.features import word_counts, word_shapes
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode, one_hot

FloatArray = NDArray[np.float64]
STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)


def main() -> None:
    """Print a line for each way and seed, and the means."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kinds", nargs="*", default=["auto", "ridge", "words", "aligned"])
    options = parser.parse_args()
    table = pd.read_csv(options.data)
    texts, y = table["sequence"].tolist(), table["outcome"].to_numpy(dtype=np.float64)
    indel = np.flatnonzero(table["type"] != "sub")
    features = features_of(texts)
    found: dict[str, list[float]] = {}
    for seed in range(options.seeds):
        order = np.random.default_rng(seed).permutation(indel)
        test = np.sort(order[len(order) // 5 :])
        train = np.setdiff1d(np.arange(len(y)), test)
        ways = {name: ridge(x, y, train, test) for name, x in features.items()}
        for kind in options.kinds:
            begin = time.process_time()
            model = sd.train_predictor(
                [texts[i] for i in train],
                y[train],
                architecture=kind,
                held_out=0.02,
                seed=seed,
                device="cpu",
            )
            ways[kind] = model.predict([texts[i] for i in test])["mean"].to_numpy()
            rho, chosen = spearmanr(ways[kind], y[test])[0], model.trained.record.options.architecture
            seconds = time.process_time() - begin
            print(f"seed {seed} {kind}: {rho:.3f}, {chosen}, {seconds:.0f} CPU s", flush=True)
        for name, predicted in ways.items():
            found.setdefault(name, []).append(float(spearmanr(predicted, y[test])[0]))
    for name, rho in found.items():
        print(f"{name}: {' '.join(f'{x:.3f}' for x in rho)}, mean {np.mean(rho):.3f}")


def features_of(texts: list[str]) -> dict[str, FloatArray]:
    """What the rivals read, (N, I) each."""
    alphabet = get_alphabet("protein")
    array = encode(texts, alphabet)
    parent = common_parent(array)
    assert parent is not None
    tokens = torch.from_numpy(array.tokens.astype(np.int64))
    lengths = torch.from_numpy(array.lengths.astype(np.int64))
    place = align(tokens, lengths, mismatches(parent, alphabet.size)).numpy()
    width, size = len(parent), alphabet.size
    letters = np.zeros((len(texts), 2 * width + 1, size))
    row, at = np.nonzero(place >= 0)
    np.add.at(letters, (row, place[row, at], array.tokens[row, at]), 1.0)
    lost = 1 - letters[:, :width].sum(2)
    one = np.concatenate([letters.reshape(len(texts), -1), lost], 1)
    changed = letters[:, :width].copy()
    changed[:, np.arange(width), parent.numpy()] = 0
    change = changed.sum(2) + lost + letters[:, width : 2 * width].sum(2)
    shapes = (*(shape for shape in word_shapes(size, 3) if len(shape) < 3), (0, 1, 2))
    words = [word_counts(one_hot(part, alphabet), shapes).numpy() for part in tokens.split(256)]
    return {
        "one-hot by alignment": one,
        "the same, and any change at a place": np.concatenate([one, change], 1),
        "words of three": np.concatenate(words).astype(np.float64),
    }


def ridge(x: FloatArray, y: FloatArray, train: NDArray[np.int64], test: NDArray[np.int64]) -> FloatArray:
    """Predictions of the test rows; the penalty is chosen on a fifth of the training rows."""
    x = x[:, x[train].std(0) > 0]
    x = x - x[train].mean(0)
    gram = x @ x[train].T
    own = np.random.default_rng(0).permutation(len(train))
    few, most = own[: len(own) // 5], own[len(own) // 5 :]

    def fitted(taught: NDArray[np.int64], rows: NDArray[np.int64], strength: float) -> FloatArray:
        mean = y[train[taught]].mean()
        kernel = gram[train[taught]][:, taught] + strength * np.eye(len(taught))
        return np.asarray(mean + gram[rows][:, taught] @ np.linalg.solve(kernel, y[train[taught]] - mean))

    errors = [((fitted(most, train[few], s) - y[train[few]]) ** 2).mean() for s in STRENGTHS]
    return fitted(np.arange(len(train)), test, STRENGTHS[int(np.argmin(errors))])


if __name__ == "__main__":
    main()
