"""Train an ensemble on measured antibodies, mutate one of them within three edits, and look the truth up."""

from __future__ import annotations

from pathlib import Path

import seqdesign as sd

EPOCHS = 5
BUDGET = 100
FOLDER = Path("example-06")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    library = sd.load_dataset("prot_cr6261_121")
    assert library.outcomes is not None
    measured = dict(zip(library.sequences, library.outcomes.tolist(), strict=True))
    weak = min(measured, key=lambda sequence: measured[sequence])
    varied = [len(set(column)) > 1 for column in zip(*library.sequences, strict=True)]
    fixed = [i for i, free in enumerate(varied, start=1) if not free]

    model = sd.train_predictor(library, epochs=EPOCHS, patience=EPOCHS, members=3)
    designs = sd.maximize(
        model,
        start=[weak],
        rules=[sd.rules.keep(*fixed), sd.rules.max_edits(3)],
        num=5,
        budget=BUDGET,
        include_known=True,  # here we want to look the designs up; an order would leave known ones out
    )

    print(designs.text())
    print(f"start: measured {measured[weak]:.2f}")
    for row in designs.to_frame().to_dict("records"):
        truth = measured.get(row["sequence"])
        shown = "not measured" if truth is None else f"measured {truth:.2f}"
        print(f"{row['edit_list']}: predicted {row['predicted_outcome']:.2f}, {shown}")
    designs.write(FOLDER / "designs.fa")
    designs.report(FOLDER / "designs.html")


if __name__ == "__main__":
    main()
