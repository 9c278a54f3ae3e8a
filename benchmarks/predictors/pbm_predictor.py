"""Extrapolation on protein-binding 8-mers: learn from the weaker ones, propose the best, look them up.

    python benchmarks/predictors/pbm_predictor.py --data FOLDER --quantile 0.4

For each protein, ``train-predictor``'s defaults learn from the 8-mers (one of each reverse-complement pair)
below a quantile of the measured E-score; all 8-mers are ranked by the ensemble's mean minus ``--risk``
standard deviations of its members; the mean measured E-score of the best 64 is printed. FOLDER holds
``dna_pbm8_PROTEIN.csv.gz`` with the columns sequence, revcomp and escore.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from seqdesign.commands.train.train_predictor import PredictorFitOptions
from seqdesign.ensembles.options import PredictorOptions
from seqdesign.models.predictor.fit import train_sequence_predictor
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.models.predictor.predictions import member_scores
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode
from seqdesign.sequences.reader import read_sequences
from seqdesign.training.loop import make_fabric

BEST = 64


def run(path: Path, quantile: float, risk: float, seed: int) -> tuple[float, float, str, float]:
    """(mean of the best 64 distinct 8-mers, of the best 64 pairs, strands, seconds)."""
    records = read_sequences(path, columns=["escore", "revcomp"])
    alphabet = get_alphabet("dna")
    escore = records.numbers("escore")
    first = np.array([a <= b for a, b in zip(records.sequences, records.columns["revcomp"], strict=True)])
    known = dict(zip(records.sequences, escore, strict=True))
    known |= dict(zip(records.columns["revcomp"], escore, strict=True))
    train = np.flatnonzero(first & (escore < np.quantile(escore[first], quantile)))
    values = escore[train][:, None]
    begin = time.process_time()
    result = train_sequence_predictor(
        encode([records.sequences[i] for i in train], alphabet),
        Outcomes(("escore",), "regression", values, np.ones(len(train))),
        options=PredictorOptions(),
        fit_options=PredictorFitOptions(),
        seed=seed,
        fabric=make_fabric(PredictorFitOptions(), torch.device("cpu")),
    )
    seconds = time.process_time() - begin
    every = sorted(known)
    tokens = encode(every, alphabet)
    scores = member_scores(result.trained.model, tokens.tokens, tokens.lengths)[:, :, 0]
    order = np.argsort(-(scores.mean(axis=0) - risk * scores.std(axis=0)), kind="stable")
    ranked = [every[i] for i in order]
    pairs = [s for s in ranked if s <= alphabet.reverse_complement(s)]
    plain, distinct = (float(np.mean([known[s] for s in group[:BEST]])) for group in (ranked, pairs))
    return plain, distinct, result.trained.record.strands, seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument("--proteins", nargs="+", default=["CRX", "EGR2", "GFI1B", "POU3F4"])
    parser.add_argument("--quantile", type=float, nargs="+", default=[0.9, 0.4])
    parser.add_argument("--risk", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.data is None:
        print("skipped: --data must name the folder of the protein-binding tables, which are not bundled")
        return
    torch.set_num_threads(1)
    print("| below | protein | strands | best 64 | best 64 pairs | seconds |\n|---|---|---|---|---|---|")
    for quantile in options.quantile:
        rows = []
        for protein in options.proteins:
            path = options.data / f"dna_pbm8_{protein}.csv.gz"
            plain, distinct, strands, seconds = run(path, quantile, options.risk, options.seed)
            rows.append((plain, distinct))
            print(
                f"| {quantile:g} | {protein} | {strands} | {plain:.3f} | {distinct:.3f} | {seconds:.0f} |",
                flush=True,
            )
        plain, distinct = np.mean(rows, axis=0)
        print(f"| {quantile:g} | mean | | {plain:.3f} | {distinct:.3f} | |", flush=True)


if __name__ == "__main__":
    main()
