"""The public verbs: objects in, records out. ``import seqdesign as sd`` offers them as ``sd.train_vae`` and so on.

The options of a verb are fields of the option groups that the command line is made of, so that names, defaults,
ranges and help stand in one place.
"""
