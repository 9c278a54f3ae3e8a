"""Colours of all figures, for light and dark pages and for colour-blind readers.

Every colour has a light and a dark value. Figures name a colour by its CSS variable with the light value
as fallback, so the same SVG follows the page's mode and still stands alone. Tests hold the values to a
contrast of 3 : 1 against the page and to distinguishability under simulated colour-vision deficiency.
"""

from __future__ import annotations

COLOURS: dict[str, tuple[str, str]] = {
    "paper": ("#ffffff", "#14171b"),
    "panel": ("#f4f6f8", "#1d2127"),
    "ink": ("#1b1f24", "#e6e8eb"),
    "muted": ("#59636e", "#9aa4af"),
    "grid": ("#dfe3e8", "#333a43"),
    "blue": ("#0c4c94", "#3d84f0"),
    "vermillion": ("#a83210", "#d06038"),
    "green": ("#109c68", "#2ac692"),
    "amber": ("#ba8c1c", "#e0be5a"),
    "purple": ("#c04fc0", "#c76bc0"),
}

SERIES: tuple[str, ...] = ("blue", "vermillion", "green", "purple", "amber", "ink")
"""Colour names of data series, in order of use."""

DASHES: tuple[str, ...] = ("", "7 3", "2 2.5", "9 3 2 3", "4 2", "12 4")
"""Dash patterns that tell the same series apart without colour."""

NUCLEOTIDES: dict[str, str] = {"A": "green", "C": "blue", "G": "amber", "T": "vermillion", "U": "vermillion"}

AMINO_ACIDS: dict[str, str] = {
    **dict.fromkeys("DE", "vermillion"),  # acidic
    **dict.fromkeys("KRH", "blue"),  # basic
    **dict.fromkeys("STNQ", "green"),  # polar
    **dict.fromkeys("FWY", "purple"),  # aromatic
    **dict.fromkeys("GPC", "amber"),  # special backbone or disulphide
    **dict.fromkeys("AVLIM", "ink"),  # aliphatic
}


def colour(name: str) -> str:
    """The colour ``name`` as an SVG attribute value that follows the page's mode."""
    return f"var(--sd-{name},{COLOURS[name][0]})"


def css_variables(*, dark: bool) -> str:
    """All colours as CSS custom properties, for the body of a ``:root`` rule."""
    return "".join(f"--sd-{name}:{values[dark]};" for name, values in COLOURS.items())


def series_colour(index: int) -> str:
    """Colour of the data series ``index`` (0-based); repeats after the last."""
    return colour(SERIES[index % len(SERIES)])


def series_dash(index: int) -> str:
    """Dash pattern of the data series ``index``; empty for a solid line."""
    return DASHES[index % len(DASHES)]


def letter_colours(letters: str) -> dict[str, str]:
    """A colour name for every letter: by base, by chemistry of the side chain, or in order of the letters.

    The scheme is that of nucleotides if the letters are A, C, G, T, U; that of amino acids if they are
    amino acids; any other alphabet takes the series colours in turn. ``N``, ``X``, ``-``, ``.`` and ``*``
    do not decide the scheme and are grey.
    """
    neutral = {letter for letter in letters if letter in "NX-.*"}
    proper = set(letters) - neutral
    for scheme in (NUCLEOTIDES, AMINO_ACIDS):
        if proper <= set(scheme):
            # Asparagine is N too: grey only where the scheme does not know the letter.
            return {letter: scheme.get(letter, "muted") for letter in letters}
    return {letter: SERIES[i % len(SERIES)] for i, letter in enumerate(letters)}
