"""Motifs: files, p-values, scans, enrichment, comparison and discovery. Everything is numpy on one core."""
