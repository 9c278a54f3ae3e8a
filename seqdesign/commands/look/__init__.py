"""Commands that look at sequences, models and designs."""
