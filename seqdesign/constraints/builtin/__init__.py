"""Hard constraints: the file is the registration."""
