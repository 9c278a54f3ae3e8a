"""The ``seqdesign`` command line. It holds no logic: each command is a function of ``seqdesign.commands``."""
