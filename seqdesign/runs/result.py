"""What every command returns: one record, printed as text for people and as JSON for programs."""

from __future__ import annotations

import abc
import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from seqdesign.config import jsonable


@dataclass(frozen=True, kw_only=True)
class Result(abc.ABC):
    """Base of all results. A subclass sets ``command`` and ``text_to`` and writes ``text``.

    ``text_to`` is ``"stdout"`` when the text is the result (``inspect``, ``datasets``) and ``"stderr"`` when
    stdout belongs to sequences; ``--quiet`` silences the latter only.
    """

    command: ClassVar[str]
    """Name of the command as typed."""
    schema_version: ClassVar[int] = 1
    """Raised when a key of the JSON object changes its meaning or goes away; new keys do not raise it."""
    text_to: ClassVar[Literal["stdout", "stderr"]] = "stderr"
    """Where the text goes."""

    KEY: ClassVar[tuple[str, ...]] = ()
    """What is bold on a terminal: patterns, the first group of whose first match in ``text`` is the number
    that matters."""

    @property
    def exit_code(self) -> int:
        """What the command ends with when all went well; not 0 where the answer is no."""
        return 0

    def to_dict(self) -> dict[str, Any]:
        """JSON object: ``schema_version``, ``command``, then every field; NaN and infinities are null."""
        fields = {f.name: jsonable(getattr(self, f.name)) for f in dataclasses.fields(self)}
        return {"schema_version": self.schema_version, "command": self.command, **fields}

    @abc.abstractmethod
    def text(self) -> str:
        """What a person reads, without a final newline."""
