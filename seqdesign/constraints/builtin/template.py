"""What may stand where, as an IUPAC string as long as a design: ``--template NNGAATTCNN``."""

from __future__ import annotations

from seqdesign.constraints.mask import MaskConstraint
from seqdesign.constraints.starts import Starts, classes
from seqdesign.errors import UsageError

OPTION = "--template"


def template(text: str, starts: Starts) -> MaskConstraint:
    """The letters that each character of ``text`` stands for. Raises UsageError."""
    starts.need_fixed_length(OPTION)
    if len(text) != starts.length:
        raise UsageError(
            f"must have one character for each of the {starts.length} letters of a design, got {len(text)}",
            option=OPTION,
        )
    allowed = classes(text, starts.alphabet, OPTION).to(starts.device).unsqueeze(0)
    shown = text if len(text) <= 40 else f"{text[:20]}...{text[-17:]}"
    return MaskConstraint(f"{OPTION} {shown}", allowed, lambda row, i: text[i])
