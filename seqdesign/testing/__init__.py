"""For tests, of ours and of plug-ins: batteries of checks, and models whose every answer is known.

    from seqdesign import testing

    testing.check_designer(my_designer)

A battery runs all its checks and raises one AssertionError that lists those that fail. ``expected_failures``
names checks that are known to fail, with the reason. For one test case a check, run over the names:

    @pytest.mark.parametrize("check", testing.designer_checks())
    def test_my_designer(check):
        testing.check_designer(my_designer, checks=[check])

Nothing here imports pytest, and nothing is imported before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_FACE = {
    "ConstantOutcome": "toy",
    "LinearOutcome": "toy",
    "QuadraticOutcome": "toy",
    "SimulationGrammar": "grammar",
    "ToyLatentModel": "toy_latent",
    "attribution_checks": "attribution",
    "check_attribution": "attribution",
    "check_constraint": "constraints",
    "check_designer": "designers",
    "check_model": "models",
    "check_objective": "objectives",
    "check_reviser": "revisers",
    "constraint_checks": "constraints",
    "designer_checks": "designers",
    "model_checks": "models",
    "objective_checks": "objectives",
    "reviser_checks": "revisers",
}
"""Name -> file of this folder that defines it."""

if TYPE_CHECKING:
    from seqdesign.testing.attribution import attribution_checks, check_attribution
    from seqdesign.testing.constraints import check_constraint, constraint_checks
    from seqdesign.testing.designers import check_designer, designer_checks
    from seqdesign.testing.grammar import SimulationGrammar
    from seqdesign.testing.models import check_model, model_checks
    from seqdesign.testing.objectives import check_objective, objective_checks
    from seqdesign.testing.revisers import check_reviser, reviser_checks
    from seqdesign.testing.toy import ConstantOutcome, LinearOutcome, QuadraticOutcome
    from seqdesign.testing.toy_latent import ToyLatentModel

__all__ = [
    "ConstantOutcome",
    "LinearOutcome",
    "QuadraticOutcome",
    "SimulationGrammar",
    "ToyLatentModel",
    "attribution_checks",
    "check_attribution",
    "check_constraint",
    "check_designer",
    "check_model",
    "check_objective",
    "check_reviser",
    "constraint_checks",
    "designer_checks",
    "model_checks",
    "objective_checks",
    "reviser_checks",
]


def __getattr__(name: str) -> Any:
    if name not in _FACE:
        raise AttributeError(f"module 'seqdesign.testing' has no attribute {name!r}")
    found = getattr(importlib.import_module(f"seqdesign.testing.{_FACE[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
