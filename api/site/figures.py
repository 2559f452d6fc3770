"""A site's figures for Prometheus, from plain numbers that the site and its lines keep."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_NEVER_FALL = frozenset({"connections", "requests", "replies", "timeouts", "noise_bytes"})


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts as they are now; names are the words for states."""

    ready: bool
    doors: Mapping[str, int]  # by what the switch says
    compartments: Mapping[str, int] = field(default_factory=dict)  # by state
    alarms: Mapping[str, int] = field(default_factory=dict)  # raised and not cleared, by kind
    movements: Mapping[str, int] = field(default_factory=dict)  # intents by outcome
    lines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # by line and counter
    journal: int = 0  # entries
    journal_unsent: int = 0  # entries that the district has not acknowledged


class SiteCollector(Collector):
    """Asks for the figures when somebody reads them."""

    def __init__(self, figures: Callable[[], Figures]) -> None:
        self._figures = figures

    def describe(self) -> list[Metric]:
        """Nothing beforehand: the database may not be there yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        return _families(self._figures())


def _families(figures: Figures) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "onewindow_site_ready", "1 while the site serves people", value=float(figures.ready)
    )
    yield _by("onewindow_doors", "Doors by what their switch says", "state", figures.doors)
    yield _by("onewindow_compartments", "Compartments by state", "state", figures.compartments)
    yield _by("onewindow_alarms", "Alarms raised and not cleared", "kind", figures.alarms)
    moved = CounterMetricFamily(
        "onewindow_movements", "Movements that were asked for, by outcome.", labels=["outcome"]
    )
    for outcome, number in sorted(figures.movements.items()):
        moved.add_metric([outcome], number)
    yield moved
    yield CounterMetricFamily(
        "onewindow_journal_entries", "Entries in the site's journal", value=figures.journal
    )
    yield GaugeMetricFamily(
        "onewindow_journal_unsent",
        "Entries that the district has not acknowledged",
        value=figures.journal_unsent,
    )
    yield from _lines(figures.lines)


def _by(name: str, says: str, label: str, numbers: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, says, labels=[label])
    for each, number in sorted(numbers.items()):
        family.add_metric([each], number)
    return family


def _lines(lines: Mapping[str, Mapping[str, float]]) -> Iterator[Metric]:
    for counter in sorted({counter for line in lines.values() for counter in line}):
        kind = CounterMetricFamily if counter in _NEVER_FALL else GaugeMetricFamily
        family = kind(
            f"onewindow_line_{counter}", f"Of a line to machines: {counter}", labels=["line"]
        )
        for line, counters in sorted(lines.items()):
            if counter in counters:
                family.add_metric([line], counters[counter])
        yield family
