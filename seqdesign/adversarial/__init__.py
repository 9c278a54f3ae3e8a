"""What adversarial models have in common: objectives, critics, and the gradient through drawn letters."""
