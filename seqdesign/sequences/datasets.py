"""The bundled data sets as sequences in memory."""

from __future__ import annotations

from seqdesign.errors import UsageError
from seqdesign.sequences.bundled import dataset_info, file_of
from seqdesign.sequences.reader import SequenceSet, read_sequences


def load_dataset(name: str, *, file: str | None = None) -> SequenceSet:
    """The records of a data set; ``file`` chooses another file of its folder than the main one.

    Raises as ``dataset_info``, and UsageError for a motif collection, which holds no sequences.
    """
    info = dataset_info(name)
    if info.kind != "sequences":
        raise UsageError(f"data set {name} holds {info.kind}, not sequences; its file is {info.path}")
    return read_sequences(
        file_of(info, file),
        weight_column=info.weight_column or None,
    )
