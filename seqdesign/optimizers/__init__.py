"""Optimizers: a ``DesignProblem``, options and a seed -> a ``DesignResult``. One file each; ``_`` files help."""
