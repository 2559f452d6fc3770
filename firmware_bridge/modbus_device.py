"""One Modbus device on a Bus: its answers as values, its refusals as faults."""

from math import inf

from controller.faults import (
    BadReply,
    DeviceFault,
    NoReply,
    NotConfigured,
    NotMoved,
    OutcomeUnknown,
)
from firmware_bridge import modbus
from firmware_bridge.bus import Bus
from firmware_bridge.turns import Urgency
from firmware_bridge.urls import DeviceUrl


def reply_s(url: DeviceUrl) -> float | None:
    """Return the patience that a URL asks for; None where it leaves that to us."""
    timeout_ms = url.numbers.get("timeout_ms")
    return None if timeout_ms is None else timeout_ms / 1000


class ModbusDevice:
    """Reads may be asked `tries` times; a movement is asked for once."""

    def __init__(self, name: str, bus: Bus, reply_s: float | None = None) -> None:
        self.name = name
        self.bus = bus
        self._reply_s = reply_s
        self.probe_at: tuple[int, int] | None = None  # function and address that every unit has
        self._connection = 0

    async def connect(self, urgency: Urgency) -> int:
        """Use the line's present connection, opened if need be, and no later one."""
        self._connection = self.bus.connection or await self.bus.connect(self.name, urgency)
        return self._connection

    async def ask(self, request: modbus.Request, urgency: Urgency, tries: int = 1) -> bytes:
        """Return the answer's body. NoReply, BadReply, LineDown or NotConfigured instead."""
        reply = await self.bus.ask(
            self.name,
            request,
            urgency=urgency,
            tries=tries,
            reply_s=self._reply_s,
            probe=self._probe(request),
            on=self._connection,
        )
        if reply.refused:
            raise self._refusal(request, modbus.exception_code(reply.body))
        return reply.body

    async def move(
        self,
        request: modbus.Request,
        certain: frozenset[int] = modbus.ILLEGAL,
        *,
        by: float = inf,
    ) -> None:
        """Return when the device has taken the order, which leaves `by` a time or never.

        NotMoved: never sent, or refused with one of the `certain` codes. OutcomeUnknown: all else.
        """
        reply = await self.bus.move(
            self.name,
            request,
            reply_s=self._reply_s,
            probe=self._probe(request),
            on=self._connection,
            by=by,
        )
        if not reply.refused:
            return
        code = modbus.exception_code(reply.body)
        what = str(self._refusal(request, code).what)
        if code in certain:
            raise NotMoved(self.name, what)
        raise OutcomeUnknown(self.name, what)

    def _probe(self, request: modbus.Request) -> modbus.Request | None:
        if self.probe_at is None:
            return None
        function, address = self.probe_at
        return modbus.read(request.station, function, address, 1)

    def _refusal(self, request: modbus.Request, code: int) -> DeviceFault:
        saying = modbus.SAYINGS.get(code, "refuses")
        what = (
            f"unit {request.station} {saying}"
            f" (exception {code:02x} to function {request.function:02x}, {request.address:#06x})"
        )
        if code in modbus.ILLEGAL:
            return NotConfigured(self.name, f"{what}; does the profile fit this board?")
        if code in modbus.GATEWAY:
            return NoReply(self.name, what)
        return BadReply(self.name, what)
