"""Every designer of the registry keeps the promises of `seqdesign.testing.check_designer`."""

from __future__ import annotations

import pytest

from seqdesign.registry import Registry
from seqdesign.testing import check_designer, designer_checks

REGISTRY = Registry("designer", "seqdesign.designers.methods", "seqdesign.designers")


def test_the_registry_holds_the_designers_of_the_manual() -> None:
    assert {"greedy", "annealing", "adalead", "ada-beam", "evolution", "gibbs"} <= set(REGISTRY.names())


@pytest.mark.parametrize("check", designer_checks())
@pytest.mark.parametrize("name", REGISTRY.names())
def test_a_designer_keeps_its_promises(name: str, check: str) -> None:
    check_designer(REGISTRY.load(name), name=name, checks=[check])
