"""Designers: ``SequenceProblem``, options and a seed -> ``Designs``. One file each; ``_`` files help."""
