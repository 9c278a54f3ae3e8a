"""Scanning for the JASPAR vertebrates on both strands beside lightmotif's scanner, one thread, p < 1e-4.

    python benchmarks/motifs/scan_speed.py [--sequences 20000] [--length 200] [--motifs 879]

lightmotif is needed beside seqdesign. Both get the same log-odds weights and the same threshold; reading,
building the index and striping count. Motifs too short to be that rare are left out. The numbers of hits are
printed; rounding of the weights moves them a little.
"""

from __future__ import annotations

import argparse
import time

import lightmotif
import numpy as np

from seqdesign.motifs.files import bundled_motifs
from seqdesign.motifs.pvalues import STEP
from seqdesign.motifs.scan import JoinedText, matcher, scan

P_VALUE = 1e-4


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (("sequences", 20_000), ("length", 200), ("motifs", 879)):
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    motifs = bundled_motifs().motifs
    background = np.full(4, 0.25)
    tokens = np.random.default_rng(0).integers(0, 4, (args.sequences, args.length), dtype=np.uint8)
    every = [matcher(motif, background, 0.1, P_VALUE) for motif in motifs]
    chosen = [i for i, ready in enumerate(every) if not ready.best_only][: args.motifs]
    motifs, matchers = [motifs[i] for i in chosen], [every[i] for i in chosen]

    begin = time.process_time()
    text = JoinedText.of(tokens, np.full(args.sequences, args.length), 4)
    ours = sum(len(hits) for hits in scan(text, motifs, matchers, both_strands=True))
    seconds = time.process_time() - begin

    joined = "N".join("".join("ACGT"[i] for i in row) for row in tokens.tolist())
    begin = time.process_time()
    striped = lightmotif.stripe(joined)
    theirs = 0
    for ready in matchers:
        for weights in (ready.weights, ready.weights[::-1, ::-1]):
            columns = dict(zip("ACGT", weights.T.tolist(), strict=True))
            columns["N"] = [-1000.0] * len(weights)
            pssm = lightmotif.ScoringMatrix(columns)
            threshold = ready.table.low + ready.threshold * STEP
            theirs += sum(1 for _ in lightmotif.scan(pssm, striped, threshold=threshold))
    other = time.process_time() - begin
    print(
        f"{args.sequences:,} sequences of {args.length}, {len(motifs)} motifs, both strands: "
        f"ours {seconds:.1f} s, {ours:,} hits; lightmotif {other:.1f} s, {theirs:,} hits; "
        f"ours / lightmotif {seconds / other:.2f}"
    )


if __name__ == "__main__":
    main()
