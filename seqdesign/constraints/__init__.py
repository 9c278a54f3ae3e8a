"""Hard constraints on designs. One file each: ``NAME(text, starts)`` makes one; ``_`` files help."""
