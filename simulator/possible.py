"""Which troubles can come to which line and to which of its boards."""

from typing import TYPE_CHECKING, Any, Final

from simulator.devices.air_sensor import AirSensor
from simulator.devices.input_board import InputBoard
from simulator.devices.kerong import KerongBoard
from simulator.devices.mixed_board import MixedBoard

if TYPE_CHECKING:
    from simulator.world import World

ON_TCP_ONLY: Final = ("tcp_half_open", "tcp_stale", "one_client")
ON_GATEWAYS_ONLY: Final = ("gateway",)
ON_RTU_ONLY: Final = (
    *("garbage", "echo", "swapped", "collision", "wrong_speed", "wrong_parity"),
    *("busy_after_open", "talks"),
)
NOT_ON_GATEWAYS: Final = ("garbled", *ON_RTU_ONLY)
OF_BOARDS: Final = {
    "busy_after_open": KerongBoard,
    "linkage": MixedBoard,
    "talks": AirSensor,
    "reads_zero": AirSensor,
    "holds": AirSensor,
}
PULSES_NOTHING: Final = (InputBoard, AirSensor)


def never_on(world: "World", line: str) -> list[str]:
    """Troubles that no line of this kind has."""
    if line in world.tcp_wires:
        return [*NOT_ON_GATEWAYS, "usb_renumber"]
    strangers = [*ON_GATEWAYS_ONLY]
    if world.wires[line].plan.tcp:
        return [*strangers, "usb_renumber"]
    return [*strangers, *ON_TCP_ONLY]


def never_of(station: Any) -> list[str]:
    """Troubles that no board of this kind has."""
    strangers = [name for name, kind in OF_BOARDS.items() if not isinstance(station, kind)]
    pulses = hasattr(station, "fall") and not isinstance(station, PULSES_NOTHING)
    return strangers if pulses else [*strangers, "slow_after_pulse"]
