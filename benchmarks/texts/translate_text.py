"""Modern lines into Shakespearean ones, learned from lines that are no pairs, judged by BLEU on pairs.

``prepare`` cuts the aligned lines of 3 to ``--longest`` words: 400 held-out pairs, and of the other rows the
modern line of one half and the original of the other half, so that no line meets its partner. ``judge``
translates the modern side of the pairs and prints corpus BLEU-4 against the original side, beside copying and
beside the word-for-word table of the most frequent changes that people know (you: thou, your: thy, ...).

    python benchmarks/texts/translate_text.py prepare text_shakespeare_modern.csv.gz --out kept
    seqdesign train-translate kept/modern.csv kept/original.csv --alphabet words:300 -o kept/model
    python benchmarks/texts/translate_text.py judge kept/model --pairs kept/pairs.csv
"""

from __future__ import annotations

import argparse
import csv
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _texts import aligned_lines, two_steps, write

import seqdesign as sd

PAIRS, SHOWN = 400, 8
KNOWN = {
    "you": "thou", "your": "thy", "yours": "thine", "are": "art", "have": "hast", "will": "shall",
    "does": "doth", "has": "hath",
}  # fmt: skip


def bleu(made: Sequence[Sequence[str]], wanted: Sequence[Sequence[str]]) -> float:
    """Corpus BLEU-4 in percent (Papineni et al. 2002)."""
    found, all_ = [0] * 4, [0] * 4
    for one, other in zip(made, wanted, strict=True):
        for n in range(4):
            first, second = (
                Counter(tuple(words[i : i + n + 1]) for i in range(len(words) - n)) for words in (one, other)
            )
            found[n] += sum((first & second).values())
            all_[n] += sum(first.values())
    precision = sum(math.log(max(f, 1e-9) / max(a, 1)) for f, a in zip(found, all_, strict=True)) / 4
    lengths = [sum(map(len, side)) for side in (made, wanted)]
    return 100 * math.exp(precision + min(0.0, 1 - lengths[1] / lengths[0]))


def prepare(args: argparse.Namespace) -> None:
    """Write modern.csv, original.csv and pairs.csv."""
    lines = aligned_lines(args.table, args.longest)
    pairs, rest = lines[:PAIRS], lines[PAIRS:]
    half = len(rest) // 2
    used: set[str] = set()
    for side, (name, part) in enumerate((("modern", rest[:half]), ("original", rest[half:]))):
        rows: list[list[str]] = []
        for pair in part:
            if pair[side].lower() not in used:
                used.add(pair[side].lower())
                rows.append([pair[side]])
        write(args.out, name, ["sequence"], rows)
    write(args.out, "pairs", ["sequence", "original"], pairs)


def judge(args: argparse.Namespace) -> None:
    """BLEU of the translations, of copies, and of a table of words."""
    model: Any = sd.load(args.model)
    split = model.alphabet.tokenize
    with args.pairs.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    sources, wanted = ([split(row[key]) for row in rows] for key in ("sequence", "original"))
    table = model.translate(sources)
    by_table = [
        "".join(split(KNOWN.get(model.alphabet.text(w), model.alphabet.text(w))) for w in s) for s in sources
    ]
    ways = {"copying": sources, "translator": list(table.translation), "table of 8 words": by_table}
    for name, made in ways.items():
        changed = sum(x != y for x, y in zip(made, sources, strict=True)) / len(made)
        print(f"{name}: BLEU {bleu(made, wanted):.2f}, {changed:.2f} of the lines changed")
    print(f"edits {table.edits.mean():.2f}, given back {table.returned.mean():.3f}")
    shown = [i for i, edits in enumerate(table.edits) if edits][:SHOWN]
    for i in shown:
        print(" | ".join(model.alphabet.text(text) for text in (sources[i], table.translation[i], wanted[i])))


if __name__ == "__main__":
    two_steps(__doc__, prepare, judge, 8, {"--pairs": {"type": Path, "required": True}})
