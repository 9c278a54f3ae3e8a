"""The trace of a molecule, coloured by a value at each residue; on a page it can be turned.

Drawn from its broadest side. ``templates/structure.js`` turns it by the coordinates that each residue keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from seqdesign.reports import svg
from seqdesign.reports.charts.heat_map import LEVELS, shade_legend, shade_style
from seqdesign.reports.palette import colour
from seqdesign.reports.scale import FloatArray

WIDTH, HEIGHT = 560.0, 460.0
_TOP = 46.0
_BROKEN = 7.5
"""Angstroms between neighbours of a trace beyond which residues are missing; C-alphas are 3.8 apart."""


def structure(
    places: FloatArray,
    values: FloatArray,
    tips: Sequence[str],
    *,
    title: str,
    unit: str,
    data: dict[str, Sequence[object]],
    others: Sequence[FloatArray] = (),
) -> Markup:
    """Residues at ``places`` (N, 3) in angstroms, coloured by ``values`` (N,) in ``unit``; NaN is grey.

    tips: what each residue says where the pointer is. data: what a click saves. others: (M, 3) traces of
    other chains, thin and grey. Raises ValueError for fewer than two residues.
    """
    if len(places) < 2:
        raise ValueError(f"a trace needs two residues, got {len(places)}")
    middle = places.mean(axis=0)
    turned, axes = _broad(places - middle)
    behind = [(trace - middle) @ axes for trace in others]
    reach = max(float(np.linalg.norm(part, axis=1).max()) for part in (turned, *behind)) or 1.0
    scale = (min(WIDTH, HEIGHT - _TOP) / 2 - 14) / reach
    known = np.abs(values[np.isfinite(values)])
    top = float(known.max(initial=0.0)) or 1.0
    shades = np.sign(np.nan_to_num(values)) * np.ceil(np.abs(np.nan_to_num(values)) / top * LEVELS - 1e-9)
    xs, ys = WIDTH / 2 + turned[:, 0] * scale, _TOP + (HEIGHT - _TOP) / 2 - turned[:, 1] * scale
    flat = np.stack([xs, ys], 1)
    parts: list[tuple[float, Markup]] = []
    for trace in behind:
        parts += _thin(trace, scale)
    joined = np.linalg.norm(np.diff(turned, axis=0), axis=1) < _BROKEN
    for i, tip in enumerate(tips):
        path = _piece(flat, joined, i)
        ink: dict[str, str | float] = {"stroke": colour("muted"), "stroke_opacity": 0.55}
        if shades[i]:
            fill = shade_style(int(shades[i]))
            ink = {"stroke": fill["fill"], "stroke_opacity": fill["fill_opacity"]}
        body = [
            svg.tag("title", tip),
            svg.tag("path", d=path, stroke=colour("paper"), stroke_width=8),
            svg.tag("path", d=path, stroke_width=6, **ink),
        ]
        place = " ".join(f"{v:.2f}" for v in turned[i])
        before = "1" if i and joined[i - 1] else "0"
        group = svg.tag(
            "g", svg.join(body), class_="sd-residue", data_at=place, data_joined=before, data_order=str(i)
        )
        parts.append((float(turned[i, 2]), group))
    parts.sort(key=lambda part: part[0])
    molecule = svg.tag(
        "g", svg.join([part for _, part in parts]), class_="sd-points sd-molecule", fill="none",
        stroke_linejoin="round", stroke_linecap="round", data_scale=f"{scale:.4f}",
        data_middle=f"{WIDTH / 2:g} {_TOP + (HEIGHT - _TOP) / 2:g}",
    )  # fmt: skip
    legend = shade_legend(4, top, f"+{top:.2g} {unit}; grey: not known")
    said = f"Trace of {len(places)} residues coloured by {unit}, from {-top:.3g} to {top:.3g}."
    drawn = svg.join([svg.text(4, 18, title, font_weight="600", fill=colour("ink")), *legend, molecule])
    return svg.document(WIDTH, HEIGHT, drawn, title=title, description=said, data=data)


def _broad(places: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(N, 3) places with the longest extent across, the next one up; and the axes (3, 3), not mirrored."""
    _, _, axes = np.linalg.svd(places, full_matrices=False)
    axes = np.vstack([axes, np.zeros((3 - len(axes), 3))]) if len(axes) < 3 else axes
    if np.linalg.det(axes) < 0:
        axes[2] = -axes[2]
    turned: FloatArray = places @ axes.T
    return turned, np.asarray(axes.T)


def _piece(flat: FloatArray, joined: np.ndarray, i: int) -> str:
    """From halfway to the residue before, over this one, to halfway to the next."""
    ends = [flat[i]]
    if i and joined[i - 1]:
        ends.insert(0, (flat[i - 1] + flat[i]) / 2)
    if i + 1 < len(flat) and joined[i]:
        ends.append((flat[i] + flat[i + 1]) / 2)
    points = "L".join(f"{svg.number(x)} {svg.number(y)}" for x, y in ends)
    return f"M{points}" if len(ends) > 1 else f"M{points}h0"


def _thin(trace: FloatArray, scale: float) -> list[tuple[float, Markup]]:
    """Another chain, as lines of one step each so that they can lie before and behind."""
    parts = []
    for a, b in pairwise(trace):
        if np.linalg.norm(a - b) >= _BROKEN:
            continue
        x, y = WIDTH / 2 + a[0] * scale, _TOP + (HEIGHT - _TOP) / 2 - a[1] * scale
        to = (WIDTH / 2 + b[0] * scale, _TOP + (HEIGHT - _TOP) / 2 - b[1] * scale)
        path = f"M{svg.number(x)} {svg.number(y)}L{svg.number(to[0])} {svg.number(to[1])}"
        ends = " ".join(f"{v:.1f}" for v in (*a, *b))
        line = svg.tag("path", d=path, stroke=colour("muted"), stroke_width=1.5, stroke_opacity=0.5)
        parts.append((float((a[2] + b[2]) / 2), svg.tag("g", line, class_="sd-thin", data_at=ends)))
    return parts
