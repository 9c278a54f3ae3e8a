"""Design: from starts and a model to chosen designs or revisions, as records."""
