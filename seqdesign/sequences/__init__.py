"""Sequences: alphabets, encoders, FASTA and table files, splits, bundled data.

Import from the modules (``from seqdesign.sequences.encoders import encode``); importing this package
loads neither numpy nor torch.
"""
