"""How many rows a step of ``train-vae`` should have: the VAE's own loss for equal CPU time.

    python benchmarks/generators/vae_batches.py splice lac promoters molecules [--seconds 40] [--sizes 32 128]

splice     measured 5' splice sites of nine letters and their log10 PSI
lac        lac promoters of 75 letters and their measured bins
promoters  core promoters of Drosophila of 100 letters, with a TATA box or without
molecules  SMILES of QM9, 5 to 21 tokens, no outcome

3,300 rows (molecules: 20,000), of which 300 (2,000) are held out; networks and weights are the defaults of
``train-vae``, learning rate and schedule too. Steps are as many as fit into the time, by ten of them that are
timed first, so that the cosine ends in all runs.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from pathlib import Path

import numpy as np
import torch

from seqdesign.models.vae.config import VAEOptions, adapt
from seqdesign.models.vae.model import SequenceVAE
from seqdesign.models.vae.quality import judge
from seqdesign.sequences.alphabets import Alphabet, get_alphabet, learn_alphabet
from seqdesign.sequences.encoders import Vocabulary, encode
from seqdesign.sequences.reader import SequenceSet, read_sequences
from seqdesign.training.data import TokenData
from seqdesign.training.plan import rate_factor

ROWS, MOLECULES = 3_300, 20_000
TIMED, PEAK = 10, 2e-3
TATA = re.compile("TATA[AT]A")
Rows = tuple[Alphabet, list[str], "np.ndarray | None"]


def rows(task: str, data: Path) -> Rows:
    """Alphabet, sequences, outcomes."""
    rng = random.Random(0)
    if task == "molecules":
        texts = sorted(read_sequences(data / "smiles_qm9_60k.csv.gz", sequence_column="smiles").sequences)
        texts = rng.sample(texts, MOLECULES)
        return learn_alphabet("smiles", texts), texts, None
    if task == "promoters":
        texts = sorted(set(read_sequences(data / "dna_dm3_core_promoter100.fa.gz").sequences))
        texts = rng.sample([t for t in texts if len(t) == 100 and not set(t) - set("ACGT")], ROWS)
        return get_alphabet("dna"), texts, np.array([float(TATA.search(t) is not None) for t in texts])
    name = {"splice": "rna_mpsa_5ss9", "lac": "dna_lac_sortseq75"}[task]
    found: SequenceSet = read_sequences(data / f"{name}.csv.gz")
    chosen = rng.sample(range(len(found)), ROWS)
    assert found.outcomes is not None
    alphabet = get_alphabet("rna" if task == "splice" else "dna")
    return alphabet, [found.sequences[i] for i in chosen], found.outcomes[chosen]


def learn(task: str, size: int, data: Path, seconds: float, seed: int, named: dict[str, str]) -> str:
    """One run, one row of the table."""
    alphabet, texts, outcomes = rows(task, data)
    tokens = encode(texts, alphabet)
    held_out = len(texts) // 11
    longest = int(tokens.lengths.max())
    options = adapt(
        VAEOptions(**named),  # type: ignore[arg-type]
        max_length=longest,
        fixed_length=int(tokens.lengths.min()) == longest,
        num_train=len(texts) - held_out,
    )
    whole = TokenData.of(tokens, outcomes)
    torch.manual_seed(seed)
    scale = {} if outcomes is None else {"outcome_mean": outcomes.mean(), "outcome_scale": outcomes.std()}
    model = SequenceVAE(options, Vocabulary(alphabet), longest, **scale)
    parameters = model.player_parameters("vae")
    optimizer = torch.optim.AdamW(parameters, lr=PEAK, weight_decay=0.01)
    rng = torch.Generator().manual_seed(seed + 1)
    first, steps, step = time.process_time(), TIMED, 0
    while step < steps:
        for group in optimizer.param_groups:
            group["lr"] = PEAK * rate_factor("cosine", step, max(steps, 1000))
        batch = whole.rows(held_out + torch.randint(len(texts) - held_out, (size,), generator=rng))
        optimizer.zero_grad()
        model.losses("vae", batch, rng, step / max(steps, 1000))["loss"].backward()
        torch.nn.utils.clip_grad_norm_(parameters, 5.0)
        optimizer.step()
        step += 1
        if step == TIMED == steps:
            steps = int(TIMED * seconds / (time.process_time() - first))
    spent = time.process_time() - first
    fresh = whole.rows(torch.arange(held_out))
    found = judge(model.eval(), TokenData(fresh.tokens, fresh.lengths, fresh.outcomes), rng)
    with torch.no_grad():
        losses = model.losses("vae", fresh, rng, 1.0)
    r2 = "" if found.outcome_r2 is None else f"{found.outcome_r2:.3f}"
    return (
        f"| {task} | {size} | {steps} | {steps * size / (len(texts) - held_out):.0f} | "
        f"{losses['loss']:.2f} | {losses['reconstruction']:.2f} | {found.token_accuracy:.3f} | {r2} | "
        f"{spent:.0f} |"
    )


def main() -> None:
    """One row for each task and size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tasks", nargs="+", choices=["splice", "lac", "promoters", "molecules"])
    parser.add_argument("--sizes", type=int, nargs="+", default=[32, 128])
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--networks", default="auto", help="encoder and decoder; auto: the usual ones")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    named = {} if args.networks == "auto" else {"encoder": args.networks, "decoder": args.networks}
    print(
        "| data | rows a step | steps | passes | held-out loss | nats, x given z | given back | R2 | CPU s |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for task in args.tasks:
        for size in args.sizes:
            print(learn(task, size, args.data, args.seconds, args.seed, named), flush=True)


if __name__ == "__main__":
    main()
