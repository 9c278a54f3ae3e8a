"""Charts as inline SVG, gathered: data and labels in, a figure out.

Values that cannot be shown (NaN, infinite, or not positive on a logarithmic axis) are left out, and the
figure's description says how many. Series differ by dash, marker or fill as well as by colour. Every chart
raises ValueError if nothing can be drawn or if values that belong together are not equally many.
"""

from __future__ import annotations

from seqdesign.reports.charts.bar_chart import bar_chart
from seqdesign.reports.charts.before_after import before_after
from seqdesign.reports.charts.heat_map import heat_map
from seqdesign.reports.charts.histogram import histogram
from seqdesign.reports.charts.intervals import intervals
from seqdesign.reports.charts.letter_map import letter_map
from seqdesign.reports.charts.line_chart import line_chart
from seqdesign.reports.charts.plate_map import plate_map
from seqdesign.reports.charts.scatter import agreement, predicted_measured, scatter
from seqdesign.reports.charts.shaded import shaded_scatter
from seqdesign.reports.charts.site_map import Site, site_map
from seqdesign.reports.charts.structure import structure

__all__ = [
    "Site",
    "agreement",
    "bar_chart",
    "before_after",
    "heat_map",
    "histogram",
    "intervals",
    "letter_map",
    "line_chart",
    "plate_map",
    "predicted_measured",
    "scatter",
    "shaded_scatter",
    "site_map",
    "structure",
]
