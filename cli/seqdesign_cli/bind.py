"""A config class becomes a Typer command: one option per field, text in, ``resolve`` does the checking."""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption

from seqdesign.config import REQUIRED, CommandConfig, FieldSpec, fields_of, panels_of
from seqdesign.errors import UsageError
from seqdesign_cli.commands import Command
from seqdesign_cli.complete import completer
from seqdesign_cli.unknown import meant

COMMON, ADVANCED = "Common options", "Advanced options"

Run = Callable[[type, Callable[[Any], Any], dict[str, Any]], None]


class PanelledCommand(TyperCommand):
    """A command whose plain help is grouped as its coloured help is."""

    specs: Sequence[FieldSpec] = ()
    """The fields of its config. Typer takes all as optional, because a config file may give them too."""
    whole = False
    """Whether help shows the advanced options, too."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """What most people need; all the rest with ``--help-all``."""
        rest = [p for p in self.params if getattr(p, "rich_help_panel", None) == ADVANCED]
        for param in rest:
            param.hidden = not self.whole  # type: ignore[attr-defined]
        super().format_help(ctx, formatter)
        for param in rest:  # the shell goes on to complete them
            param.hidden = False  # type: ignore[attr-defined]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse two columns of sequences: which of two chains is meant is not for us to choose.

        A folder where no argument is left to take it is a model, most of the time.
        """
        if ctx.resilient_parsing:  # the shell asks for completions
            return super().parse_args(ctx, args)
        try:
            values, rest, order = self.make_parser(ctx).parse_args(args=list(args))
        except Exception as error:  # Typer's own: it has no public name
            if not hasattr(error, "possibilities"):
                raise
            typed = str(error.option_name)  # type: ignore[attr-defined]
            hint = meant(typed, str(self.name), self.specs)
            raise UsageError(f"no such option: {typed}; {hint or 'see --help'}") from None
        options = [p for p in order if isinstance(p, TyperOption) and not p.multiple]
        if sum("--sequence" in p.opts for p in options) > 1:
            raise UsageError("names one column, but is there twice; join both in one", option="--sequence")
        takers = {name for p in self.params if isinstance(p, TyperOption) for name in p.opts}
        taken = [values[p.name] for p in order if not isinstance(p, TyperOption)]
        folder = next(
            (text for text in [*taken, *rest] if isinstance(text, str) and os.path.isdir(text)), None
        )
        if rest and "--model" in takers and folder is not None:
            raise UsageError(f"'{folder}' is a folder; if it is a model, write --model {folder}")
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Brackets only around what may be left out."""
        pieces = super().collect_usage_pieces(ctx)
        needed = {spec.option for spec in self.specs if spec.positional and spec.required}
        return [piece.strip("[]") if piece.strip("[]") in needed else piece for piece in pieces]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write one section per panel, in the order of the parameters."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                groups.setdefault(getattr(param, "rich_help_panel", None) or "Help", []).append(record)
        for panel, records in groups.items():
            with formatter.section(panel):
                formatter.write_dl(records)


def bind(name: str, command: Command, run: Run, *, styled: bool) -> TyperCommand:
    """Import the command's module and build its Typer command.

    Args:
        name: name as typed.
        command: row of the table.
        run: called with the config class, the command's function and what was typed (field name -> text).
        styled: help is drawn with colours and frames.
    """
    module = importlib.import_module(command.module)
    config_class, function = getattr(module, command.config), getattr(module, command.function)

    def callback(**typed: Any) -> None:
        typed.pop("help_all", None)
        run(config_class, function, {key: value for key, value in typed.items() if value is not None})

    heading = _headings(config_class)
    order = [*dict.fromkeys(panel for panel in panels_of(config_class) if panel != COMMON), ADVANCED, COMMON]
    specs = sorted(fields_of(config_class), key=lambda s: (not s.positional, order.index(heading[s.name])))
    parameters = [_parameter(name, spec, heading[spec.name], styled) for spec in specs]
    if more := sum(panel == ADVANCED for panel in heading.values()):
        parameters.append(_help_all(more))
    callback.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    callback.__annotations__ = {p.name: p.annotation for p in parameters}
    text = inspect.getdoc(config_class) or command.help
    app = typer.Typer(add_completion=False, rich_markup_mode="rich" if styled else None)
    app.command(name, cls=PanelledCommand, help=_escape(text, styled))(callback)
    built = typer.main.get_command(app)
    assert isinstance(built, PanelledCommand)
    built.specs = specs
    return built


def _headings(config_class: type[CommandConfig]) -> dict[str, str]:
    """Field -> heading in help: what most people need under its own, the rest under "Advanced"."""
    first = config_class.FIRST
    return {
        spec.name: spec.panel if not first or spec.name in first or spec.panel == COMMON else ADVANCED
        for spec in fields_of(config_class)
    }


def _parameter(command: str, spec: FieldSpec, heading: str, styled: bool) -> inspect.Parameter:
    """Every default is None, so that what was typed can be told from what was not."""
    annotation: Any = bool if spec.is_bool else list[str] if spec.repeatable else str
    common: dict[str, Any] = {
        "help": _escape(_help(spec), styled),
        "show_default": False,
        "rich_help_panel": "Arguments" if spec.positional else heading,
        "autocompletion": completer(command, spec),
    }
    if spec.positional:
        info = typer.Argument(metavar=spec.option, **common)
    elif spec.is_bool:
        info = typer.Option(f"{spec.option}/--no-{spec.option[2:]}", *spec.flags, **common)
    else:
        info = typer.Option(spec.option, *spec.flags, metavar=spec.metavar, **common)
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(spec.name, kind, default=None, annotation=Annotated[annotation | None, info])


def _help_all(more: int) -> inspect.Parameter:
    """The option that shows the help with its ``more`` advanced options."""
    info = typer.Option(
        "--help-all", help=f"Show this message with {more} more options.", is_eager=True, callback=_show_all,
        show_default=False, rich_help_panel="Help",
    )  # fmt: skip
    annotation = Annotated[bool | None, info]
    return inspect.Parameter("help_all", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _show_all(context: typer.Context, asked: bool | None) -> None:
    if asked and not context.resilient_parsing:
        assert isinstance(context.command, PanelledCommand)
        context.command.whole = True
        typer.echo(context.get_help())
        raise typer.Exit


def _help(spec: FieldSpec) -> str:
    """Help text, then what may be given and what holds when nothing is."""
    notes = []
    if spec.between:
        notes.append(str(spec.between))
    if spec.repeatable and "several times" not in spec.help and "repeat" not in spec.help:
        notes.append("may be repeated")
    if spec.default is REQUIRED:
        notes.append("required")
    elif not spec.is_bool and spec.default not in (None, ()):
        default = ", ".join(map(str, spec.default)) if isinstance(spec.default, tuple) else spec.default
        notes.append(f"default: {default}")
    elif spec.is_bool and spec.default:
        notes.append("default: on")
    return f"{spec.help} ({'; '.join(notes)})" if notes else spec.help


def _escape(text: str, styled: bool) -> str:
    """Square brackets are markup in styled help."""
    return text.replace("[", r"\[") if styled else text
