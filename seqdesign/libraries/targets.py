"""Aligned targets of a library."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from seqdesign.sequences.reader import SequenceSet, read_sequences


def read_targets(path: str | os.PathLike[str], **options: Any) -> SequenceSet:
    """Targets with gaps as they are, in capitals. ``options`` are those of ``read_sequences``. InputError."""
    records = read_sequences(path, outcomes=False, **options)
    return replace(records, sequences=[text.upper().replace(".", "-") for text in records.sequences])
