"""What `onewindow bus read|watch` shows of a sensor or an input board: measures and contacts."""

from contextlib import aclosing

from rich.live import Live
from rich.table import Table

from controller.ports import EnvironmentSight
from firmware_bridge.environment import ModbusSurroundings
from onewindow.bus_said import say_json, screen

Row = dict[str, object]


def sight_rows(sight: EnvironmentSight) -> list[Row]:
    """One for each measure and each contact; a contact is well or not."""
    measures: list[Row] = [{"measure": name, "value": n} for name, n in sight.measures.items()]
    return measures + [{"contact": name, "well": well} for name, well in sight.contacts.items()]


def sight_table(sight: EnvironmentSight) -> Table:
    table = Table()
    for heading in ("what", "reads"):
        table.add_column(heading)
    for name, number in sight.measures.items():
        table.add_row(name, f"{number:g}")
    for name, well in sight.contacts.items():
        table.add_row(name, "well" if well else "[yellow]not well[/]")
    return table


async def shown_live(around: ModbusSurroundings) -> None:
    """Each settled change of a contact at once, measures every ten seconds, until cancelled.

    NoReply after three reads in a row that nobody answered.
    """
    async with aclosing(around.watch()) as sights:
        with Live(console=screen(), auto_refresh=False) as live:
            async for sight in sights:
                live.update(sight_table(sight), refresh=True)


async def told(around: ModbusSurroundings) -> None:
    """The same, a line of JSON for all that reads otherwise than before."""
    before: list[Row] = []
    async with aclosing(around.watch()) as sights:
        async for sight in sights:
            rows = sight_rows(sight)
            for row in rows:
                if row not in before:
                    say_json(row)
            before = rows
