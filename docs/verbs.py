"""Griffe extension: the public verbs as Python sees them, with all their options."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import griffe

KINDS = {
    inspect.Parameter.POSITIONAL_OR_KEYWORD: griffe.ParameterKind.positional_or_keyword,
    inspect.Parameter.KEYWORD_ONLY: griffe.ParameterKind.keyword_only,
}


class Verbs(griffe.Extension):
    """Signature and docstring of what ``@verb`` decorates."""

    def on_function(self, *, func: griffe.Function, **kwargs: Any) -> None:
        """Take both from the function itself."""
        if not any(str(d.value).startswith("verb(") for d in func.decorators) or func.docstring is None:
            return
        function = getattr(importlib.import_module(func.module.path), func.name)
        func.docstring.value = inspect.getdoc(function) or ""
        func.parameters = griffe.Parameters(
            *(
                griffe.Parameter(
                    p.name, kind=KINDS[p.kind], default=None if p.default is p.empty else repr(p.default)
                )
                for p in inspect.signature(function).parameters.values()
            )
        )
