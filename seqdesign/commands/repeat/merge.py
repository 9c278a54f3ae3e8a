"""``seqdesign merge``: the result of a campaign, from the blocks that its processes have left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from seqdesign.config import CommandConfig, Flag, Positional, Written, fields_of
from seqdesign.errors import UsageError
from seqdesign.runs.result import Result


@dataclass(frozen=True, kw_only=True)
class MergeConfig(CommandConfig):
    """Write the result of a campaign: byte for byte that of one process that was never interrupted.

    Files that its command named with -o, --table or --report are written where it says.

    Example: seqdesign merge campaign -o designs.fa
    """

    campaign: Annotated[Path, Positional("CAMPAIGN"), Written("campaign")]
    """Folder that was named with --campaign."""
    output: Annotated[Path | None, Flag("-o"), Written()] = None
    """Main file to write, instead of the one that the campaign's command named."""


def merge(config: MergeConfig) -> Result:
    """What the campaign's command returns.

    Raises ModelError for a folder without a campaign, or one that lacks a block; UsageError for files that
    have changed since it began, and all that the command raises.
    """
    from seqdesign.commands.campaign import plan
    from seqdesign.commands.provenance import command_of, config_of
    from seqdesign.runs.blocks import Blocks, working
    from seqdesign.runs.manifest import read_manifest

    manifest = read_manifest(config.campaign)
    then = config_of(manifest)
    if getattr(then, "campaign", None) is None:
        raise UsageError(
            f"{config.campaign} holds no campaign; name a folder of --campaign", option="CAMPAIGN"
        )
    loudness = {name: getattr(config, name) for name in ("json", "quiet", "verbose", "debug")}
    changes: dict[str, Any] = {"campaign": None, "shard": None, **loudness}
    if config.output is not None:
        changes["output"] = config.output
    known = {spec.name for spec in fields_of(type(then))}
    now = replace(then, **{name: value for name, value in changes.items() if name in known})
    _, function = command_of(manifest)
    with working(Blocks(config.campaign, plan, merging=True)):
        result: Result = function(now)
    return result
