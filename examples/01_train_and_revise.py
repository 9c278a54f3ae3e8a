"""The main job: train a VAE on measured sequences, revise others by a few letters, read the revisions.

The settings are tiny so that the script ends in seconds; leave ``epochs`` out for a model that is worth it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import seqdesign as sd

NUM_TRAIN, NUM_INPUTS, EPOCHS = 1000, 10, 10
FOLDER = Path("example-01")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    sites = sd.load_dataset("rna_mpsa_5ss9")  # human 5' splice sites, log10 of their activity in percent
    order = np.random.default_rng(0).permutation(len(sites))

    vae = sd.train_vae(sites.take(order[:NUM_TRAIN]), epochs=EPOCHS)
    vae.save(FOLDER / "model")  # for `seqdesign revise --model`, or sd.load
    better = sd.revise(vae, sites.take(order[-NUM_INPUTS:]), max_edits=3)

    print(better.text())
    for r in better:
        print(f"{r.original} -> {r.revised}  {r.outcome_before:+.2f} -> {r.outcome:+.2f}  {r.edit_list}")
    better.write(FOLDER / "revised.fa")
    better.write(FOLDER / "revised.csv")
    better.report(FOLDER / "revised.html")


if __name__ == "__main__":
    main()
