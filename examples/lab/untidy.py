"""Makes promoters.xlsx: real promoters of dna_lac_sortseq75, as a laboratory would hand them over.

Real are the sequences and the mean values (all promoters with at least two reads, the first 1,152). The two
replicates, the effects of twelve plates, what failed, and the untidiness of the sheet are put in here.
"""

from pathlib import Path

import numpy as np
import openpyxl

import seqdesign as sd

data = sd.read("dataset:dna_lac_sortseq75", outcome=["outcome", "n_reads"])
reads, means = data.numbers("n_reads"), data.numbers("outcome")
chosen = np.flatnonzero(reads > 1)[:1152]
rng = np.random.default_rng(0)
book = openpyxl.Workbook()
notes, sheet = book.active, book.create_sheet("Plates 1-12")
notes.title = "Notes"
notes.append(["lac promoters, measured in May. Values are mean fluorescence bins."])
for row in (["lac promoters, plates 1 to 12"], ["A. Student, May 2026"], []):
    sheet.append(row)
sheet.append(["Clone ", "Promoter sequence", "Plate", "Well", "rep 1", "rep 2", "comment"])
offset, scale = rng.normal(0, 0.8, 12), rng.uniform(0.8, 1.25, 12)
for number, place in enumerate(rng.permutation(chosen)):
    plate, well = divmod(number, 96)
    values = offset[plate] + scale[plate] * (means[place] + rng.normal(0, 0.5, 2))
    cells = [f"{value:.2f}".replace(".", ",") for value in values]
    failed = rng.random(2) < 0.02
    cells = ["ND" if bad else cell for cell, bad in zip(cells, failed, strict=True)]
    space, comment = " " * (number % 17 == 0), "pale colony" if number % 41 == 7 else None
    row = [f"lac{number + 1:04d}{space}", f"{data.sequences[place]}{space}", f"P{plate + 1}"]
    sheet.append([*row, f"{'ABCDEFGH'[well // 12]}{well % 12 + 1}", *cells, comment])
sheet.append([])
book.save(Path(__file__).with_name("promoters.xlsx"))
