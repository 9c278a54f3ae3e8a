"""Revisers: from latent codes of originals to better sequences."""
