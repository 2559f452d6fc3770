"""Commands that stand in modules of their own, each loaded once somebody asks for it.

A site starts without what a rehearsal needs, and `bus` without a database.
"""

from pkgutil import resolve_name
from typing import Any, Final

import typer
from typer._click import Command, Context  # typer exports its children only
from typer.core import TyperGroup

PLACES: Final = {
    "badge": "onewindow.badge:command",
    "backup": "onewindow.backups:backup_command",
    "restore": "onewindow.backups:restore_command",
    "journal": "onewindow.journal:app",
    "explain": "onewindow.explain:app",
    "bus": "onewindow.bus:app",
    "rehearse": "onewindow.rehearse:command",
}
MANNER: Final[dict[str, Any]] = {  # of the whole command line
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
}


class LoadedWhenAsked(TyperGroup):
    """Has the commands of PLACES beside its own."""

    def list_commands(self, ctx: Context) -> list[str]:
        return list(dict.fromkeys([*super().list_commands(ctx), *PLACES]))

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        if cmd_name in PLACES and cmd_name not in self.commands:
            self.commands[cmd_name] = _command(cmd_name)
        return super().get_command(ctx, cmd_name)


def _command(name: str) -> Command:
    found = resolve_name(PLACES[name])
    around = typer.Typer(**MANNER)
    if isinstance(found, typer.Typer):
        around.add_typer(found, name=name)
    else:
        around.command(name)(found)
    return typer.main.get_group(around).commands[name]
