"""The main job from Python: train a VAE on measured sequences, revise others, read the revisions.

The functions are those behind ``seqdesign train-vae`` and ``seqdesign revise``; options are config fields.
The settings are tiny so that the script ends in seconds; leave ``epochs`` out for a model that is worth it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from seqdesign.commands.revise import ReviseConfig, revise_records
from seqdesign.commands.train_vae import TrainVAEConfig, train_vae
from seqdesign.sequences.datasets import load_dataset
from seqdesign.sequences.fasta import Record, format_fields, write_fasta

NUM_TRAIN, NUM_INPUTS, EPOCHS = 1000, 10, 10
FOLDER = Path("example-01")


def main() -> None:
    sites = load_dataset(
        "rna_mpsa_5ss9"
    )  # human 5' splice sites and log10 of their splicing activity in percent
    order = np.random.default_rng(0).permutation(len(sites))
    train, inputs = sites.take(order[:NUM_TRAIN]), sites.take(order[-NUM_INPUTS:])
    FOLDER.mkdir(exist_ok=True)
    assert train.outcomes is not None
    with open(FOLDER / "train.fa", "wb") as handle:
        labels = [format_fields({"outcome": float(y)}) for y in train.outcomes]
        write_fasta(map(Record, train.ids, labels, train.sequences), handle)
    with open(FOLDER / "input.fa", "wb") as handle:
        write_fasta((Record(i, "", s) for i, s in zip(inputs.ids, inputs.sequences, strict=True)), handle)

    fasta, model = FOLDER / "train.fa", FOLDER / "model"
    trained = train_vae(
        TrainVAEConfig(sequences=fasta, output=model, epochs=EPOCHS, overwrite=True, quiet=True)
    )
    print(trained.text())

    result, revisions = revise_records(
        ReviseConfig(
            input=FOLDER / "input.fa",
            model=model,
            output=FOLDER / "revised.fa",
            table=FOLDER / "revised.csv",
            max_edits=3,
            quiet=True,
        )
    )
    print(result.text())
    for r in revisions:
        print(f"{r.original} -> {r.revised}  {r.outcome_before:+.2f} -> {r.outcome:+.2f}  {r.edit_list}")


if __name__ == "__main__":
    main()
