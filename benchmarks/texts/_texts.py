"""What benchmarks of sentences share: two steps on the command line, aligned lines of plays, tables."""

from __future__ import annotations

import argparse
import csv
import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch

import seqdesign as sd
from seqdesign.sequences.alphabets import learn_alphabet

Step = Callable[[argparse.Namespace], None]
AUTHORS: dict[str, Any] = {
    "select": "end",
    "optimizer": "original",
    "steps": 1000,
    "decode": "plain",
    "width": 1,
    "min_loglik_change": -1e6,
}
"""REVISE as its authors ran it: ascent of so many steps, the last code decoded greedily, no limit."""


def two_steps(
    text: str | None, prepare: Step, judge: Step, longest: int, options: dict[str, dict[str, Any]]
) -> None:
    """Do ``prepare TABLE --out FOLDER --longest WORDS`` or ``judge MODEL`` with ``options``."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    first, second = steps.add_parser("prepare"), steps.add_parser("judge")
    first.add_argument("table", type=Path)
    first.add_argument("--out", type=Path, required=True)
    first.add_argument("--longest", type=int, default=longest, help="words of a sentence")
    second.add_argument("model", type=Path)
    for name, option in options.items():
        second.add_argument(name, **option)
    args = parser.parse_args()
    torch.set_num_threads(1)
    (prepare if args.step == "prepare" else judge)(args)


def aligned_lines(table: Path, longest: int, *, differ: bool = False) -> list[tuple[str, str]]:
    """(modern, original) lines of 3 to ``longest`` words each, shuffled; no pair twice.

    differ: none whose sides are the same.
    """
    sides = [sd.read(table, sequence=side, words=True).sequences for side in ("modern", "original")]
    words = learn_alphabet("words", [*sides[0], *sides[1]])
    pairs = [
        pair
        for pair in dict.fromkeys(zip(*sides, strict=True))
        if all(3 <= len(words.tokenize(text)) <= longest for text in pair)
        and not (differ and pair[0] == pair[1])
    ]
    random.Random(1).shuffle(pairs)
    return pairs


def write(folder: Path, name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """``folder/name.csv``, and how many rows it has."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(rows)
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([head, *rows])
    print(f"{name}: {len(rows):,}")
