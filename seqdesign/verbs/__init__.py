"""The public verbs: objects in, records out. ``import seqdesign as sd`` offers them, as ``sd.train_vae``.

The options of a verb are fields of the option groups of the command line, so that names, defaults, ranges and
help stand in one place.
"""
