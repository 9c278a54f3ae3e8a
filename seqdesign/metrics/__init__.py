"""Pure functions from numbers to numbers: divergences, likelihoods, accuracies, edits."""
