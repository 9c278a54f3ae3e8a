"""Unpaired translation between two sets of sequences: a CycleGAN (Zhu et al., ICCV 2017) of letters."""
