"""Goals of design: the file is the registration."""
