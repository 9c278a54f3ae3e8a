"""seqdesign: learn from your own sequences and their measured outcomes, then design better ones.

    import seqdesign as sd

    data = sd.read("measured.csv")
    model = sd.train_predictor(data)
    found = sd.maximize(model, num=64, rules=[sd.rules.forbid("BsaI"), sd.rules.gc(0.4, 0.6)])
    found.write("designs.fa")

Importing the package is cheap: a name is imported when it is first used. The names below are the public face
and stay; modules below may move.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from seqdesign.version import __version__

_FACE = {
    "Alphabet": "seqdesign.sequences.alphabets",
    "SequenceSet": "seqdesign.sequences.reader",
    "attribute": "seqdesign.verbs.look",
    "back_translate": "seqdesign.verbs.bench",
    "check": "seqdesign.verbs.bench",
    "evaluate": "seqdesign.verbs.look",
    "find_motifs": "seqdesign.motifs.search",
    "library": "seqdesign.verbs.bench",
    "load": "seqdesign.verbs.models",
    "load_dataset": "seqdesign.sequences.datasets",
    "logo": "seqdesign.reports.logo_figure",
    "maximize": "seqdesign.verbs.design",
    "order": "seqdesign.verbs.bench",
    "predict": "seqdesign.verbs.models",
    "propose": "seqdesign.verbs.rounds",
    "read": "seqdesign.verbs.data",
    "report": "seqdesign.verbs.look",
    "revise": "seqdesign.verbs.design",
    "sample": "seqdesign.verbs.models",
    "select": "seqdesign.verbs.shortlist",
    "train_gan": "seqdesign.verbs.models",
    "train_lm": "seqdesign.verbs.models",
    "train_predictor": "seqdesign.verbs.models",
    "train_similarity": "seqdesign.verbs.similarity",
    "train_translate": "seqdesign.verbs.translation",
    "train_vae": "seqdesign.verbs.models",
    "write": "seqdesign.verbs.data",
}
"""Name -> module that defines it."""
_ROOMS = ("errors", "goals", "oracles", "rules", "testing")
"""Modules that are names of the face."""

if TYPE_CHECKING:
    from seqdesign import errors, goals, oracles, rules, testing
    from seqdesign.motifs.search import find_motifs
    from seqdesign.reports.logo_figure import logo
    from seqdesign.sequences.alphabets import Alphabet
    from seqdesign.sequences.datasets import load_dataset
    from seqdesign.sequences.reader import SequenceSet
    from seqdesign.verbs.bench import back_translate, check, library, order
    from seqdesign.verbs.data import read, write
    from seqdesign.verbs.design import maximize, revise
    from seqdesign.verbs.look import attribute, evaluate, report
    from seqdesign.verbs.models import load, predict, sample, train_gan, train_lm, train_predictor, train_vae
    from seqdesign.verbs.rounds import propose
    from seqdesign.verbs.shortlist import select
    from seqdesign.verbs.similarity import train_similarity
    from seqdesign.verbs.translation import train_translate

__all__ = [
    "Alphabet",
    "SequenceSet",
    "__version__",
    "attribute",
    "back_translate",
    "check",
    "errors",
    "evaluate",
    "find_motifs",
    "goals",
    "library",
    "load",
    "load_dataset",
    "logo",
    "maximize",
    "oracles",
    "order",
    "predict",
    "propose",
    "read",
    "report",
    "revise",
    "rules",
    "sample",
    "select",
    "testing",
    "train_gan",
    "train_lm",
    "train_predictor",
    "train_similarity",
    "train_translate",
    "train_vae",
    "write",
]


def __getattr__(name: str) -> Any:
    if name in _FACE:
        found = getattr(importlib.import_module(_FACE[name]), name)
    elif name in _ROOMS:
        found = importlib.import_module(f"seqdesign.{name}")
    else:
        raise AttributeError(f"module 'seqdesign' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
