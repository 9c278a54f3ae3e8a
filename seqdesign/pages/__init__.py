"""Pages: records or files become sections of a report."""
