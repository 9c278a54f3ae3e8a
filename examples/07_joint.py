"""Splice sites designed through the latent space of a generator of them, and a path in that space."""

from __future__ import annotations

from pathlib import Path

from seqdesign.commands.interpolate import InterpolateConfig, interpolate
from seqdesign.commands.maximize import MaximizeConfig, maximize
from seqdesign.commands.train_gan import TrainGANConfig, train_gan
from seqdesign.commands.train_predictor import TrainPredictorConfig, train_predictor
from seqdesign.sequences.datasets import load_dataset
from seqdesign.sequences.fasta import Record, header_fields, read_fasta, write_fasta

STEPS = 30
EPOCHS = 2
BUDGET = 40
FOLDER = Path("example-07")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    common = load_dataset("rna_human_5ss9_counts").sequences[:2000]
    known = load_dataset("rna_mpsa_5ss9")
    assert known.outcomes is not None
    measured = dict(zip(known.sequences, known.outcomes.tolist(), strict=True))
    with open(FOLDER / "natural.fa", "wb") as handle:
        write_fasta((Record(f"site{i}", "", text) for i, text in enumerate(common)), handle)
    rows = [f"{text},{measured[text]}" for text in common if text in measured]
    (FOLDER / "measured.csv").write_text("\n".join(["sequence,outcome", *rows, ""]))

    gan, predictor = FOLDER / "gan", FOLDER / "predictor"
    train_gan(
        TrainGANConfig(
            sequences=FOLDER / "natural.fa", output=gan, alphabet="rna", steps=STEPS, overwrite=True,
            quiet=True,
        )
    )  # fmt: skip
    train_predictor(
        TrainPredictorConfig(
            sequences=FOLDER / "measured.csv", output=predictor, alphabet="rna", epochs=EPOCHS,
            patience=EPOCHS, members=3, overwrite=True, quiet=True,
        )
    )  # fmt: skip
    maximize(
        MaximizeConfig(
            model=predictor, generator=gan, template="NNNGUNNNN", num=5, budget=BUDGET,
            output=FOLDER / "designs.fa", quiet=True,
        )
    )  # fmt: skip
    for design in read_fasta(FOLDER / "designs.fa"):
        fields = header_fields(design.description)
        truth = measured.get(design.sequence, float("nan"))
        said = f"predicted {fields['outcome']}, critic {fields['critic']}%"
        print(f"{design.sequence}: {said}, measured {truth:.2f}")
    print(interpolate(InterpolateConfig(model=gan, steps=5, output=FOLDER / "path.fa", quiet=True)).text())


if __name__ == "__main__":
    main()
