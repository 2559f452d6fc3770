"""A district as one site knows it: a down journal, and the codes that people were given."""

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from random import Random
from typing import Any, Final, Literal

from sqlalchemy import MetaData, create_engine

from controller.codes import keyed_hash, mint_secret, mint_typed, qr_text, typed_hash
from controller.entries import Down
from controller.entries_down import PlacedCode, PlacedItem
from controller.journal import Entry, Stream, append, entries, journal_table, rfc3339
from controller.settings import SiteSettings
from simulator.rehearsal.linked_people import card_number

RETENTION_S: Final = 15 * 86_400
NEWEST: Final = 100  # entries that are at hand
HASTY_S: Final = 3_600  # the day on which it was ready, and no more
Size = Literal["S", "M", "L"]


def quick_hash(salt: bytes, typed: str, phone_tail: str) -> str:
    """In place of scrypt, whose slowness is for guessers: nobody guesses at hashes here."""
    return hashlib.sha256(salt + (typed + phone_tail).encode()).hexdigest()


async def slowly(work: Callable[[], str]) -> str:
    """In virtual time no thread may run beside, and a slow hash is played by a quick one."""
    if isinstance(work, partial) and work.func is typed_hash:
        return quick_hash(*work.args)
    return work()


@dataclass(slots=True)
class Code:
    """What somebody holds: a QR, and eight digits to type with the phone's last four."""

    code_id: str
    order: str
    qr: str
    tail: str  # of the phone that has it
    typed: str = ""
    card: str = ""  # the number of an identity card, where the site reads cards


@dataclass(slots=True)
class Order:
    """An order as its recipient and its vendor know it."""

    number: str
    company: str
    vendor: str
    codes: list[Code]
    boxes: list[str]  # labels that a vendor brings
    licences: list[str]  # labels that staff bring; none where a machine prints
    printed: int  # licences that come from a machine
    cancelled: bool = False
    gone: set[str] = field(default_factory=set)  # things in somebody's hands


class District:
    """Writes the down journal of one site. `told` is called with each new entry."""

    def __init__(self, settings: SiteSettings, dice: Random, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._dice = dice
        self._now = now
        metadata = MetaData()
        self._journal = journal_table(metadata)
        self._engine = create_engine("sqlite://")
        metadata.create_all(self._engine)
        self.orders: dict[str, Order] = {}
        self.said = 0  # entries so far
        self._newest: deque[Entry] = deque(maxlen=NEWEST)  # of them: mostly those are asked for
        self.told: Callable[[Entry], None] = lambda _entry: None
        self.badges: dict[str, str] = {}  # badge id to its text

    def close(self) -> None:
        self._engine.dispose()

    # what is said to the site

    def tell(self, kind: Down, data: dict[str, Any]) -> None:
        site = self._settings.site.id
        with self._engine.begin() as connection:
            entry = append(
                connection, self._journal, site, Stream.DOWN, kind.value, data, self._now()
            )
        self.said = entry.seq
        self._newest.append(entry)
        self.told(entry)

    def after(self, seq: int) -> list[Entry]:
        """What a site that knows so much has yet to hear."""
        if self._newest and self._newest[0].seq <= seq + 1:
            return [entry for entry in self._newest if entry.seq > seq]
        with self._engine.connect() as connection:
            site = self._settings.site.id
            return list(entries(connection, self._journal, site, Stream.DOWN, after=seq))

    def grant(self, badge: str, role: str, vendor: str | None, until: datetime) -> None:
        secret = mint_secret(self._dice.getrandbits)
        self.badges[badge] = f"OWB:{secret}"
        self.tell(
            Down.BADGE_GRANTED,
            {
                "badge": badge,
                "hash": self._hashed(secret),
                "role": role,
                "vendor_id": vendor,
                "valid_until": rfc3339(until),
            },
        )

    def revoke(self, badge: str) -> None:
        self.tell(Down.BADGE_REVOKED, {"badge": badge})

    def place(
        self,
        number: str,
        vendor: str,
        *,
        licence: str,
        types: bool,
        low: bool = False,
        boxes: tuple[str, ...] = ("seals",),
    ) -> Order:
        """An order of seals and a licence, which a machine prints or staff bring, or nobody."""
        items = [_item(number, name, "seal_set", "cabinet", vendor) for name in boxes]
        holder = "machine" if licence == "machine" else "cabinet"
        if licence:
            items.append(_item(number, "licence", "business_licence", holder, None))
        labels = [each["label"] for each in items]
        stores = any(each.kind == "store" for each in self._settings.machine)
        order = Order(
            number,
            f"Company {number}",
            vendor,
            [],
            boxes=labels[: len(boxes)],
            licences=labels[len(boxes) :] if licence == "cabinet" or stores else [],
            printed=int(licence == "machine" and not stores),
        )
        self.orders[number] = order
        self._take_on(order, items, {"reach": "low"} if low else {}, types=types)
        return order

    def _take_on(
        self, order: Order, items: list[PlacedItem], needs: dict[str, str], *, types: bool
    ) -> None:
        """The site is told, and somebody is given the code."""
        code, placed = self._code(order.number, f"{order.number}-a", types=types)
        order.codes.append(code)
        self.tell(
            Down.ORDER_PLACED,
            {
                "order": order.number,
                "company": order.company,
                "items": items,
                "codes": [placed],
                "retention_s": self._retention_s,
                "needs": needs,
            },
        )

    def delegate(self, order: Order) -> Code:
        """Somebody else may fetch it too, with a code of their own."""
        name = f"{order.number}-{chr(ord('a') + len(order.codes))}"
        code, placed = self._code(order.number, name, types=False)
        order.codes.append(code)
        self.tell(Down.ORDER_UPDATED, {"order": order.number, "codes": [placed]})
        return code

    def replace(self, order: Order, *, types: bool = False) -> Code:
        """The newest code is dead from now on; another one takes its place."""
        old = order.codes[-1]
        name = f"{order.number}-{chr(ord('a') + len(order.codes))}"
        code, placed = self._code(order.number, name, types=types)
        order.codes.append(code)
        data = {"order": order.number, "replaces": old.code_id, "code": placed}
        self.tell(Down.CODE_REPLACED, data)
        return code

    def ask_back(self, order: str, item: str) -> None:
        """Whoever made it is to take it back."""
        self.tell(Down.ITEM_RETURN, {"order": order, "item": item, "reason": "reengrave"})

    def cancel(self, order: Order) -> None:
        order.cancelled = True
        self.tell(Down.ORDER_CANCELLED, {"order": order.number, "reason": "withdrawn"})

    def command(
        self,
        kind: Down,
        command: str,
        place: tuple[str, int],
        approved_by: str | None,
        ends: datetime,
    ) -> None:
        """Somebody here wants a compartment opened, blocked or back in use."""
        cabinet, no = place
        self.tell(
            kind,
            {
                "command": command,
                "cabinet": cabinet,
                "no": no,
                "reason": "asked_for",
                "requested_by": "ops1",
                "approved_by": approved_by,
                "expires_at": rfc3339(ends),
            },
        )

    # secrets

    @property
    def _retention_s(self) -> int:
        """Short where a site takes back at once what is overdue."""
        return RETENTION_S if self._settings.policy.overdue_return_s else HASTY_S

    def _hashed(self, secret: str) -> str:
        return keyed_hash(self._settings.link.code_key.get_secret_value(), secret)

    def _code(self, order: str, code_id: str, *, types: bool) -> tuple[Code, PlacedCode]:
        secret = mint_secret(self._dice.getrandbits)
        tail = f"{self._dice.randrange(10_000):04d}"
        code = Code(code_id, order, qr_text(self._settings.site.id, secret), tail)
        hashes = []
        if types:
            digits = mint_typed(self._dice.randrange)
            salt = self._settings.link.typed_salt.get_secret_value()
            hashes = [quick_hash(salt, digits, tail)]
            code.typed = digits + tail
        if self._settings.card_reader:
            code.card = card_number(self._dice)
        placed = PlacedCode(
            code_id=code_id,
            qr=self._hashed(secret),
            typed=hashes,
            tails=[self._hashed(f"{secret}{tail}")],
        )
        if code.card:
            placed["id_hashes"] = [self._hashed(code.card)]
        return code, placed


def _item(order: str, name: str, kind: str, holder: Any, vendor: str | None) -> PlacedItem:
    return {
        "item_id": f"{order}-{name}",
        "kind": kind,
        "holder": holder,
        "vendor_id": vendor,
        "label": f"OWL:{order}-{name}",
        "size": "S",
    }
