"""Every device of a site by its URL; devices on one line share one Bus."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from controller.ports import Clock
from firmware_bridge import idcard, kerong, modbus_board, urls, xorboard
from firmware_bridge.bus import Bus
from firmware_bridge.environment import ModbusSurroundings
from firmware_bridge.figures import Figures, LineFigures, line_figures
from firmware_bridge.idcard import SamReader
from firmware_bridge.licence_machine import ModbusLicenceMachine
from firmware_bridge.lines import LineOpener, open_line
from firmware_bridge.lock_board import POLL_S, DoorRow
from firmware_bridge.modbus_device import ModbusDevice, reply_s
from firmware_bridge.news import News
from firmware_bridge.panel import Dialect
from firmware_bridge.profiles import (
    Source,
    SurroundingsSource,
    load_profiles,
    load_surroundings,
)
from firmware_bridge.scanner import REPEAT_MS, SerialScanner
from firmware_bridge.timing import Timing, silence_s
from firmware_bridge.turns import Shares
from firmware_bridge.urls import BadUrl, DeviceUrl

__all__ = ["Bridge", "silence_s", "timing_of"]

# One line per protocol, by the first word of its URLs' schemes.
DIALECTS: Final[Mapping[str, Dialect]] = {
    "modbus": modbus_board.DIALECT,
    "kerong": kerong.DIALECT,
    "xorboard": xorboard.DIALECT,
    "idcard": idcard.DIALECT,
}


@dataclass(frozen=True, slots=True)
class _Shared:
    bus: Bus
    first: DeviceUrl


class Bridge:
    """Makes devices; opens nothing before a device is used, closes all lines at the end."""

    def __init__(
        self,
        clock: Clock,
        *,
        opener: LineOpener = open_line,
        user_profiles: Path | None = None,
        shares: Shares | None = None,
        news: News | None = None,
    ) -> None:
        """With `news` boards are read when something is told of them, else they are polled."""
        self._clock = clock
        self._news = news
        self._shares = shares
        self._opener = opener
        self._profiles = load_profiles(user_profiles)
        self._surroundings = load_surroundings(user_profiles)
        self._shared: dict[str, _Shared] = {}
        self._listened: dict[str, str] = {}
        self._boards: defaultdict[str, dict[str, Callable[[], Figures]]] = defaultdict(dict)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        for shared in self._shared.values():
            shared.bus.close()

    @property
    def lines(self) -> Mapping[str, Bus]:
        """Every Bus by its device file or host and port."""
        return {key: shared.bus for key, shared in self._shared.items()}

    def figures(self) -> tuple[LineFigures, ...]:
        """What every line and every board on it has done; of a code reader there is nothing."""
        now = self._clock.monotonic()
        return tuple(
            line_figures(key, bus, self._boards[key], now) for key, bus in self.lines.items()
        )

    @property
    def profiles(self) -> Mapping[str, Source]:
        return self._profiles

    @property
    def surroundings(self) -> Mapping[str, SurroundingsSource]:
        return self._surroundings

    def lock_board(self, text: str, name: str, *, poll_s: float = POLL_S) -> DoorRow:
        """Return the board behind a URL; BadUrl when it cannot be one."""
        url = urls.parse(text)
        dialect = DIALECTS.get(url.protocol)
        if dialect is None or dialect.panel is None:
            raise BadUrl(
                f"{text}: {url.scheme} is no lock board; like {urls.EXAMPLES['modbus+tcp']}"
            )
        if url.profile in self._surroundings:
            raise BadUrl(f"{text}: profile {url.profile} is a sensor's, and no lock board's")
        panel = dialect.panel(url, name, self.bus(url), self._profiles)
        row = DoorRow(panel, self._clock, poll_s=poll_s, news=self._news)
        self._boards[url.place.key][name] = row.figures
        return row

    def environment(self, text: str, name: str) -> ModbusSurroundings:
        """Return the sensors and lamps behind a URL; BadUrl when it cannot be any."""
        url = urls.parse(text)
        if url.protocol != "modbus":
            raise BadUrl(f"{text}: {url.scheme} is no Modbus; like {urls.EXAMPLES['modbus+rtu']}")
        if (source := self._surroundings.get(url.profile)) is None:
            known = ", ".join(sorted(self._surroundings))
            raise BadUrl(f"{text}: profile {url.profile} is no sensor ({known} are)")
        profile = source.profile
        if strangers := sorted(url.numbers.keys() & urls.BOARD):
            raise BadUrl(f"{text}: {strangers[0]} is a lock board's, and {url.profile} is none")
        device = ModbusDevice(name, self.bus(url), reply_s(url))
        if profile.ident is not None:
            device.probe_at = (profile.ident.fc, profile.ident.address)
        around = ModbusSurroundings(device, url.unit, profile, self._clock, news=self._news)
        self._boards[url.place.key][name] = around.figures
        return around

    def id_card_reader(self, text: str, name: str) -> SamReader:
        """Return the card reader behind a URL; it has its line for itself."""
        url = urls.parse(text)
        if url.protocol != "idcard":
            raise BadUrl(f"{text}: a card reader is {urls.EXAMPLES['idcard+serial']}")
        if url.place.key in self._shared:
            raise BadUrl(f"{text}: {url.place.key} is already in use; a card reader has its own")
        return SamReader(name, self.bus(url), self._clock, reply_s(url))

    def licence_machine(self, text: str, name: str) -> ModbusLicenceMachine:
        """Return the machine behind a URL; BadUrl when it cannot be one."""
        url = urls.parse(text)
        if url.profile != urls.LICENCE_MACHINE:
            raise BadUrl(f"{text}: a licence machine has profile={urls.LICENCE_MACHINE}")
        device = ModbusDevice(name, self.bus(url), reply_s(url))
        self._boards[url.place.key][name] = device.bus.stations[url.unit].figures
        return ModbusLicenceMachine(device, url.unit, self._clock)

    def code_reader(self, text: str, name: str) -> SerialScanner:
        """Return the scanner behind a URL; it has its line for itself."""
        url = urls.parse(text)
        if url.scheme != "scanner+serial":
            raise BadUrl(f"{text}: a scanner is {urls.EXAMPLES['scanner+serial']}")
        key = url.place.key
        if key in self._shared or key in self._listened:
            raise BadUrl(f"{text}: {key} is already in use; a scanner has a line of its own")
        self._listened[key] = text
        repeat_ms = url.numbers.get("repeat_ms", REPEAT_MS)
        return SerialScanner(
            name, url.place, self._clock, self._opener, suffix=url.suffix, repeat_ms=repeat_ms
        )

    def bus(self, url: DeviceUrl) -> Bus:
        """Return the line's Bus, the same for every device on it; BadUrl where they disagree."""
        key = url.place.key
        if key in self._listened:
            raise BadUrl(f"{url.text}: {key} is already a scanner's ({self._listened[key]})")
        if (shared := self._shared.get(key)) is not None:
            urls.agree(shared.first, url)
            return shared.bus
        bus = Bus(
            url.place,
            timing_of(url),
            new_wire=DIALECTS[url.protocol].wire(url),
            clock=self._clock,
            opener=self._opener,
            shares=self._shares,
        )
        self._shared[key] = _Shared(bus, url)
        return bus


def timing_of(url: DeviceUrl) -> Timing:
    """Return how a line of this kind is treated."""
    return DIALECTS[url.protocol].timing(url)
