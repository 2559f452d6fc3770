"""What the settings say is here: told at every start, and a row for whatever is new."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version

from controller.entries import CompartmentPlan, CompartmentState, SiteStarted
from controller.rows import add_row, change_rows, rows
from controller.settings import SiteSettings
from controller.site import schema
from controller.site.book import Act
from controller.site.machines import AWAY


@cache
def release() -> str:
    """What is installed here."""
    try:
        return version("onewindow")
    except PackageNotFoundError:
        return "unpacked"


def started(settings: SiteSettings) -> SiteStarted:
    return SiteStarted(
        version=release(),
        compartments=[
            CompartmentPlan(
                cabinet=each.cabinet,
                no=each.no,
                size=each.size,
                height_cm=each.height_cm,
                reach=each.reach,
            )
            for each in settings.compartment
        ],
        machines=[each.name for each in settings.machine],
    )


def take_over_plan(act: Act, settings: SiteSettings) -> None:
    """New compartments are free and their doors unknown; what was known stays known."""
    known = {
        (row.cabinet, row.no): {"size": row.size, "height_cm": row.height_cm, "reach": row.reach}
        for row in rows(act.db, schema.compartments)
    }
    for each in settings.compartment:
        plan: dict[str, str | int] = {
            "size": each.size,
            "height_cm": each.height_cm,
            "reach": each.reach,
        }
        at: dict[str, str | int] = {"cabinet": each.cabinet, "no": each.no}
        before = known.get((each.cabinet, each.no))
        if before == plan:
            continue
        if before is not None:
            change_rows(act.db, schema.compartments, at, **plan)
            continue
        free = CompartmentState.FREE.value
        add_row(act.db, schema.compartments, **at, **plan, state=free)
        add_row(act.db, schema.doors, **at, door="shut", state="unknown", n=0, at=act.now)
    machines = {row.machine for row in rows(act.db, schema.machines)}
    for machine in settings.machine:
        if machine.name not in machines:
            add_row(
                act.db,
                schema.machines,
                machine=machine.name,
                next_seq=1,
                next_job=1,
                state=AWAY,
                faults="",
                at=act.now,
            )
