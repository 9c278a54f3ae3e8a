"""Splice sites designed through the latent space of a generator of them, so that they stay like real ones."""

from __future__ import annotations

from pathlib import Path

import seqdesign as sd

STEPS = 30
EPOCHS = 2
BUDGET = 40
FOLDER = Path("example-07")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    natural = sd.load_dataset("rna_human_5ss9_counts").sequences[:2000]
    known = sd.load_dataset("rna_mpsa_5ss9")
    assert known.outcomes is not None
    measured = dict(zip(known.sequences, known.outcomes.tolist(), strict=True))
    seen = [text for text in natural if text in measured]

    gan = sd.train_gan(natural, alphabet="rna", steps=STEPS)
    predictor = sd.train_predictor(
        seen, [measured[text] for text in seen], alphabet="rna", epochs=EPOCHS, patience=EPOCHS, members=3
    )
    designs = sd.maximize(
        predictor,
        generator=gan,
        rules=[sd.rules.template("NNNGUNNNN")],
        num=5,
        budget=BUDGET,
        include_known=True,  # here we want to look the designs up
    )

    for row in designs.to_frame().to_dict("records"):
        truth = measured.get(row["sequence"], float("nan"))
        said = f"predicted {row['predicted_outcome']:.2f}, critic {row['critic']}%"
        print(f"{row['sequence']}: {said}, measured {truth:.2f}")
    designs.write(FOLDER / "designs.fa")
    sd.write(gan.sample(20, seed=1), FOLDER / "samples.fa")


if __name__ == "__main__":
    main()
