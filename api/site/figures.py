"""A site's figures for Prometheus, from plain numbers that the site and its lines keep."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Numbers = Mapping[str, float]

_NEVER_FALL = frozenset(
    {
        *("connections", "requests", "replies", "timeouts", "noise_bytes", "unasked_bytes"),
        *("pauses", "reports"),
    }
)
_REFUSED = "refused_"  # a frame that was no answer; its cause follows


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts as they are now; names are the words for states."""

    ready: bool
    doors: Mapping[str, int]  # by what the switch says
    compartments: Mapping[str, int] = field(default_factory=dict)  # by state
    alarms: Mapping[str, int] = field(default_factory=dict)  # raised and not cleared, by kind
    movements: Mapping[str, int] = field(default_factory=dict)  # intents by outcome
    lines: Mapping[str, Numbers] = field(default_factory=dict)  # by line and counter
    boards: Mapping[str, Mapping[str, Numbers]] = field(default_factory=dict)  # line, board, ...
    # By cabinet; nothing of what nothing measures.
    temperature_c: Mapping[str, float | None] = field(default_factory=dict)
    humidity_percent: Mapping[str, float | None] = field(default_factory=dict)
    contacts: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)  # true: all is well
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
    yield from _counted("line", ("line",), {(line,): told for line, told in figures.lines.items()})
    boards: dict[tuple[str, ...], Numbers] = {
        (line, board): told for line, each in figures.boards.items() for board, told in each.items()
    }
    yield from _counted("board", ("line", "board"), boards)
    yield from _surroundings(figures)


def _by(name: str, says: str, label: str, numbers: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, says, labels=[label])
    for each, number in sorted(numbers.items()):
        family.add_metric([each], number)
    return family


def _counted(
    what: str, labels: Sequence[str], told: Mapping[tuple[str, ...], Numbers]
) -> Iterator[Metric]:
    """A family for each name; seconds are called so, and causes of refusal are a label."""
    names = sorted({name for numbers in told.values() for name in numbers})
    for name in (each for each in names if not each.startswith(_REFUSED)):
        kind = CounterMetricFamily if name in _NEVER_FALL else GaugeMetricFamily
        full = f"{name.removesuffix('_s')}_seconds" if name.endswith("_s") else name
        family = kind(f"onewindow_{what}_{full}", f"Of a {what}: {full}", labels=labels)
        for at, numbers in sorted(told.items()):
            if name in numbers:
                family.add_metric(at, numbers[name])
        yield family
    refused = CounterMetricFamily(
        f"onewindow_{what}_refused",
        f"Frames on a {what} that were no answer to what was asked, by cause",
        labels=(*labels, "cause"),
    )
    for at, numbers in sorted(told.items()):
        for name, number in sorted(numbers.items()):
            if name.startswith(_REFUSED):
                refused.add_metric((*at, name.removeprefix(_REFUSED)), number)
    yield refused


def _surroundings(figures: Figures) -> Iterator[Metric]:
    for name, says, told in (
        ("temperature_celsius", "Air in a cabinet", figures.temperature_c),
        ("humidity_percent", "Relative humidity in a cabinet", figures.humidity_percent),
    ):
        family = GaugeMetricFamily(f"onewindow_cabinet_{name}", says, labels=["cabinet"])
        for cabinet, number in sorted(told.items()):
            if number is not None:
                family.add_metric([cabinet], number)
        yield family
    contacts = GaugeMetricFamily(
        "onewindow_cabinet_contact_well",
        "1 while a contact of a cabinet says that all is well",
        labels=["cabinet", "contact"],
    )
    for cabinet, wired in sorted(figures.contacts.items()):
        for contact, well in sorted(wired.items()):
            contacts.add_metric([cabinet, contact], float(well))
    yield contacts
