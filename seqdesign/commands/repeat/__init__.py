"""Commands that repeat runs."""
