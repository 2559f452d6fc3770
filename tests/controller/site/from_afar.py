"""What a district has done at a site, and what became of it."""

from datetime import timedelta

from controller.entries import Down
from controller.journal import rfc3339
from tests.controller.site.world import Town

OPEN, BLOCK, UNBLOCK = Down.COMPARTMENT_OPEN, Down.COMPARTMENT_BLOCK, Down.COMPARTMENT_UNBLOCK
ENDS = ("command.done", "command.failed", "command.refused", "command.expired", "command.unknown")


def tell(town: Town, kind: Down = OPEN, no: int = 6, **said: object) -> str:
    """A command as its district gives it."""
    command = str(said.pop("command", f"C{town.count(kind.value) + 1}-{kind.value}"))
    life_s = float(str(said.pop("life_s", 60)))
    data = {
        "command": command,
        "cabinet": "A",
        "no": no,
        "reason": "stuck",
        "requested_by": "ops1",
        "approved_by": None,
        "expires_at": rfc3339(town.site.time.now() + timedelta(seconds=life_s)),
    }
    town.tell(kind, data | said)
    return command


def ends(town: Town, command: str) -> list[str]:
    """What became of it: kind, and why if that was said."""
    return [
        f"{each['kind'].removeprefix('command.')} {each.get('reason', '')}".rstrip()
        for each in town.up(*ENDS)
        if each["command"] == command
    ]


async def ended(town: Town, command: str) -> str:
    await town.until(lambda: bool(ends(town, command)))
    (found,) = ends(town, command)
    return found
