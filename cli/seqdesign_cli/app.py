"""The Typer app: all commands by name, each built only when it is called."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from seqdesign.version import __version__
from seqdesign_cli.commands import COMMANDS, Command, plugins
from seqdesign_cli.guard import DONE, USAGE

HELP = "Learn from your own DNA, RNA or protein sequences and their outcomes, then design better ones."
EPILOG = "Example: seqdesign train-vae seqs.fa && seqdesign revise --alpha -1 input.fa > revised.fa"


class LazyCommand(TyperCommand):
    """Stands in for a command in lists; its context belongs to the real one, built on demand."""

    def __init__(self, name: str, command: Command, **attributes: Any) -> None:
        super().__init__(name, **attributes)
        self.row = command

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Context of the real command."""
        from seqdesign_cli.bind import bind
        from seqdesign_cli.run import run

        assert self.name is not None
        real = bind(self.name, self.row, run, styled=self.rich_markup_mode is not None)
        return real.make_context(info_name, args, parent=parent, **extra)


class LazyGroup(TyperGroup):
    """All commands of the table as stand-ins."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: self._stand_in(name, command) for name, command in COMMANDS.items()}

    def _stand_in(self, name: str, command: Command) -> LazyCommand:
        mode = self.rich_markup_mode
        return LazyCommand(
            name, command, help=command.help, rich_markup_mode=mode, rich_help_panel=command.group
        )

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command of the table, or of a plug-in."""
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        found = plugins().get(cmd_name)
        return None if found is None else self._stand_in(cmd_name, found)

    def list_commands(self, ctx: Any) -> list[str]:
        """Those of the table, then those of plug-ins."""
        return [*self.commands, *plugins()]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Plain help: one section for each group, as the coloured help has panels."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for name, command in (COMMANDS | plugins()).items():
            groups.setdefault(command.group, []).append((name, command.help))
        for group, rows in groups.items():
            with formatter.section(group):
                formatter.write_dl(rows)


def build(*, styled: bool) -> Any:
    """The command group; ``styled`` draws help with colours and frames."""
    app = typer.Typer(
        cls=LazyGroup,
        help=HELP,
        epilog=EPILOG,
        context_settings={"help_option_names": ["-h", "--help"]},
        rich_markup_mode="rich" if styled else None,
    )
    app.callback(invoke_without_command=True)(_top)
    return typer.main.get_command(app)


def _top(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --version: all versions that matter.")
    ] = False,
) -> None:
    if version:
        print(_versions_json() if as_json else f"seqdesign {__version__}")
        raise typer.Exit(DONE)
    if context.invoked_subcommand is None:
        print(context.get_help(), file=sys.stderr)
        raise typer.Exit(USAGE)


def _versions_json() -> str:
    from seqdesign.runs.manifest import library_versions

    return json.dumps({"schema_version": 1, "command": "version", "versions": library_versions()})
