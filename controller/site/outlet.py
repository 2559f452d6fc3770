"""A licence handed out by its machine: asked for once, followed until it is taken or kept."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Row

from controller.ports import Command, Job, Outcome, Slot
from controller.rows import one_row
from controller.site.book import Act
from controller.site.intents import settle
from controller.site.items import doubtful
from controller.site.machines import command_of, is_older, settle_command
from controller.site.movements import Intent, Wanted
from controller.site.premises import Premises
from controller.site.schema import intents
from controller.site.texts import Button, Screen, Text
from controller.site.trouble import trouble

PATIENCE_S: Final = 90.0  # a set is printed in 60 s at most; after that nobody knows
IDLE_S: Final = 10.0  # after one licence was taken it is ready for the next

Decide = Callable[[Act, Row[Any]], Wanted]


async def hand_out(p: Premises, item: Row[Any], decide: Decide) -> bool:
    """The licence is taken, or stays safely where it is. False if the person wants to end."""
    match await bring_out(p, item, decide):
        case Outcome.TAKEN:
            return True
        case Outcome.RETRACTED:
            return await _trouble(p, item.machine, Text.LICENCE_RETRACTED, "licence_retracted")
        case None | Outcome.REFUSED | Outcome.FAILED_INSIDE:
            return await _trouble(p, item.machine, Text.MACHINE_RESTS, "machine_rests")
    return await _trouble(p, item.machine, Text.UNSURE, "unsure")


async def bring_out(p: Premises, item: Row[Any], decide: Decide) -> Outcome | None:
    """How it ended, of a licence that is printed or lies in a slot; None if nothing moved."""
    await _turn(p, item.machine)
    if not p.machines.can_present(item.machine) or p.machines.is_awaited(item.machine):
        return None
    document = Job(item.job) if item.slot is None else Slot(item.slot)
    text = Text.PRINTING if item.slot is None else Text.BRINGING
    with p.machines.awaited(item.machine):
        p.desk.show(Screen.WORKING, text, machine=item.machine)
        intent = await p.movements.hand_out(item.machine, document, lambda act: decide(act, item))
        outcome = None if intent is None else await follow(p, intent, document)
    p.bell.ring()  # who waits at another kiosk has it now
    return outcome


async def _turn(p: Premises, machine: str) -> None:
    """Somebody at another kiosk is served by the same machine: that is awaited."""
    if p.machines.is_awaited(machine):
        p.desk.show(Screen.WORKING, Text.MACHINE_BUSY, machine=machine)
        patience_s = PATIENCE_S + p.policy.outlet_retract_s
        await p.bell.until(lambda: not p.machines.is_awaited(machine), patience_s)
        await p.bell.until(lambda: p.machines.can_present(machine), IDLE_S)


async def follow(p: Premises, intent: Intent, document: Job | Slot) -> Outcome:
    """Look until the machine has said the end; ask again only for what never arrived."""
    asked_at = p.clock.monotonic()
    known: Command | None = None

    def is_news() -> bool:
        sight = p.machines[intent.where]
        if sight is None or sight.at < asked_at:
            return False
        return known is None or command_of(sight, intent.seq) != known

    while await p.bell.until(is_news, PATIENCE_S):
        sight = p.machines[intent.where]
        assert sight is not None
        command = command_of(sight, intent.seq)
        if command is None and is_older(sight, intent.seq):
            if await p.movements.repeat(intent, document):
                asked_at = p.clock.monotonic()
                continue
        elif command is not None and command.outcome is Outcome.RUNNING:
            known = command
            continue
        elif command is not None and command.outcome is Outcome.PRESENTED:
            await _await_taking(p, intent, command)
            known = None
            continue
        with p.book.act() as act:
            return settle_command(act, _row(act.db, intent), sight) or Outcome.NONE
    with p.book.act() as act:
        settle(act, intent.id, "unknown", None)
        doubtful(act, _row(act.db, intent).item_id, intent.where, None)
    return Outcome.NONE


def _has_changed(p: Premises, intent: Intent, command: Command) -> bool:
    sight = p.machines[intent.where]
    return sight is not None and command_of(sight, intent.seq) != command


async def _await_taking(p: Premises, intent: Intent, command: Command) -> None:
    """The licence lies at the outlet: the person is asked, reminded, and at last it goes back."""
    changed = partial(_has_changed, p, intent, command)
    p.desk.show(Screen.TAKE, Text.TAKE_LICENCE, machine=intent.where)
    if await p.bell.until(changed, p.policy.outlet_reminder_s):
        return
    p.desk.show(Screen.TAKE, Text.LICENCE_WAITS, machine=intent.where)
    if await p.bell.until(changed, p.policy.outlet_retract_s - p.policy.outlet_reminder_s):
        return
    with p.book.look() as connection:
        order = _row(connection, intent).order_no
    wanted = Wanted(kind="retract", reason="not_taken", order=order)
    await p.movements.take_back(intent.where, wanted)
    await p.bell.until(changed, PATIENCE_S)


def _row(connection: Connection, intent: Intent) -> Row[Any]:
    return one_row(connection, intents, intent_id=intent.id)


async def _trouble(p: Premises, machine: str, text: Text, what: str) -> bool:
    return await trouble(p, text, machine, what) is not Button.END
