"""Figures, tables and pages: data in, a string or one file out. Nothing here imports torch.

``logo`` draws sequence logos, ``plots`` the other charts, ``diff`` the edits between two sequences,
``tables`` turns rows into text or HTML, and ``html`` puts them on one self-contained page.
Whatever is safe to place in HTML as it is has the type ``markupsafe.Markup``; plain strings are escaped.
"""
