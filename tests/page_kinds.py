"""Every kind of page that seqdesign writes: how each is made, for browser tests and for the gallery."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SITES = "rna_mpsa_5ss9"


@dataclass(frozen=True)
class Kind:
    """A page: its name, the command, and where it lands in the folder."""

    name: str
    words: tuple[str, ...]
    page: str


def kinds(*, small: bool) -> Iterator[Kind]:
    """All kinds, in the order in which they can be made from ``train.fa`` and ``input.fa``.

    small: with so little training that they take seconds; else as good as the demo's.
    """
    brief = {
        "predictor": ("--architecture", "ridge"),
        "vae": ("--epochs", "1"),
        "lm": ("--epochs", "1"),
        "gan": ("--steps", "4"),
        "similarity": ("--epochs", "1"),
        "translate": ("--steps", "4"),
        "maximize": ("--budget", "40", "--tries", "1"),
    }
    more = {
        "vae": ("--epochs", "18"),
        "lm": ("--epochs", "2"),
        "gan": ("--steps", "200"),
        "similarity": ("--epochs", "2"),
    }

    def options(of: str) -> tuple[str, ...]:
        return (brief if small else more).get(of, ())

    inputs = {"similarity": ("strong.fa",), "translate": ("weak.fa", "strong.fa")}
    for family in ("predictor", "vae", "lm", "gan", "similarity", "translate"):
        words = (f"train-{family}", *inputs.get(family, ("train.fa",)), *options(family), "-o", family)
        yield Kind(words[0], words, f"{family}/report.html")
    rules = ("--template", "NNNGYNNNN", "--max-homopolymer", "3", "--gc", "0.3-0.7")
    number = ("-n", "12" if small else "24")
    yield _with_page("maximize", "-m", "predictor", *number, *rules, *options("maximize"), "-o", "designs.fa")
    edits = ("--max-edits", "3")
    judged = ("-m", "vae", "--judge", "predictor")
    yield _with_page("revise", "input.fa", *judged, *edits, "-o", "revised.fa", "--table", "revised.csv")
    yield _with_page("evaluate", "designs.fa", "--train", "train.fa", "--predictor", "predictor")
    yield _with_page(
        "attribute", "revised.fa", "-m", "predictor", "--parents", "input.fa",
        "-o", "why.csv", "--edits", "edits.csv",
    )  # fmt: skip
    yield _with_page("motifs", "dataset:dna_crp_sites26", "--table", "hits.csv")
    rounds = ("round1.fa", "round2.fa", "--batch", "24", "-o", "round3.csv")
    yield _with_page("propose", *rounds)
    yield Kind("order", ("order", "round3.csv", "--barcode-length", "10", "-o", "order"), "order/report.html")
    paths = ("predictor", "vae", "designs.fa", "revised.fa")
    yield Kind("report", ("report", *paths, "-o", "report.html"), "report.html")


def _with_page(name: str, *words: str) -> Kind:
    return Kind(name, (name, *words, "--report", f"{name}.html"), f"{name}.html")


def write_inputs(folder: Path, *, train: int, revised: int) -> None:
    """``train.fa``, its halves, and two rounds with outcomes, ``input.fa`` without: measured splice sites."""
    import numpy as np

    from seqdesign.sequences.datasets import load_dataset

    records = load_dataset(SITES)
    outcomes = records.outcomes
    assert outcomes is not None
    order = np.random.default_rng(0).permutation(len(records))
    known = [f">{records.ids[i]} outcome={outcomes[i]:.6g}\n{records.sequences[i]}\n" for i in order[:train]]
    for i, some in enumerate((known[:100], known[100:148])):
        (folder / f"round{i + 1}.fa").write_text("".join(some))
    middle = np.median(outcomes[order[:train]])
    for name, stronger in (("weak", False), ("strong", True)):
        some = [text for text, i in zip(known, order, strict=False) if (outcomes[i] > middle) == stronger]
        (folder / f"{name}.fa").write_text("".join(some[:2000]))
    rest = [i for i in order[train:] if outcomes[i] < np.median(outcomes)][:revised]
    (folder / "train.fa").write_text("".join(known))
    (folder / "input.fa").write_text("".join(f">{records.ids[i]}\n{records.sequences[i]}\n" for i in rest))


def run(folder: Path, words: Sequence[str]) -> None:
    """A command in this process, in ``folder``, without a word."""
    from seqdesign_cli.main import main

    heard = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
        code = main([*words, "-q"])
    assert code == 0, (words, heard.getvalue()[-2000:])


def make_pages(folder: Path, *, small: bool) -> dict[str, Path]:
    """Name -> page of every kind, made in ``folder``."""
    write_inputs(folder, train=300 if small else 15_000, revised=20 if small else 60)
    found = {}
    for kind in kinds(small=small):
        run(folder, kind.words)
        found[kind.name] = folder / kind.page
    return found
