"""One self-contained HTML page: sections of text, figures and tables, and where everything came from."""

from __future__ import annotations

import base64
import csv
import dataclasses
import hashlib
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from seqdesign.reports.answer import Answer
from seqdesign.reports.data_table import data_table, packed
from seqdesign.reports.palette import css_variables
from seqdesign.reports.svg import Drawn
from seqdesign.reports.tables import Column, Row, format_value, html_table
from seqdesign.runs.atomic import atomic_write
from seqdesign.runs.progress import phase
from seqdesign.symbols import spelled

_CONTENTS_FROM = 2  # sections from which a list of contents helps
_FIRST_WARNINGS = 3  # on the first screen; the others open with a click
_STYLES = ("page.css", "table.css")
_SCRIPTS = ("filter.js", "table.js", "card.js", "figure.js", "structure.js", "start.js")


@dataclass(frozen=True)
class Figure:
    """A figure of this package with the sentence below it."""

    svg: Markup
    caption: str

    @property
    def packed(self) -> str:
        """The numbers behind it as compressed CSV, which a click saves; empty if it has none."""
        if not isinstance(self.svg, Drawn) or not self.svg.data:
            return ""
        handle = io.StringIO()
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(self.svg.data)
        columns = [list(values) for values in self.svg.data.values()]
        longest = max(map(len, columns))
        columns = [[*values, *[""] * (longest - len(values))] for values in columns]
        writer.writerows([_plain(cell) for cell in row] for row in zip(*columns, strict=True))
        return packed(handle.getvalue())


@dataclass(frozen=True)
class Table:
    """Rows and the columns to show, with the sentence above them."""

    rows: Sequence[Row]
    columns: Sequence[Column | str]
    caption: str = ""
    name: str = ""
    """With a name the table can be sorted, filtered, copied and downloaded; files take it as theirs."""
    cards: bool = False
    """Whether a row opens to a card with all that is known of it."""
    first: bool = False
    """Whether it stands above the figures of its section."""
    unit: str = ""
    """Of the column ``contributions``, which cards show as a logo."""

    def html(self) -> Markup:
        """The table as it stands in a page."""
        if self.name:
            return data_table(
                self.rows,
                self.columns,
                caption=self.caption,
                name=self.name,
                cards=self.cards,
                unit=self.unit,
            )
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
    tables: tuple[_Rendered, ...]
    answer: Markup | None = None
    chapter: bool = False


class _Rendered(Markup):
    """A table that knows whether it stands above the figures."""

    table_first = False


class Page:
    """A report: ``page.section(...)`` in order, then ``page.write(path)``.

    The file loads nothing and runs no script but its own, which sorts tables and saves figures (its content
    security policy forbids the rest), follows the reader's light or dark mode, and prints. Everything but
    ``Markup`` is escaped.
    """

    def __init__(
        self, title: str, *, answer: Answer | None = None, provenance: Mapping[str, object] | None = None
    ) -> None:
        """``answer`` stands below the title, ``provenance`` at the foot of the page in its own order.

        ``provenance`` holds versions, command, seed, checksums of inputs; values may be mappings or lists.
        """
        self._title = title
        self.answer = answer
        self._provenance = dict(provenance or {})
        self._sections: list[_Section] = []
        self._methods: list[str] = []
        self._citations: list[str] = []
        self.warned: list[str] = []
        """The warnings so far, as they will stand on top."""
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
        rendered = []
        for table in tables:
            rendered.append(_Rendered(table.html()))
            rendered[-1].table_first = table.first
        level = 3 if self._in_chapter else 2
        named = _named_values(facts or {})
        self._sections.append(
            _Section(heading, level, _paragraphs(text), named, tuple(figures), tuple(rendered))
        )

    def add_provenance(self, values: Mapping[str, object]) -> None:
        """More lines for the foot of the page."""
        self._provenance |= values

    def chapter(
        self,
        heading: str,
        text: str | Markup | Sequence[str | Markup] = "",
        facts: Mapping[str, object] | None = None,
        answer: Answer | None = None,
    ) -> None:
        """Begin a chapter: the sections from here on are parts of it."""
        self._in_chapter = False
        self.section(heading, text, facts=facts)
        block = None if answer is None else answer.html()
        self._sections[-1] = dataclasses.replace(self._sections[-1], answer=block, chapter=True)
        self._in_chapter = True

    def methods(self, text: str, citations: Sequence[str] = ()) -> None:
        """A paragraph to paste into a paper, and the references that it names; each stands there once."""
        if text not in self._methods:
            self._methods.append(text)
        self._citations += [one for one in citations if one not in self._citations]

    def warnings(self, messages: Iterable[str], about: str = "") -> None:
        """What a reader must know first, ``about`` whatever is named; they stand on top of the page.

        What stands there already, such as what was said of a model that another run used, is not repeated.
        """
        sentences = [f"{capital(message).rstrip('.')}." for message in messages]
        fresh = [text for text in sentences if text not in self.warned]
        self.warned += [f"{about}: {text}" if about else text for text in fresh]

    def html(self) -> str:
        """The page as text."""
        environment = Environment(
            autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        template = environment.from_string(_read("page.html"))
        style = "".join(map(_read, _STYLES))
        script = self._script()
        for mode in ("light", "dark"):
            style = style.replace(f"/*{mode}*/", css_variables(dark=mode == "dark"))
        return template.render(
            title=self._title,
            answer=None if self.answer is None else self.answer.html(),
            warnings=self.warned,
            first_warnings=_FIRST_WARNINGS,
            sections=self._sections,
            contents=len(self._sections) >= _CONTENTS_FROM,
            methods=self._methods,
            citations=self._citations,
            provenance=_named_values(self._provenance),
            # Our own files, not user text: quotes in CSS must stay quotes.
            style=Markup(style),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )

    def _script(self) -> str:
        """The script of the page, where there is anything for it to do."""
        needed = any(
            section.figures or any("sd-data" in table for table in section.tables)
            for section in self._sections
        )
        return "".join(map(_read, _SCRIPTS)) if needed else ""

    @phase("writing the page")
    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the page to ``path`` at once or not at all; OutputError if that fails."""
        # What is left of letters with names stands in drawings and marked sequences.
        content = spelled(self.html(), escape=True).encode("utf-8", "backslashreplace")
        with atomic_write(path) as handle:
            handle.write(content)


def capital(message: str) -> str:
    """A sentence with a capital letter, unless its first word names a file, an option or its subject."""
    first = message.partition(" ")[0].rstrip(",")
    if any(sign in first for sign in "/.-'_:"):
        return message
    return message[:1].upper() + message[1:]


def _read(name: str) -> str:
    """A file of the template."""
    return (resources.files("seqdesign.reports") / "templates" / name).read_text(encoding="utf-8")


def _plain(cell: object) -> object:
    """A number to six digits, and nothing where there is none."""
    if isinstance(cell, float | np.floating):
        return f"{cell:.6g}" if np.isfinite(cell) else ""
    return cell


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
