"""Numbers."""

from __future__ import annotations

from typing import ClassVar

from seqdesign.tasks.numbers import Numbers


class Regression(Numbers):
    """Numbers, each measured as it is."""

    name: ClassVar[str] = "regression"
    rank: ClassVar[int] = 30


regression = Regression()
