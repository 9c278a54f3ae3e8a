"""What the verbs of design and of the bench give: rows, a summary, and ways to show and to write both."""

from __future__ import annotations

import html
import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from seqdesign.config import jsonable
from seqdesign.pages.tables import listing_page
from seqdesign.sequences.tables import write_table
from seqdesign.verbs.options import in_python

if TYPE_CHECKING:
    import pandas as pd

    from seqdesign.reports.html import Page

SHOWN = 20
"""Rows that a notebook shows."""

ItemT = TypeVar("ItemT")


class Record(Sequence[ItemT]):
    """A sequence of items that are a row each, with a summary in words."""

    @abstractmethod
    def _lines(self) -> Sequence[str]:
        """The summary, as the command prints it."""

    @abstractmethod
    def _rows(self) -> list[dict[str, Any]]:
        """One for each item."""

    def _summary(self) -> Any:
        """The summary as JSON types."""
        return list(self._lines())

    def text(self) -> str:
        """The summary, with arguments where the command says flags."""
        return in_python("\n".join(self._lines()), {})

    def to_dict(self) -> dict[str, Any]:
        """JSON types: the summary, and every row."""
        return {"summary": self._summary(), "records": [jsonable(row) for row in self._rows()]}

    def to_frame(self) -> pd.DataFrame:
        """One row an item, with the columns of the command's table."""
        import pandas as pd

        return pd.DataFrame(self._rows())

    def write(self, path: str | os.PathLike[str]) -> int:
        """Write the table by suffix (.csv, .xlsx, ...); returns how many rows. OutputError."""
        rows = self._rows()
        return write_table(rows, path, columns=list(rows[0]) if rows else None)

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write the HTML page; returns its path. OutputError."""
        self._page().write(Path(path))
        return Path(path)

    def _page(self) -> Page:
        rows: list[Mapping[str, Any]] = list(self._rows())
        return listing_page(type(self).__name__, self.text().splitlines(), rows)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self)}; {self.text().splitlines()[0]}>"

    def _repr_html_(self) -> str:
        lines = "<br>".join(html.escape(line) for line in self.text().splitlines())
        return f"<p>{lines}</p>{self.to_frame().head(SHOWN).to_html(index=False)}"
