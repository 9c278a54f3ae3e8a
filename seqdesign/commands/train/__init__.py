"""Commands that learn a model from sequences."""
