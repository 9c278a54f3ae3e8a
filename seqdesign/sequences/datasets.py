"""The bundled data sets as sequences in memory."""

from __future__ import annotations

from seqdesign.errors import UsageError
from seqdesign.sequences.bundled import dataset_info, file_of
from seqdesign.sequences.reader import SequenceSet, read_sequences


def load_dataset(name: str, *, file: str | None = None) -> SequenceSet:
    """The records of a bundled data set.

    Args:
        name: such as ``rna_mpsa_5ss9``; ``seqdesign datasets`` lists them.
        file: another file of its folder than the main one.

    Returns:
        N sequences, with ``outcomes`` (N,) where they were measured.

    Raises:
        UsageError: an unknown name, or a motif collection, which holds no sequences.
        InputError: a file that is not as it was shipped.

    Example:
        >>> load_dataset("dna_crp_sites26")
    """
    info = dataset_info(name)
    if info.kind != "sequences":
        raise UsageError(f"data set {name} holds {info.kind}, not sequences; its file is {info.path}")
    return read_sequences(
        file_of(info, file),
        weight_column=info.weight_column or None,
    )
