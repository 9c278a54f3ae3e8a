"""Readers of motif and matrix files, one for each family of formats; ``recognise`` tells them apart."""
