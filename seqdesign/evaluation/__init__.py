"""Evaluation: the measures of `seqdesign evaluate` and the health of generators."""
