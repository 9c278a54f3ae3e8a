"""seqdesign: learn from your own sequences and their measured outcomes, then design better ones.

Importing the package is cheap; import the verb you need from its module, such as
``seqdesign.sequences.fasta``.
"""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["__version__"]
