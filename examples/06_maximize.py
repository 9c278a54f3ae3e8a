"""Train an ensemble on measured antibodies, mutate one of them within three edits, and look the truth up."""

from __future__ import annotations

from pathlib import Path

from seqdesign.commands.maximize import MaximizeConfig, maximize
from seqdesign.commands.train_predictor import TrainPredictorConfig, train_predictor
from seqdesign.sequences.datasets import load_dataset
from seqdesign.sequences.fasta import Record, header_fields, read_fasta, write_fasta

EPOCHS = 5
BUDGET = 100
FOLDER = Path("example-06")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    library = load_dataset("prot_cr6261_121")
    assert library.outcomes is not None
    measured = dict(zip(library.sequences, library.outcomes.tolist(), strict=True))
    weak = min(measured, key=lambda sequence: measured[sequence])
    varied = [len(set(column)) > 1 for column in zip(*library.sequences, strict=True)]
    keep = ",".join(str(i) for i, free in enumerate(varied, start=1) if not free)

    model = FOLDER / "model"
    trained = train_predictor(
        TrainPredictorConfig(
            sequences=Path("dataset:prot_cr6261_121"), output=model, epochs=EPOCHS, patience=EPOCHS,
            members=3, overwrite=True, quiet=True,
        )
    )  # fmt: skip
    print(trained.text())
    with open(FOLDER / "weak.fa", "wb") as handle:
        write_fasta([Record("weak", "", weak)], handle)
    maximize(
        MaximizeConfig(
            model=model, start=FOLDER / "weak.fa", keep=keep, max_edits=3, num=5, budget=BUDGET,
            output=FOLDER / "designs.fa", quiet=True,
        )
    )  # fmt: skip
    print(f"start: measured {measured[weak]:.2f}")
    for design in read_fasta(FOLDER / "designs.fa"):
        fields = header_fields(design.description)
        truth = measured.get(design.sequence)
        shown = "not measured" if truth is None else f"measured {truth:.2f}"
        print(f"{fields['edit_list']}: predicted {fields['outcome']}, {shown}")


if __name__ == "__main__":
    main()
