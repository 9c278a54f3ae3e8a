"""What stands at the foot of every page that a command writes."""

from __future__ import annotations

from seqdesign.config import jsonable
from seqdesign.rundir import Manifest


def provenance(manifest: Manifest) -> dict[str, object]:
    """What stands at the foot of a page."""
    return {
        "command": manifest.command,
        "started": manifest.started,
        "seed": manifest.seed,
        "device": manifest.device,
        "versions": dict(manifest.versions),
        "sha256 of inputs": dict(manifest.inputs),
        "options": {k: str(jsonable(v)) for k, v in manifest.config.items() if v is not None},
    }
