"""Every attribution method of the registry keeps the promises of `seqdesign.testing.check_attribution`."""

from __future__ import annotations

import pytest

from seqdesign.registry import Registry
from seqdesign.testing import attribution_checks, check_attribution

REGISTRY = Registry("method", "seqdesign.attribution.methods", "seqdesign.attribution")


@pytest.mark.parametrize("check", attribution_checks())
@pytest.mark.parametrize("name", REGISTRY.names())
def test_a_method_keeps_its_promises(name: str, check: str) -> None:
    check_attribution(REGISTRY.load(name), name=name, checks=[check])
