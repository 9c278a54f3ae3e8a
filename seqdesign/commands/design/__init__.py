"""Commands that write new sequences."""
