"""Logos as PNG or PDF: logomaker's letters, placed as in the SVG.

logomaker builds an outline and a patch for every letter of every stack, 1.5 to 2 ms each. Here it builds
one outline per letter of the alphabet; its copies are placed by one multiplication and drawn as one path.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqdesign.reports.logo_layout import LEFT, Layout, lay_out
from seqdesign.reports.logo_spec import LogoSpec
from seqdesign.reports.palette import COLOURS, letter_colours
from seqdesign.runs.printable import printable
from seqdesign.sequences.compression import open_output

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path

_PIXELS_PER_INCH = 96.0  # of CSS
_POINTS = 72.0 / _PIXELS_PER_INCH
_DPI = 200
_COPIES = 200  # outlines in one path


def write_image(specs: Sequence[LogoSpec], path: str | os.PathLike[str], format: str) -> None:
    """Write logos, one below the other, as ``png`` (200 dots per inch) or ``pdf``. Raises OutputError."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    layouts = [lay_out(spec) for spec in specs]
    width, height = max(layout.width for layout in layouts), sum(layout.height for layout in layouts)
    # Text stays text in a PDF, and files of equal content are equal.
    with rc_context({"pdf.fonttype": 42, "svg.hashsalt": "seqdesign"}):
        figure = Figure(figsize=(width / _PIXELS_PER_INCH, height / _PIXELS_PER_INCH))
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0), frameon=False)
        axes.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])
        y = 0.0
        for spec, layout in zip(specs, layouts, strict=True):
            _draw(axes, spec, layout, y)
            y += layout.height
        buffer = io.BytesIO()
        metadata: dict[str, Any] = {"CreationDate": None} if format == "pdf" else {"Software": None}
        figure.savefig(buffer, format=format, dpi=_DPI, metadata=metadata)
    with open_output(path) as handle:
        handle.write(buffer.getvalue())


def _draw(axes: Axes, spec: LogoSpec, layout: Layout, down: float) -> None:
    from matplotlib.patches import PathPatch

    _draw_axes(axes, spec, layout, down)
    colours = letter_colours(spec.letters)
    for index, letter in enumerate(spec.letters):
        chosen = np.flatnonzero(layout.letter == index)
        outline = _outline(letter, axes) if chosen.size else None
        for first in range(0, chosen.size, _COPIES):
            some = chosen[first : first + _COPIES]
            path = _copies(outline, layout, some, down)
            patch = PathPatch(path, facecolor=COLOURS[colours[letter]][0], linewidth=0, zorder=3)
            axes.add_artist(patch)


def _outline(letter: str, axes: Axes) -> Path:
    """Outline of one letter by logomaker in the unit square, y pointing up."""
    from logomaker import Glyph

    glyph = Glyph(0.5, letter, 0.0, 1.0, ax=axes, width=1.0, vpad=0.0, color="black")
    glyph.patch.remove()
    path: Path = glyph.patch.get_path()
    return path


def _copies(outline: Any, layout: Layout, chosen: NDArray[np.int64], down: float) -> Path:
    """The outline at each of the places ``chosen`` in the layout, as one path."""
    from matplotlib.path import Path

    size = np.stack([np.full(chosen.size, layout.letter_width), -layout.letter_height[chosen]], axis=1)
    corner = np.stack([layout.x[chosen], layout.y[chosen] + layout.letter_height[chosen] + down], axis=1)
    vertices = outline.vertices[None] * size[:, None] + corner[:, None]
    return Path(vertices.reshape(-1, 2), np.tile(outline.codes, chosen.size))


def _draw_axes(axes: Axes, spec: LogoSpec, layout: Layout, down: float) -> None:
    ink, muted, amber = (COLOURS[name][0] for name in ("ink", "muted", "amber"))
    left = LEFT - 4
    small: dict[str, Any] = {"color": muted, "fontsize": 11 * _POINTS}
    axes.text(
        4,
        18 + down,
        printable(spec.title),
        color=ink,
        fontsize=12 * _POINTS,
        fontweight="bold",
        parse_math=False,
    )
    for row in layout.rows:
        top, bottom = row.top + down, row.bottom + down
        for x in row.shaded:
            axes.fill_between([x, x + layout.step], top, bottom, color=amber, alpha=0.28, linewidth=0)
        lines = [([left, left], [top, bottom]), ([left, row.end], [row.zero + down] * 2)]
        lines += [([left - 4, left], [y + down, y + down]) for y, _ in row.ticks]
        for xs, ys in lines:
            axes.plot(xs, ys, color=muted, linewidth=_POINTS, solid_capstyle="butt")
        for y, label in row.ticks:
            axes.text(LEFT - 11, y + down, label, ha="right", va="center", **small)
        for x, label in row.numbers:
            axes.text(x, bottom + 16, label, ha="center", va="baseline", **small)
        turned: dict[str, Any] = {"rotation": 90, "color": muted, "fontsize": 12 * _POINTS}
        axes.text(10, (top + bottom) / 2, spec.unit, ha="center", va="center", **turned)
