"""Our driver and its peers behind the same two calls: read a register, write a register.

Each raises when it has no answer; what it returns, it vouches for.
"""

import asyncio

import minimalmodbus
from pymodbus import FramerType, ModbusException
from pymodbus.client import (
    AsyncModbusSerialClient,
    AsyncModbusTcpClient,
    ModbusSerialClient,
    ModbusTcpClient,
)

from controller.clock import SystemClock
from controller.faults import DeviceFault
from firmware_bridge import modbus
from firmware_bridge.lines import open_line
from firmware_bridge.modbus_device import ModbusDevice, reply_s
from firmware_bridge.open import Bridge
from firmware_bridge.turns import Urgency
from firmware_bridge.urls import parse

REPLY_S = 0.02  # everybody's patience
BAUD = 115_200
UNIT = 1
TROUBLES = (DeviceFault, ModbusException, OSError, ValueError)


class Ours:
    """A device on our Bus, with the rests that are shipped."""

    may_be_cancelled = True

    def __init__(self, slave, address):
        tail = f"unit={UNIT}&profile=waveshare-relay-32&timeout_ms={REPLY_S * 1000:.0f}"
        url = parse(
            f"modbus+rtutcp://127.0.0.1:{address}?{tail}"
            if isinstance(address, int)
            else f"modbus+rtu://{address}?baud={BAUD}&{tail}"
        )
        self._slave = slave
        self._bridge = Bridge(SystemClock(), opener=self._opened)
        self._device = ModbusDevice("A", self._bridge.bus(url), reply_s(url))

    async def _opened(self, place, clock):
        line = await open_line(place, clock)
        send = line.send

        def noted(frame):
            self._slave.asked_at = asyncio.get_running_loop().time()
            send(frame)

        line.send = noted
        return line

    async def read(self):
        body = await self._device.ask(modbus.read(UNIT, 3, 0, 1), Urgency.POLL)
        return modbus.words_of(body)[0]

    async def write(self, value):
        await self._device.move(modbus.write(UNIT, 6, 0, value))

    async def close(self):
        self._bridge.close()


class PymodbusAsync:
    may_be_cancelled = True

    def __init__(self, _slave, address):
        once = {"timeout": REPLY_S, "retries": 0, "reconnect_delay": 0}
        self._client = (
            AsyncModbusTcpClient("127.0.0.1", port=address, framer=FramerType.RTU, **once)
            if isinstance(address, int)
            else AsyncModbusSerialClient(address, baudrate=BAUD, **once)
        )

    async def _ready(self):
        if not self._client.connected:
            await self._client.connect()

    async def read(self):
        await self._ready()
        return (await self._client.read_holding_registers(0, device_id=UNIT)).registers[0]

    async def write(self, value):
        await self._ready()
        if (await self._client.write_register(0, value, device_id=UNIT)).isError():
            raise ValueError("refused")

    async def close(self):
        self._client.close()
        await asyncio.sleep(0)


class PymodbusSync:
    may_be_cancelled = False

    def __init__(self, _slave, address):
        self._client = (
            ModbusTcpClient(
                "127.0.0.1", port=address, framer=FramerType.RTU, timeout=REPLY_S, retries=0
            )
            if isinstance(address, int)
            else ModbusSerialClient(address, baudrate=BAUD, timeout=REPLY_S, retries=0)
        )

    def _read(self):
        self._client.connect()
        return self._client.read_holding_registers(0, device_id=UNIT).registers[0]

    def _write(self, value):
        self._client.connect()
        if self._client.write_register(0, value, device_id=UNIT).isError():
            raise ValueError("refused")

    async def read(self):
        return await asyncio.to_thread(self._read)

    async def write(self, value):
        await asyncio.to_thread(self._write, value)

    async def close(self):
        self._client.close()


class Minimalmodbus:
    """Knows ttys only."""

    may_be_cancelled = False

    def __init__(self, _slave, address):
        self._instrument = minimalmodbus.Instrument(address, UNIT)
        self._instrument.serial.baudrate = BAUD
        self._instrument.serial.timeout = REPLY_S

    async def read(self):
        return await asyncio.to_thread(self._instrument.read_register, 0)

    async def write(self, value):
        await asyncio.to_thread(self._instrument.write_register, 0, value, functioncode=6)

    async def close(self):
        self._instrument.serial.close()
