"""Text that is safe to print on a terminal."""

from __future__ import annotations

from seqdesign.symbols import spelled_escapes


def printable(content: str) -> str:
    r"""Write control and other unprintable characters as escapes (``\x1b``), all else as it is.

    So an id from a file can neither move the cursor nor break a line. Letters with names are spelled out.
    """
    content = spelled_escapes(content)
    if content.isprintable():
        return content
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in content)


def printable_lines(content: str) -> str:
    """The same for a text of several lines, whose line ends stay."""
    return "\n".join(printable(line) for line in content.split("\n"))
