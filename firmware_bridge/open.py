"""Every device of a site by its URL; devices on one line share one Bus."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from controller.ports import Clock
from firmware_bridge import urls
from firmware_bridge.bus import Bus, Timing
from firmware_bridge.exchange import Wire
from firmware_bridge.licence_machine import ModbusLicenceMachine
from firmware_bridge.lines import LineOpener, open_line
from firmware_bridge.modbus import RtuWire, TcpWire
from firmware_bridge.modbus_board import POLL_S, ModbusBoard, Wiring
from firmware_bridge.modbus_device import ModbusDevice
from firmware_bridge.profiles import Source, load_profiles
from firmware_bridge.scanner import REPEAT_MS, SerialScanner
from firmware_bridge.urls import BadUrl, DeviceUrl, SerialPlace

SILENCE_CHARS: Final = 3.5
SILENCE_BITS: Final = 11  # the standard counts characters of 11 bits, whatever the line sends
SILENCE_FAST_S: Final = 0.00175  # above 19200 baud
FAST_BAUD: Final = 19_200
SILENCE_SPARE_S: Final = 0.0002  # what our own timer may be early or late
RTU_REPLY_S, RTU_REST_S = 0.3, 0.25
SERVER_REPLY_S, SERVER_REST_S, SERVER_GAP_S = 0.6, 0.6, 0.02  # RTU through a device server
SERVER_SETTLE_S: Final = 0.6  # it may still hold bytes from before we connected
TCP_REPLY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Shared:
    bus: Bus
    first: DeviceUrl


class Bridge:
    """Makes devices; opens nothing before a device is used, closes all lines at the end."""

    def __init__(
        self, clock: Clock, *, opener: LineOpener = open_line, user_profiles: Path | None = None
    ) -> None:
        self._clock = clock
        self._opener = opener
        self._profiles = load_profiles(user_profiles)
        self._shared: dict[str, _Shared] = {}
        self._listened: dict[str, str] = {}

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

    @property
    def profiles(self) -> Mapping[str, Source]:
        return self._profiles

    def lock_board(self, text: str, name: str, *, poll_s: float = POLL_S) -> ModbusBoard:
        """Return the board behind a URL; BadUrl when it cannot be one."""
        url = self._modbus(text)
        if url.profile not in self._profiles:
            known = ", ".join(sorted(self._profiles))
            raise BadUrl(f"{text}: profile {url.profile} is not known ({known} are)")
        profile = self._profiles[url.profile].profile
        numbers = url.numbers
        doors = numbers.get("doors", profile.doors)
        if doors > profile.doors:
            raise BadUrl(f"{text}: doors={doors}, but {url.profile} has {profile.doors}")
        present = profile.item.present if profile.item else 1
        wiring = Wiring(
            unit=url.unit,
            doors=doors,
            closed=numbers.get("closed", profile.door.closed),
            present=numbers.get("item", present),
            pulse_ms=numbers.get("pulse_ms", profile.pulse.ms),
        )
        device = ModbusDevice(name, self._bus(url), _reply_s(url))
        if profile.ident is not None:
            device.probe_at = (profile.ident.fc, profile.ident.address)
        return ModbusBoard(device, profile, wiring, self._clock, poll_s=poll_s)

    def licence_machine(self, text: str, name: str) -> ModbusLicenceMachine:
        """Return the machine behind a URL; BadUrl when it cannot be one."""
        url = self._modbus(text)
        if url.profile != urls.LICENCE_MACHINE:
            raise BadUrl(f"{text}: a licence machine has profile={urls.LICENCE_MACHINE}")
        device = ModbusDevice(name, self._bus(url), _reply_s(url))
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

    def _modbus(self, text: str) -> DeviceUrl:
        url = urls.parse(text)
        if not url.scheme.startswith("modbus"):
            raise BadUrl(f"{text}: {url.scheme} is no Modbus; like {urls.EXAMPLES['modbus+tcp']}")
        return url

    def _bus(self, url: DeviceUrl) -> Bus:
        key = url.place.key
        if key in self._listened:
            raise BadUrl(f"{url.text}: {key} is already a scanner's ({self._listened[key]})")
        if (shared := self._shared.get(key)) is not None:
            urls.agree(shared.first, url)
            return shared.bus
        wire: Callable[[], Wire] = TcpWire if url.scheme == "modbus+tcp" else RtuWire
        bus = Bus(url.place, timing_of(url), new_wire=wire, clock=self._clock, opener=self._opener)
        self._shared[key] = _Shared(bus, url)
        return bus


def timing_of(url: DeviceUrl) -> Timing:
    """Return how a line of this kind is treated."""
    gap_ms = url.numbers.get("gap_ms")
    if isinstance(url.place, SerialPlace):
        gap_s = silence_s(url.place.baud) + SILENCE_SPARE_S
        if gap_ms is not None:
            gap_s = max(gap_s, gap_ms / 1000)
        return Timing(gap_s, RTU_REPLY_S, RTU_REST_S)
    if url.scheme == "modbus+tcp":
        return Timing(0.0, TCP_REPLY_S, 0.0)
    gap_s = SERVER_GAP_S if gap_ms is None else gap_ms / 1000
    return Timing(gap_s, SERVER_REPLY_S, SERVER_REST_S, SERVER_SETTLE_S)


def silence_s(baud: int) -> float:
    """Return the 3.5 characters that separate two RTU frames."""
    return SILENCE_CHARS * SILENCE_BITS / baud if baud <= FAST_BAUD else SILENCE_FAST_S


def _reply_s(url: DeviceUrl) -> float | None:
    timeout_ms = url.numbers.get("timeout_ms")
    return None if timeout_ms is None else timeout_ms / 1000
