"""SVG building blocks shared by all figures: elements, numbers, the document, a standalone copy."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"

_VARIABLE = re.compile(r"var\(--[\w-]+,([^()]*)\)")


class Drawn(Markup):
    """A figure with the numbers that it shows: column -> values, as a click on the page saves them."""

    data: Mapping[str, Sequence[object]]

    def __new__(cls, text: str, data: Mapping[str, Sequence[object]] | None = None) -> Drawn:
        """The figure ``text`` with its ``data``."""
        made = super().__new__(cls, text)
        made.data = dict(data or {})
        return made


def number(value: float) -> str:
    """A coordinate with at most two decimals and no trailing zeros: 12.50 -> ``12.5``."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def tag(name: str, content: str = "", /, **attributes: str | float) -> Markup:
    """One SVG element. Underscores in attribute names become hyphens, a trailing one is dropped.

    ``content`` is escaped unless it is ``Markup``; attribute values always are.
    """
    parts = [name]
    for key, value in attributes.items():
        text = value if isinstance(value, str) else number(value)
        parts.append(f'{key.rstrip("_").replace("_", "-")}="{escape(text)}"')
    opening = " ".join(parts)
    return Markup(f"<{opening}>{escape(content)}</{name}>" if content else f"<{opening}/>")


def join(parts: list[Markup]) -> Markup:
    """Concatenate elements without separators."""
    return Markup("").join(parts)


def text(x: float, y: float, content: str, **attributes: str | float) -> Markup:
    """A text element with its baseline at (x, y)."""
    return tag("text", content or " ", x=x, y=y, **attributes)


def point(x: float, y: float, tip: str, *, radius: float = 3.0, **attributes: str | float) -> Markup:
    """A dot that says what it is where the pointer is."""
    return tag("circle", tag("title", tip), cx=x, cy=y, r=radius, **attributes)


def identifier(*parts: str) -> str:
    """An id that depends only on ``parts``: stable between runs, different for different figures."""
    return "sd" + hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:10]


def document(
    width: float,
    height: float,
    body: Markup,
    *,
    title: str,
    description: str,
    data: Mapping[str, Sequence[object]] | None = None,
) -> Drawn:
    """A complete ``<svg>`` with an accessible name and description; sizes in CSS pixels.

    data: the numbers behind it, column -> values.
    """
    key = identifier(title, description, str(body))
    names = tag("title", title, id=f"{key}-t") + tag("desc", description, id=f"{key}-d")
    # Small screens scroll a wide figure instead of shrinking it until nothing can be read; a small one fits.
    name = "sd-figure" + (" sd-wide" if width > 600 else " sd-small" if width < 400 else "")
    attributes = (
        f'xmlns="http://www.w3.org/2000/svg" class="{name}" role="img" '
        f'aria-labelledby="{key}-t {key}-d" width="{number(width)}" height="{number(height)}" '
        f'viewBox="0 0 {number(width)} {number(height)}" font-family="{escape(FONT)}" font-size="12"'
    )
    return Drawn(f"<svg {attributes}>{names}{body}</svg>", data)


def standalone(figure: Markup) -> str:
    """The figure as the content of an ``.svg`` file: light colours written out, white ground.

    On a page the colours are CSS variables that follow the reader's light or dark mode; many SVG
    programs do not know CSS variables, so a file of its own must not use them.
    """
    plain = _VARIABLE.sub(r"\1", str(figure))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + plain.replace(
        "<svg ", '<svg style="background:#ffffff" ', 1
    )
