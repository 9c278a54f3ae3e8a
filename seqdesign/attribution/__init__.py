"""Which letters and which edits a score comes from: methods as files of one kind, and Shapley values."""
