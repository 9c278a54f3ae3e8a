"""Revisers by name: the file is the registration."""
