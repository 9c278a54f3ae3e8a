"""Likelihood models of sequences: letters from left to right, or in any order."""
