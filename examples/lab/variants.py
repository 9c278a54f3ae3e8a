"""Makes cr6261.fa, variants.csv and round2.csv from prot_cr6261_121: a wild type and two rounds.

All values are real. The first round is the wild type and 159 variants drawn at random; the second is 24 of
the variants that a model of the first one expects to bind best.
"""

import csv
from pathlib import Path

import numpy as np
import pandas as pd

import seqdesign as sd

FOLDER = Path(__file__).parent
data = sd.load_dataset("prot_cr6261_121")
table = pd.DataFrame({"sequence": data.sequences, "value": np.asarray(data.outcomes)})
wild = table.sequence[0]
table["mutant"] = [
    ":".join(f"{a}{i}{b}" for i, (a, b) in enumerate(zip(wild, text, strict=True), 1) if a != b)
    for text in table.sequence
]
(FOLDER / "cr6261.fa").write_text(f">CR6261\n{wild}\n")


def save(name: str, rows: pd.DataFrame) -> None:
    with (FOLDER / name).open("w", newline="") as handle:
        lines = csv.writer(handle, delimiter=";", lineterminator="\n")
        lines.writerow(["mutant", "minus log KD"])
        lines.writerows([row.mutant, f"{row.value:.2f}".replace(".", ",")] for row in rows.itertuples())


rng = np.random.default_rng(6)
first = table.iloc[[0, *rng.permutation(np.arange(1, len(table)))[:159]]]
save("variants.csv", first)
rest = table.drop(first.index)
batch = sd.propose(
    [sd.SequenceSet([f"v{i}" for i in range(160)], [*first.sequence], outcomes=first.value.to_numpy())],
    candidates=[*rest.sequence],
    batch=24,
)
save("round2.csv", rest[rest.sequence.isin(batch.sequences)])
