"""Commands under "Bench": from the bench and back to it."""
