"""Designs that are shorter or longer than their starts."""
