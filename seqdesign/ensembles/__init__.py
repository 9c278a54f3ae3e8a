"""Ensembles that predict outcomes: networks and closed forms, side by side. A family trains and stores them."""
