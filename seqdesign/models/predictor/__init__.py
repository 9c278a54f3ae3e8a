"""Ensembles of networks that predict measured outcomes from sequences."""
