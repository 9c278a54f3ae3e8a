"""Ensembles that predict outcomes: networks and closed forms side by side. Families train and store them."""
