"""The one training loop, its checkpoints, and what is measured of a trained model."""
