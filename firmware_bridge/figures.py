"""What lines and the devices on them have done, as plain numbers; docs/devices.md explains each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from firmware_bridge.bus import Bus
from firmware_bridge.stations import figures_of

Figures = Mapping[str, float]  # by name; frames that were no answer as `refused_CAUSE`


@dataclass(frozen=True, slots=True)
class LineFigures:
    """One line, since the site was started."""

    line: str  # its device file, or host and port
    connected: bool
    numbers: Figures
    boards: Mapping[str, Figures]  # by the names that the devices were made with


def line_figures(
    line: str, bus: Bus, boards: Mapping[str, Callable[[], Figures]], now: float
) -> LineFigures:
    slow = figures_of(*bus.stations.values())
    return LineFigures(
        line=line,
        connected=bus.connection > 0,
        numbers={
            **bus.counters.figures(now),
            "pause_owed_s": bus.timing.gap_s,
            "turnaround_p50_s": slow["turnaround_p50_s"],
            "turnaround_p99_s": slow["turnaround_p99_s"],
        },
        boards={name: told() for name, told in sorted(boards.items())},
    )
