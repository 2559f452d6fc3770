"""Where the small world begins: two boxes of order N1 and one of N2, behind a door each."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from pydantic import SecretBytes

from controller.codes import keyed_hash, qr_text
from controller.entries import Down
from controller.equipment import CabinetTable, CompartmentTable
from controller.journal import Stream
from controller.settings import (
    LinkTable,
    PolicyTable,
    SiteSettings,
    SiteTable,
)
from controller.site.site import Site
from controller.site.texts import Button
from controller.store import Store
from simulator.rehearsal.small_world import DOORS, Doors

MORNING: Final = datetime(2026, 11, 24, 1, tzinfo=UTC)  # 09:00 in Shenzhen
SITE: Final = "FT-0001"
ORDERS: Final = ("N1", "N2")
BOXES: Final = {"N1-a": "N1", "N1-b": "N1", "N2-a": "N2"}  # item: its order
KEY: Final = bytes(32)


async def at_once(work: Callable[[], str]) -> str:
    """Nothing is slow where time stands still."""
    return work()


def settings() -> SiteSettings:
    return SiteSettings(
        site=SiteTable(id=SITE, name="Small", address="1 Road"),
        cabinet=[CabinetTable(letter="A", boards=["kerong+tcp://127.0.0.1:1?address=0"])],
        compartment=[
            CompartmentTable(cabinet="A", no=no, size="S", height_cm=100, reach="mid")
            for no in range(1, DOORS + 1)
        ],
        policy=PolicyTable(confirm_pickup=False, reopen_times=1, lock_pulses=2),
        link=LinkTable(
            key=SecretBytes(KEY), code_key=SecretBytes(KEY), typed_salt=SecretBytes(KEY)
        ),
    )


def _secret(name: str) -> str:
    """Twenty-six characters that every code reader takes for a secret."""
    digits = int.from_bytes(hashlib.sha256(name.encode()).digest()) % 10**26
    return f"{digits:026d}"


def qr(order: str) -> str:
    return qr_text(SITE, _secret(order))


def place(site: Site, store: Store, order: str) -> None:
    """The district says an order, perhaps not for the first time."""
    items = [
        {
            "item_id": item,
            "kind": "seal_set",
            "holder": "cabinet",
            "vendor_id": "V01",
            "label": f"OWL:{item}",
            "size": "S",
        }
        for item, owner in BOXES.items()
        if owner == order
    ]
    code = {"code_id": f"{order}-code", "qr": keyed_hash(KEY, _secret(order)), "typed": []}
    _tell(
        site,
        store,
        Down.ORDER_PLACED,
        order=order,
        company=f"Company {order}",
        items=items,
        codes=[code],
        retention_s=15 * 86_400,
        needs={},
    )


def load(site: Site, store: Store, doors: Doors, pass_: Callable[[float], None]) -> dict[int, str]:
    """A vendor brings all three boxes, as vendors do; which is behind which door."""
    behind = {}
    _tell(
        site,
        store,
        Down.BADGE_GRANTED,
        badge="badge1",
        hash=keyed_hash(KEY, _secret("badge")),
        role="vendor",
        vendor_id="V01",
        valid_until="2027-01-01T00:00:00.000Z",
    )
    for order in ORDERS:
        place(site, store, order)
    site.scanned(f"OWB:{_secret('badge')}")
    pass_(1.0)
    for item in BOXES:
        site.scanned(f"OWL:{item}")
        pass_(1.0)
        (where,) = site.kiosk_view().doors
        door = int(where.partition("/")[2])
        doors.pull(door)
        pass_(1.0)
        doors.boxes[door - 1].inside.append(item)
        doors.touch()
        pass_(1.0)
        doors.close(door)
        pass_(1.0)
        if Button.CONFIRM in site.kiosk_view().buttons:
            site.press(Button.CONFIRM)
            pass_(1.0)
        behind[door] = item
    site.press(Button.END)
    pass_(60.0)
    assert sorted(behind) == list(range(1, DOORS + 1))
    return behind


def _tell(site: Site, store: Store, kind: Down, **said: object) -> None:
    with store.write() as transaction:
        entry = transaction.append(SITE, Stream.DOWN, kind.value, said)
        site.inbox.apply(transaction, entry)
