"""Numbers."""

from __future__ import annotations

from typing import ClassVar

from seqdesign.sequences.numbers import FEWEST, NEAR_POWERS, Tally, over_powers, powers_of_ten
from seqdesign.tasks.numbers import Numbers

MANY = 1.3
"""Powers of ten from which on logarithms are worth a thought."""


class Regression(Numbers):
    """Numbers, each measured as it is."""

    name: ClassVar[str] = "regression"
    rank: ClassVar[int] = 30

    def says(self, tally: Tally) -> str:
        """With what else could be done with numbers that spread nearly as far as those of the task log10."""
        said, powers = tally.says(), powers_of_ten(tally.logs)
        far = tally.numbers >= FEWEST and powers >= MANY
        if not far or not over_powers(tally.plain, tally.logs, NEAR_POWERS):
            return said
        return f"{said} over {powers:.1f} powers of ten (--task log10 tells the small ones better apart)"


regression = Regression()
