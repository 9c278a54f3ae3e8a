"""Hard constraints on designs: what may stand where, what must not occur. One file each; ``_`` files help."""
