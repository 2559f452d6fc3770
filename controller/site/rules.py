"""The site's policy as it is now: its own file, and what the district may change of it."""

import json
from typing import Any, Final

from pydantic import ValidationError

from controller.entries import Down, SettingsTaken, Up
from controller.entries_down import SettingsChanged
from controller.journal import Entry
from controller.rows import rows
from controller.settings import PolicyTable
from controller.site.book import Act, Book
from controller.site.schema import changed_settings as table

# How people are treated. What keeps doors shut (caps, tries, factors, expiry, badges, locks) is
# the site's own affair: a district that was taken over must not loosen it.
CHANGEABLE: Final = frozenset(
    {
        "confirm_pickup",
        "session_idle_s",
        "session_end_s",
        "vendor_idle_s",
        "refused_s",
        "rating_s",
        "ajar_notice_s",
        "day_lost_s",
        "overdue_return_s",
        "outlet_reminder_s",
        "outlet_retract_s",
    }
)


class Rules:
    """Whoever asks for `now` has what holds at this moment."""

    def __init__(self, own: PolicyTable, book: Book) -> None:
        self.now = own
        self._own = own
        self._book = book
        book.store.on_commit(self._committed)

    def start(self) -> None:
        """Take over what was changed before."""
        with self._book.look() as connection:
            found = rows(connection, table)
        changed = {row.key: json.loads(row.value) for row in found if row.key in CHANGEABLE}
        self.now = self._own.model_copy(update=changed)

    def _committed(self, entries: list[Entry]) -> None:
        if any(entry.kind == Down.SETTINGS_CHANGED for entry in entries):
            self.start()


def change_settings(act: Act, data: SettingsChanged) -> None:
    """What may be changed and makes sense is; the rest is refused by name. None: as in the file."""
    taken, refused = [], []
    for key, value in sorted(data["policy"].items()):
        try:
            written = _checked(key, value)
        except ValueError:
            refused.append(key)
            continue
        taken.append(key)
        act.db.execute(table.delete().where(table.c.key == key))
        if value is not None:
            act.db.execute(table.insert().values(key=key, value=json.dumps(written)))
    act.say(Up.SETTINGS_TAKEN, SettingsTaken(taken=taken, refused=refused))


def _checked(key: str, value: Any) -> Any:
    """ValueError where it may not be changed, or not to this."""
    if key not in CHANGEABLE:
        raise ValueError(key)
    if value is None:
        return None
    try:
        return getattr(PolicyTable.model_validate({key: value}), key)
    except ValidationError as error:
        raise ValueError(key) from error
