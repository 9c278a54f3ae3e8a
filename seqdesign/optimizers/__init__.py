"""Optimizers: ``DesignProblem``, options and a seed -> ``DesignResult``. One file each; ``_`` files help."""
