"""One chart a file; ``reports.plots`` gathers them."""
