"""Degenerate libraries that hold wanted sequences, and scans of one sequence."""
