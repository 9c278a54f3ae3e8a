"""Generative adversarial networks of sequences: Killoran et al. (2017), arXiv:1712.06148."""
