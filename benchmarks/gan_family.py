"""A GAN of a protein family, judged by a profile HMM of its training members; one thread. Needs pyhmmer.

    python benchmarks/gan_family.py prot_ww_pfam_aligned.fa.gz [--steps N] [--model DIR]

Sequences without gaps are learned; the profile is built from the aligned training members. Said of samples,
of held-out members, and of what a Markov chain of order 2, shuffled members and position frequencies (of the
alignment, gaps then left out) make: the share that the profile finds with E < 0.001 among as many sequences,
the median bit score, and the AUC of the score against held-out members (.5: as well recognised as they are).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyhmmer
import torch
from gan import CPU, keep, report, sample

from seqdesign.metrics.nearest import nearest
from seqdesign.metrics.novelty import num_distinct
from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.fit import train_sequence_gan
from seqdesign.models.gan.fit_options import GANFitOptions
from seqdesign.models.gan.sampling import criticize, draw
from seqdesign.models.gan.store import TrainedGAN, load_gan
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import decode, encode
from seqdesign.sequences.reader import read_sequences
from seqdesign.training.loop import make_fabric
from seqdesign.training.splitting import hold_out

PROTEIN, NUM = get_alphabet("protein"), 1000
AMINO = pyhmmer.easel.Alphabet.amino()


def profile(rows: list[str]) -> pyhmmer.plan7.HMM:
    """Of aligned members."""
    texts = [
        pyhmmer.easel.TextSequence(name=str(i).encode(), sequence=row.replace(".", "-"))
        for i, row in enumerate(rows)
    ]
    alignment = pyhmmer.easel.TextMSA(name=b"family", sequences=texts).digitize(AMINO)
    return pyhmmer.plan7.Builder(AMINO).build_msa(alignment, pyhmmer.plan7.Background(AMINO))[0]


def scores(hmm: pyhmmer.plan7.HMM, texts: list[str]) -> tuple[np.ndarray, float]:
    """(bit scores (N,), -20 where there is none; share with E < 0.001)."""
    block = pyhmmer.easel.DigitalSequenceBlock(
        AMINO,
        [
            pyhmmer.easel.TextSequence(name=str(i).encode(), sequence=t).digitize(AMINO)
            for i, t in enumerate(texts)
        ],
    )
    found = np.full(len(texts), -20.0)
    good = 0
    for hits in pyhmmer.hmmsearch(hmm, block, cpus=1, E=1e6, Z=len(texts), F1=1.0, F2=1.0, F3=1.0):
        for hit in hits:
            name = hit.name if isinstance(hit.name, str) else hit.name.decode()
            found[int(name)] = hit.score
            good += hit.evalue < 1e-3
    return found, good / len(texts)


def markov(texts: list[str], num: int, rng: np.random.Generator, order: int = 2) -> list[str]:
    """A chain whose next letter, or end, is that after the same letters somewhere in the data."""
    after: dict[str, list[str]] = {}
    for text in texts:
        padded = "^" * order + text + "$"
        for i in range(order, len(padded)):
            after.setdefault(padded[i - order : i], []).append(padded[i])
    made = []
    for _ in range(num):
        text = "^" * order
        while not text.endswith("$"):
            choices = after[text[-order:]]
            text += choices[rng.integers(len(choices))]
        made.append(text[order:-1])
    return [t for t in made if t]


def convincing(trained: TrainedGAN) -> list[str]:
    """What ``sample-gan --reject 0.1`` leaves, but that the bound is that of these draws."""
    rng = torch.Generator().manual_seed(1)
    tokens = torch.cat([part for part, _ in draw(trained.generator, -(-NUM * 10 // 9), rng, end=trained.end)])
    scores = criticize(trained, tokens, None)
    return decode(tokens[scores >= torch.quantile(scores, 0.1)].numpy(), PROTEIN)[:NUM]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("input", type=Path)
    parser.add_argument("--steps", type=int, default=GANFitOptions().steps)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    aligned = [s.upper() for s in read_sequences(args.input, on_duplicate="keep").sequences]
    bare = [s.replace("-", "").replace(".", "") for s in aligned]
    first = {t: i for i, t in reversed(list(enumerate(bare))) if not set(t) - set(PROTEIN.letters)}
    aligned, bare = [aligned[i] for i in first.values()], list(first)
    tokens, fit = encode(bare, PROTEIN), GANFitOptions(steps=args.steps)
    train, held = hold_out(tokens, None, fit, args.seed)
    if args.model is not None and (args.model / "model.safetensors").exists():
        trained = load_gan(args.model, CPU)
    else:
        result = train_sequence_gan(
            tokens, None, options=GANOptions(), fit_options=fit, seed=args.seed,
            fabric=make_fabric(fit, CPU), on_epoch=report(),
        )  # fmt: skip
        trained = keep(result, args.model)
    rng = np.random.default_rng(args.seed)
    training, held_out = [bare[i] for i in train], [bare[i] for i in held]
    rows = [aligned[i] for i in train]
    hmm = profile(rows)
    columns = np.array([list(r) for r in rows])
    drawn = [columns[rng.integers(len(rows), size=NUM), j] for j in range(columns.shape[1])]
    sets = {
        "held-out members": held_out[:NUM],
        "GAN": sample(trained, NUM, 1),
        "GAN, --reject 0.1": convincing(trained),
        "Markov chain, order 2": markov(training, NUM, rng),
        "position frequencies": [
            "".join(r).replace("-", "").replace(".", "") for r in np.stack(drawn, axis=1)
        ],
        "shuffled members": ["".join(rng.permutation(list(t))) for t in held_out[:NUM]],
    }
    real = scores(hmm, sets["held-out members"])[0]
    print("| | E < .001 | median bits | AUC against held-out | repeats | nearest training, edits | letters |")
    print("|---|---|---|---|---|---|---|")
    for name, texts in sets.items():
        bits, share = scores(hmm, texts)
        auc = np.mean(real[:, None] > bits) + np.mean(real[:, None] == bits) / 2
        near = nearest(texts[:300], training).distance.mean()
        lengths = np.array([len(t) for t in texts])
        repeats = 1 - num_distinct(texts) / len(texts)
        cells = [
            name,
            f"{share:.3f}",
            f"{np.median(bits):.1f}",
            f"{auc:.3f}",
            f"{repeats:.2%}",
            f"{near:.1f}",
        ]
        print(f"| {' | '.join(cells)} | {lengths.mean():.1f} +- {lengths.std():.1f} |")


if __name__ == "__main__":
    main()
