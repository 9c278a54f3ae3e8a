"""The options that most people need, which ``--help`` shows; ``--help-all`` shows the others, too."""

from __future__ import annotations

_READ = ("sequence", "outcome", "id_", "alphabet")
_FOLDER = ("output", "resume", "overwrite")

FIRST: dict[str, tuple[str, ...]] = {
    "train-vae": (*_READ, *_FOLDER, "on_unknown", "epochs"),
    "train-predictor": (*_READ, *_FOLDER, "on_unknown", "on_missing", "architecture", "split", "task"),
    "train-gan": (*_READ, *_FOLDER, "on_unknown", "steps", "objective", "condition"),
    "train-lm": (*_READ, *_FOLDER, "on_unknown", "epochs", "architecture", "condition"),
    "train-similarity": (
        "sequence",
        "id_",
        "alphabet",
        *_FOLDER,
        "on_unknown",
        "measure",
        "label",
        "pairs",
        "epochs",
    ),
    "sample": (
        *("output", "num", "condition", "length", "start", "template", "forbid", "gc", "max_homopolymer"),
        *("keep", "unique"),
    ),
    "sample-gan": (
        "output",
        "num",
        "model",
        "condition",
        "template",
        "forbid",
        "gc",
        "max_homopolymer",
        "unique",
    ),
    "revise": (
        *("output", "model", "table", "report", "max_edits", "keep", "minimize", "target", "top"),
        *("forbid", "gc", "max_homopolymer", "alpha", "sequence", "on_unknown"),
    ),
    "maximize": (
        *("output", "model", "table", "report", "num", "start", "length", "objective", "max_edits", "keep"),
        *("template", "forbid", "gc", "max_homopolymer", "translate", "oracle", "letters", "on_unknown"),
    ),
    "predict": ("output", "model", "outcome", "sequence", "on_unknown"),
    "evaluate": ("train", "heldout", "report", "table", "vae", "predictor", "on_unknown"),
    "attribute": ("output", "model", "report", "logo", "method", "parents", "edits", "outcome"),
    "motifs": ("motifs", "background", "parents", "denovo", "report", "table", "enriched", "strands"),
    "logo": ("output", "kind", "before", "after", "first_position", "title", "alphabet", "motif"),
    "propose": (
        *("output", "report", "batch", "candidates", "exclude", "minimize", "outcome", "sequence", "id_"),
        *("template", "forbid", "gc", "max_homopolymer", "on_missing", "replicates", "min_distance"),
    ),
    "check": (
        *("output", "table", "mend", "coding", "forbid", "gc", "gc_window", "max_homopolymer", "synthesis"),
        *("left", "right", "sequence", "id_"),
    ),
    "back-translate": (
        *("output", "table", "codons", "usage", "stop", "forbid", "gc", "gc_window", "max_homopolymer"),
        *("synthesis", "left", "right", "sequence", "id_"),
    ),
    "translate": (
        *("output", "table", "report", "to", "max_edits", "keep", "translate", "forbid", "gc"),
        *("max_homopolymer", "on_unknown"),
    ),
    "train-translate": ("sequence", "id_", "alphabet", *_FOLDER, "on_unknown", "steps", "stay"),
    "order": (
        *("output", "overwrite", "layout", "plate", "left", "right", "barcode_length", "primers", "avoid"),
        *("sequence", "id_"),
    ),
    "interpolate": ("output", "model", "steps", "num", "curve", "grid"),
}
"""Command -> fields of its config. A command that is not here shows all its options."""
