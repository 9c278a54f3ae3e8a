"""The sequence VAE with outcome predictor of Mueller, Gifford and Jaakkola (ICML 2017)."""
