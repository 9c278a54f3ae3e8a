"""Numbers."""

from __future__ import annotations

from typing import ClassVar

from seqdesign.sequences.numbers import Tally
from seqdesign.tasks.numbers import Numbers, worth_logarithms


class Regression(Numbers):
    """Numbers, each measured as it is."""

    name: ClassVar[str] = "regression"
    rank: ClassVar[int] = 30
    logs: ClassVar[str] = "log10"

    def says(self, tally: Tally) -> str:
        """With what else could be done with numbers that spread nearly as far as those of the task log10."""
        said, powers = tally.says(), worth_logarithms(tally)
        if not powers:
            return said
        return f"{said} over {powers:.1f} powers of ten (--task log10 learns logarithms)"


regression = Regression()
