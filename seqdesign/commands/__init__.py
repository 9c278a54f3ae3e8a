"""A folder per heading of `seqdesign --help`, a module per command: from a config to a result."""
