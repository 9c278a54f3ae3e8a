"""One module per command: a config goes in, a result comes out; files are read and written here."""
