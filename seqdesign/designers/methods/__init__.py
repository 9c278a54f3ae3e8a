"""Designers: the file is the registration."""
