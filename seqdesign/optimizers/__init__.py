"""Optimizers: a ``DesignProblem``, a config and a generator -> a ``DesignResult``. One file each; ``_`` files help."""
