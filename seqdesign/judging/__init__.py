"""Judges of designs: models of other kinds than those that design, and how far they are believed."""
