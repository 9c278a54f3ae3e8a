"""Modern lines into Shakespearean ones, learned from lines that are no pairs, judged by BLEU on pairs.

``prepare`` cuts the aligned lines of 3 to ``--longest`` words: 400 held-out pairs, and of the other rows the
modern line of one half and the original of the other half, so that no line meets its partner. ``judge``
translates the modern side of the pairs and prints corpus BLEU-4 against the original side, beside copying and
beside the word-for-word table of the most frequent changes that people know (you: thou, your: thy, ...).

    python benchmarks/generators/translate_text.py prepare text_shakespeare_modern.csv.gz --out kept
    seqdesign train-translate kept/modern.csv kept/original.csv --alphabet words:300 -o kept/model
    python benchmarks/generators/translate_text.py judge kept/model --pairs kept/pairs.csv
"""

from __future__ import annotations

import argparse
import csv
import math
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import seqdesign as sd
from seqdesign.sequences.alphabets import learn_alphabet

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
    sides = [sd.read(args.table, sequence=side, words=True).sequences for side in ("modern", "original")]
    alphabet = learn_alphabet("words", [*sides[0], *sides[1]])
    lines = [
        pair
        for pair in dict.fromkeys(zip(*sides, strict=True))
        if all(3 <= len(alphabet.tokenize(text)) <= args.longest for text in pair)
    ]
    random.Random(1).shuffle(lines)
    pairs, rest = lines[:PAIRS], lines[PAIRS:]
    half = len(rest) // 2
    used: set[str] = set()
    sets: dict[str, list[list[str]]] = {"modern": [], "original": []}
    for i, (name, part) in enumerate((("modern", rest[:half]), ("original", rest[half:]))):
        for pair in part:
            text = pair[i]
            if text.lower() not in used:
                used.add(text.lower())
                sets[name].append([text])
    args.out.mkdir(parents=True, exist_ok=True)
    tables: dict[str, tuple[list[str], list[Any]]] = {
        **{name: (["sequence"], rows) for name, rows in sets.items()},
        "pairs": (["sequence", "original"], pairs),
    }
    for name, (head, rows) in tables.items():
        with (args.out / f"{name}.csv").open("w", newline="", encoding="utf-8") as handle:
            csv.writer(handle).writerows([head, *rows])
        print(f"{name}: {len(rows):,}")


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


def main() -> None:
    """Prepare the tables, or judge a model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    steps = parser.add_subparsers(dest="step", required=True)
    first = steps.add_parser("prepare")
    first.add_argument("table", type=Path)
    first.add_argument("--out", type=Path, required=True)
    first.add_argument("--longest", type=int, default=8)
    second = steps.add_parser("judge")
    second.add_argument("model", type=Path)
    second.add_argument("--pairs", type=Path, required=True)
    args = parser.parse_args()
    prepare(args) if args.step == "prepare" else judge(args)


if __name__ == "__main__":
    main()
