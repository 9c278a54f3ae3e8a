"""Commands under the heading "Bench"."""
