"""The tasks; a file is one, and its name is what ``--task`` takes."""
