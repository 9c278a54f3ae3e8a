"""One self-contained HTML page: sections of text, figures and tables, and where everything came from."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from seqdesign.reports.data_table import data_table
from seqdesign.reports.palette import css_variables
from seqdesign.reports.tables import Column, Row, format_value, html_table
from seqdesign.runs.atomic import atomic_write
from seqdesign.runs.progress import phase

_CONTENTS_FROM = 4  # sections from which a list of contents helps


@dataclass(frozen=True)
class Figure:
    """A figure of this package with the sentence below it."""

    svg: Markup
    caption: str


@dataclass(frozen=True)
class Table:
    """Rows and the columns to show, with the sentence above them."""

    rows: Sequence[Row]
    columns: Sequence[Column | str]
    caption: str = ""
    name: str = ""
    """With a name the table can be sorted, filtered, copied and downloaded; files take it as theirs."""

    def html(self) -> Markup:
        """The table as it stands in a page."""
        if self.name:
            return data_table(self.rows, self.columns, caption=self.caption, name=self.name)
        return Markup('<div class="sd-scroll" tabindex="0" role="group" aria-label="{}">\n{}\n</div>').format(
            self.caption or "Table", html_table(self.rows, self.columns, caption=self.caption)
        )


@dataclass(frozen=True)
class _Section:
    heading: str
    level: int
    """2, or 3 inside a chapter."""
    paragraphs: tuple[str | Markup, ...]
    facts: Sequence[tuple[str, list[tuple[str, str]]]]
    figures: tuple[Figure, ...]
    tables: tuple[Markup, ...]


class Page:
    """A report: ``page.section(...)`` in order, then ``page.write(path)``.

    The file loads nothing and runs no script but that of its tables, if any can be sorted (its content
    security policy forbids the rest), follows the reader's light or dark mode, and prints. Everything but
    ``Markup`` is escaped.
    """

    def __init__(
        self, title: str, *, summary: str = "", provenance: Mapping[str, object] | None = None
    ) -> None:
        """``summary`` stands below the title, ``provenance`` at the foot of the page in its own order.

        ``provenance`` holds versions, command, seed, checksums of inputs; values may be mappings or lists.
        """
        self._title = title
        self._summary = summary
        self._provenance = dict(provenance or {})
        self._sections: list[_Section] = []
        self.warned: list[str] = []
        """The warnings so far, as they will stand on top."""
        self._interactive = False
        self._in_chapter = False

    def section(
        self,
        heading: str,
        text: str | Markup | Sequence[str | Markup] = "",
        figures: Sequence[Figure] = (),
        tables: Sequence[Table] = (),
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """Append a section: paragraphs (a string is split at blank lines), facts, figures, tables.

        ``facts`` are names with their values, which may be mappings or lists, as in the provenance.

        Raises TypeError for a figure that is not ``Markup``, since it would appear as source text.
        """
        for figure in figures:
            if not isinstance(figure.svg, Markup):
                raise TypeError(
                    f"a figure must be Markup as the chart functions return, got {type(figure.svg)}"
                )
        self._interactive |= any(table.name for table in tables)
        rendered = tuple(table.html() for table in tables)
        level = 3 if self._in_chapter else 2
        named = _named_values(facts or {})
        self._sections.append(_Section(heading, level, _paragraphs(text), named, tuple(figures), rendered))

    def add_provenance(self, values: Mapping[str, object]) -> None:
        """More lines for the foot of the page."""
        self._provenance |= values

    def chapter(
        self,
        heading: str,
        text: str | Markup | Sequence[str | Markup] = "",
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """Begin a chapter: the sections from here on are parts of it."""
        self._in_chapter = False
        self.section(heading, text, facts=facts)
        self._in_chapter = True

    def warnings(self, messages: Sequence[str], about: str = "") -> None:
        """What a reader must know first, ``about`` whatever is named; they stand on top of the page."""
        sentences = [f"{message[:1].upper()}{message[1:].rstrip('.')}." for message in messages]
        self.warned += [f"{about}: {text}" if about else text for text in sentences]

    def html(self) -> str:
        """The page as text."""
        folder = resources.files("seqdesign.reports") / "templates"
        environment = Environment(
            autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        template = environment.from_string((folder / "page.html").read_text(encoding="utf-8"))
        style = (folder / "page.css").read_text(encoding="utf-8")
        script = (folder / "page.js").read_text(encoding="utf-8") if self._interactive else ""
        for mode in ("light", "dark"):
            style = style.replace(f"/*{mode}*/", css_variables(dark=mode == "dark"))
        return template.render(
            title=self._title,
            summary=self._summary,
            warnings=self.warned,
            sections=self._sections,
            contents=len(self._sections) >= _CONTENTS_FROM,
            provenance=_named_values(self._provenance),
            # Our own files, not user text: quotes in CSS must stay quotes.
            style=Markup(style),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )

    @phase("writing the page")
    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the page to ``path`` at once or not at all; OutputError if that fails."""
        content = self.html().encode("utf-8", "backslashreplace")
        with atomic_write(path) as handle:
            handle.write(content)


def _paragraphs(text: str | Markup | Sequence[str | Markup]) -> tuple[str | Markup, ...]:
    if isinstance(text, Markup):
        return (text,)
    if isinstance(text, str):
        return tuple(part.strip() for part in text.split("\n\n") if part.strip())
    return tuple(text)


def _named_values(values: Mapping[str, object]) -> list[tuple[str, list[tuple[str, str]]]]:
    """[(name, [(subname or "", value)])], one level deep; deeper values are written as they are."""
    rows = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            items = [(str(k), format_value(v)) for k, v in value.items()]
        elif isinstance(value, list | tuple):
            items = [("", format_value(v)) for v in value]
        else:
            items = [("", format_value(value))]
        rows.append((str(name), items))
    return rows
