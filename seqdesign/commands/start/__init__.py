"""Commands with which one starts: what is in a file, bundled data, the demonstration."""
