"""Every reviser of the registry keeps the promises of `seqdesign.testing.check_reviser`.

Options are the defaults, or those of OPTIONS, which keep the battery quick or give a method the budget that
the toy optimum takes.
"""

from __future__ import annotations

import pytest

from seqdesign.registry import Registry
from seqdesign.revisers.revise_options import ReviseOptions, SearchOptions
from seqdesign.testing import check_reviser, reviser_checks

REGISTRY = Registry("optimizer", "seqdesign.revisers.methods", "seqdesign.revisers")
OPTIONS = {
    "revise": ReviseOptions(
        alpha=-20.0, alpha_scale="relative", steps=6, step_length=0.6, rounds=1, survivors=2
    ),
    "search": SearchOptions(candidates=400),
}


def test_the_registry_holds_revise_and_search() -> None:
    assert {"revise", "search"} <= set(REGISTRY.names())


@pytest.mark.parametrize("check", reviser_checks())
@pytest.mark.parametrize("name", REGISTRY.names())
def test_a_reviser_keeps_its_promises(name: str, check: str) -> None:
    check_reviser(REGISTRY.load(name), options=OPTIONS.get(name), name=name, checks=[check])
