"""Runs: files that are whole or absent, a run's folder with its manifest and lock, what a run returns."""
