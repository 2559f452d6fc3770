"""A small site for power cuts: three doors on a real board's bytes, a machine that prints."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import SecretBytes

from controller.equipment import (
    CabinetTable,
    CompartmentTable,
    LineTable,
    MachineTable,
    ScannerTable,
)
from controller.settings import LinkTable, PolicyTable, SiteSettings, SiteTable

MORNING: Final = datetime(2026, 11, 24, 1, tzinfo=UTC)  # 09:00 in Shenzhen
UNTIL: Final = datetime(2027, 1, 1, tzinfo=UTC)
DOORS: Final = 3
LINE: Final = "modbus+rtu:///L1?baud=19200&parity=N"
WITH_SENSORS: Final = "waveshare-relay-8"
WITHOUT: Final = "waveshare-relay-d-8"


def settings(folder: Path, *, sensors: bool) -> SiteSettings:
    profile = WITH_SENSORS if sensors else WITHOUT
    return SiteSettings(
        site=SiteTable(id="FT-0001", name="Small", address="1 Road", data=folder),
        line=[LineTable(name="L1", url=LINE)],
        cabinet=[
            CabinetTable(letter="A", boards=[f"{LINE}&unit=1&profile={profile}&doors={DOORS}"])
        ],
        compartment=[
            CompartmentTable(cabinet="A", no=no, size="S", height_cm=100, reach="mid")
            for no in range(1, DOORS + 1)
        ],
        machine=[
            MachineTable(name="M1", url="modbus+tcp://127.0.0.1:1?unit=1&profile=licence-machine")
        ],
        scanner=[ScannerTable(name="S1", url="scanner+serial:///S1?baud=9600")],
        policy=PolicyTable(confirm_pickup=False),
        link=LinkTable(
            key=SecretBytes(bytes(32)),
            code_key=SecretBytes(bytes(32)),
            typed_salt=SecretBytes(bytes(32)),
        ),
    )
