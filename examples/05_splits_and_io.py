"""Files in and out: read any format, encode, split three ways, write compressed FASTA, read it back."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import seqdesign as sd
from seqdesign.metrics.edits import levenshtein_matrix
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import decode, encode, one_hot
from seqdesign.sequences.splits import cluster_split, quantile_split, random_split

FOLDER = Path("example-05")
NUM_SEQUENCES = 400


def main() -> None:
    rng = np.random.default_rng(0)
    sites = sd.load_dataset("rna_mpsa_5ss9").take(range(NUM_SEQUENCES))
    assert sites.outcomes is not None

    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / "sites.fa.gz"  # the suffix decides: .gz, .bz2, .xz, .zst or plain
    sd.write(sites, path)
    again = sd.read(path)
    assert again.sequences == sites.sequences
    print(f"{len(again)} records through {path}, mean outcome {again.outcomes.mean():.3f}")

    array = encode(again.sequences, get_alphabet("rna"))
    print(f"tokens {array.tokens.shape}, one-hot {one_hot(array.tokens, array.alphabet).shape}")
    assert decode(array.tokens, array.alphabet) == again.sequences

    splits = {
        "random": random_split(len(again), [0.8, 0.2], rng),
        "quantile": quantile_split(again.outcomes, 0.8),
        "cluster": cluster_split(again.sequences, [0.8, 0.2], rng, identity=0.85, alphabet=array.alphabet),
    }
    for name, (train, held_out) in splits.items():
        near = levenshtein_matrix(again.take(held_out).sequences, again.take(train).sequences).min(axis=1)
        mean, sizes = again.outcomes[held_out].mean(), f"{len(train)} + {len(held_out)}"
        print(f"{name:>8}: {sizes}, held-out mean {mean:+.2f}, nearest {near.mean():.2f} edits")


if __name__ == "__main__":
    main()
