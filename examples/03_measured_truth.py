"""A measured landscape as an oracle: look designs up, and find the best that an edit budget permits.

Almost every 5' splice site NNN-GU/GC-NNNN was measured, so a design rule can be judged by measurements. The
rule here is the textbook one: move each site towards the consensus CAGGUAAGU.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

import seqdesign as sd
from seqdesign.oracles.table import TableOracle

CONSENSUS = "CAGGUAAGU"
NUM_STARTS, MAX_EDITS = 200, 3


def towards_consensus(site: str, edits: int) -> str:
    """``site`` with its first ``edits`` differences from the consensus put right."""
    wrong = [i for i, (a, b) in enumerate(zip(site, CONSENSUS, strict=True)) if a != b][:edits]
    return "".join(CONSENSUS[i] if i in wrong else letter for i, letter in enumerate(site))


def main() -> None:
    sites = sd.load_dataset("rna_mpsa_5ss9")
    assert sites.outcomes is not None
    oracle = TableOracle(sites.sequences, sites.outcomes)
    low = np.flatnonzero(sites.outcomes < np.median(sites.outcomes))
    starts = sites.take(np.random.default_rng(0).choice(low, NUM_STARTS, replace=False))
    before = oracle(starts.sequences)
    unit = float(sites.outcomes.std())

    rows = []
    for edits in range(1, MAX_EDITS + 1):
        found = oracle([towards_consensus(site, edits) for site in starts.sequences])  # NaN: not measured
        _, possible, *_ = oracle.best_within(starts.sequences, edits)
        rows.append(
            {
                "edits": edits,
                "gain of consensus": float(np.nanmean(found - before)) / unit,
                "best possible": float(np.nanmean(possible - before)) / unit,
                "measured": f"{np.mean(~np.isnan(found)):.0%}",
            }
        )
    print("Mean measured gain, in standard deviations of all measurements")
    print(pd.DataFrame(rows).round(2).to_string(index=False))
    print(f"{oracle.num_queries:,} look-ups in {len(oracle):,} measured sites")


if __name__ == "__main__":
    main()
