"""The edits between an original sequence and its revision, as text and as HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape
from rapidfuzz.distance import Levenshtein

OperationKind = Literal["keep", "substitute", "insert", "delete"]

_EDIT = re.compile(r"(?:(ins|del)|(.))(-?\d+)(.)", re.DOTALL)


@dataclass(frozen=True)
class Operation:
    """A stretch of one kind of edit."""

    kind: OperationKind
    position: int
    """1-based in the original; of an insertion, the position that it stands in front of."""
    original: str
    """What stood there; empty for an insertion."""
    revised: str
    """What stands there now; empty for a deletion."""


def edit_operations(original: str, revised: str) -> tuple[Operation, ...]:
    """The fewest substitutions, insertions and deletions that turn ``original`` into ``revised``, in order.

    Of several shortest ways, the one without gaps is taken if there is one (the lengths are equal and the
    Hamming distance is the edit distance). Levenshtein (1966), by rapidfuzz.
    """
    if len(original) == len(revised):
        mismatches = sum(a != b for a, b in zip(original, revised, strict=True))
        if mismatches == Levenshtein.distance(original, revised):
            return _substitutions(original, revised)
    kinds: dict[str, OperationKind] = {
        "equal": "keep",
        "replace": "substitute",
        "insert": "insert",
        "delete": "delete",
    }
    return tuple(
        Operation(
            kinds[op.tag],
            op.src_start + 1,
            original[op.src_start : op.src_end],
            revised[op.dest_start : op.dest_end],
        )
        for op in Levenshtein.opcodes(original, revised)
    )


def _substitutions(original: str, revised: str) -> tuple[Operation, ...]:
    operations: list[Operation] = []
    start = 0
    for end in range(1, len(original) + 1):
        same = original[start] == revised[start]
        if end == len(original) or (original[end] == revised[end]) != same:
            kind: OperationKind = "keep" if same else "substitute"
            operations.append(Operation(kind, start + 1, original[start:end], revised[start:end]))
            start = end
    return tuple(operations)


def operations_of(revised: str, edits: Sequence[str], first: int = 1) -> tuple[Operation, ...]:
    """The operations that led to ``revised``, from edits as ``metrics.edits.edit_list`` writes them.

    ``first`` is the number of the first letter. What they had to start from is
    ``"".join(op.original for op in operations)``. Raises ValueError for edits
    that ``revised`` cannot have.
    """
    found: list[Operation] = []
    at, position = 0, first
    for text in edits:
        match = _EDIT.fullmatch(text)
        if match is None:
            raise ValueError(f"an edit must look like A5G, ins5G or del5A, got {text!r}")
        word, old, place, new = match[1] or "substitute", match[2] or "", int(match[3]), match[4]
        kept = revised[at : at + max(place - position, 0)]
        if len(kept) != place - position or (word != "del" and revised[at + len(kept) :][:1] != new):
            raise ValueError(f"{text} does not lead to the sequence {revised}")
        if kept:
            found.append(Operation("keep", position, kept, kept))
        at, position = at + len(kept), place
        if word == "del":
            found.append(Operation("delete", place, new, ""))
        else:
            found.append(Operation("insert" if word == "ins" else "substitute", place, old, new))
        at, position = at + (word != "del"), position + (word != "ins")
    if at < len(revised):
        found.append(Operation("keep", position, revised[at:], revised[at:]))
    return tuple(found)


def diff_html(original: str, revised: str) -> Markup:
    """The revised sequence in one line with its edits marked, for the ``sd-diff`` styles of a page.

    A substitution is bold and underlined with its edit (as ``A5G``) as tooltip, an insertion is an
    underlined ``<ins>``, a deletion a struck ``<del>``: each is told without colour, on paper too.
    """
    return _marked(edit_operations(original, revised))


def edits_html(revised: str, edits: Sequence[str], first: int = 1) -> Markup:
    """As ``diff_html``, from the edits instead of the original. Raises ValueError as ``operations_of``."""
    return _marked(operations_of(revised, edits, first))


def _marked(operations: Sequence[Operation]) -> Markup:
    parts = [Markup('<code class="sd-diff">')]
    for op in operations:
        if op.kind == "keep":
            parts.append(escape(op.original))
        elif op.kind == "substitute":
            for offset, (old, new) in enumerate(zip(op.original, op.revised, strict=True)):
                parts.append(Markup('<b title="{}{}{}">{}</b>').format(old, op.position + offset, new, new))
        elif op.kind == "insert":
            parts.append(Markup("<ins>{}</ins>").format(op.revised))
        else:
            parts.append(Markup("<del>{}</del>").format(op.original))
    return Markup("").join([*parts, Markup("</code>")])
