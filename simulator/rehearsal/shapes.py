"""The field's year in numbers: how many orders, when, who comes and what they do wrong.

Every number can be replaced; shares of one table sum to one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Final, TypeVar

T = TypeVar("T")
DAY_S: Final = 86_400.0
HOUR_S: Final = 3_600.0
YEAR_DAYS: Final = 365

# January to December: a dip at Spring Festival and National Day, a wave in March.
MONTHS: Final = (0.85, 0.45, 1.40, 1.15, 1.0, 1.05, 1.05, 1.05, 1.05, 0.80, 1.05, 1.10)
# Monday to Sunday; the mean over a week is 5 / 7, so it is set to one where it is used.
ORDER_WEEKDAYS: Final = (1.20, 1.10, 1.00, 0.95, 0.75, 0.0, 0.0)
COLLECT_WEEKDAYS: Final = (1.15, 1.10, 1.10, 1.10, 1.15, 0.75, 0.65)
COLLECT_HOURS: Final = (
    *[1 / 3] * 6,
    *[1.5] * 2,
    *(5, 9, 10, 10, 9, 7, 9, 9, 8, 7, 4, 3, 2, 1.5),
    *[0.75] * 2,
)
# From ready to collected: share, least days, most days. The rest is never fetched.
DWELL: Final = (
    (0.06, 0.0, 0.0),
    (0.34, 0.0, 0.4),
    (0.24, 0.6, 1.4),
    (0.18, 2.0, 3.4),
    (0.11, 4.0, 7.4),
    (0.055, 8.0, 14.0),
)
READY_AFTER_DAYS: Final = ((0.25, 0.2, 0.4), (0.55, 0.8, 1.2), (0.20, 1.8, 2.2))
# The same where a whole order's way fits into a day or two.
BRISK_DWELL: Final = ((0.40, 0.0, 0.0), (0.45, 0.0, 0.2), (0.10, 0.6, 0.9))
BRISK_READY_AFTER_DAYS: Final = ((0.70, 0.0, 0.1), (0.30, 0.1, 0.3))
VENDORS: Final = ("V01", "V02", "V03", "V04", "V05", "V06")
VENDOR_SHARES: Final = (30.0, 25.0, 15.0, 12.0, 10.0, 8.0)


@dataclass(frozen=True, slots=True)
class Shares:
    """Of orders, visits and openings; all between nought and one."""

    licence_in_cabinet: float = 0.10
    low_door: float = 0.02
    types_code: float = 0.08
    two_at_once: float = 0.08
    wrong_site: float = 0.02
    mistypes: float = 0.02
    dark_screen: float = 0.02
    delegate: float = 0.15  # gets a code of its own
    cancelled: float = 0.005
    asked_back: float = 0.005  # an item, by the district
    emergencies_a_day: float = 0.02
    comes_twice: float = 0.01
    lends_screenshot: float = 0.01  # a second person comes with the same code, afterwards
    walks_off: float = 0.005  # with a door open
    hesitates: float = 0.03  # until the screen asks whether anybody is there
    forgets_door: float = 0.015
    leaves_item: float = 0.003
    opens_again: float = 0.02
    leaves_bag: float = 0.001
    not_pulled: float = 0.008
    replaces_at_the_press: float = 0.02
    reports_problem: float = 0.003
    rates: float = 0.30
    strangers_a_day: float = 0.2  # who guess and scan what is not theirs
    looks_over: float = 0.0005  # a copy of a code is held while its owner is served
    shows_old_code: float = 0.002  # though another one was sent


# A place where everything that people do wrong is done often.
TRYING: Final = Shares(
    types_code=0.25,
    two_at_once=0.20,
    wrong_site=0.05,
    mistypes=0.10,
    cancelled=0.06,
    asked_back=0.06,
    emergencies_a_day=0.7,
    comes_twice=0.10,
    lends_screenshot=0.10,
    walks_off=0.02,
    forgets_door=0.03,
    leaves_item=0.02,
    opens_again=0.06,
    leaves_bag=0.01,
    not_pulled=0.03,
    reports_problem=0.03,
    strangers_a_day=3.0,
    looks_over=0.10,
    shows_old_code=0.20,
)

STARS: Final = ((0.88, "5"), (0.08, "4"), (0.03, "3"), (0.007, "2"), (0.003, "1"))

# Seconds that a person needs: least, usual, most.
STEPS_S: Final = {
    "walk_up": (3.0, 6.0, 20.0),
    "find_code": (3.0, 8.0, 60.0),
    "hold": (1.0, 2.0, 6.0),
    "type": (10.0, 18.0, 60.0),
    "confirm": (2.0, 4.0, 20.0),
    "pull": (1.0, 3.0, 15.0),
    "take": (1.0, 3.0, 30.0),
    "close": (1.0, 2.0, 20.0),
    "take_paper": (1.0, 3.0, 15.0),
    "press": (2.0, 5.0, 20.0),
    "read": (1.0, 2.0, 6.0),
    "badge": (1.0, 2.0, 4.0),
    "label": (0.7, 1.0, 2.0),
    "put": (2.0, 3.0, 6.0),
    "vendor_close": (0.7, 1.0, 2.0),
    "come_back": (45.0, 60.0, 240.0),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of place and what a year there holds."""

    name: str
    orders_a_year: float
    cabinets: int
    doors: int  # of each cabinet
    machines: int
    rounds: tuple[float, ...]  # hours of a vendor's visits on a working day
    every_days: int = 1  # between a vendor's visits
    ready_after_days: tuple[tuple[float, float, float], ...] = READY_AFTER_DAYS
    dwell: tuple[tuple[float, float, float], ...] = DWELL


HALL: Final = Profile("hall", 11_500, 3, 48, 2, (10.0, 15.5))
BRANCH: Final = Profile("branch", 2_300, 1, 48, 1, (11.0,))
STREET: Final = Profile("street", 690, 1, 32, 1, (11.0,), 2)
BRISK: Final = Profile(
    "brisk", 690, 1, 32, 1, (10.0, 12.0, 15.5), 1, BRISK_READY_AFTER_DAYS, BRISK_DWELL
)
COMMUNITY: Final = Profile("community", 25, 1, 12, 0, (14.0,), 3)


def chosen(dice: Random, shares: Sequence[tuple[float, T]]) -> T:
    """One of several by its share."""
    left = dice.random() * sum(share for share, _ in shares)
    for share, each in shares:
        left -= share
        if left < 0:
            return each
    return shares[-1][1]


def takes_s(dice: Random, step: str) -> float:
    """How long a person takes; only sums and roots, which every machine rounds alike."""
    least, usual, most = STEPS_S[step]
    return dice.triangular(least, min(most, usual * 2), usual)


def orders_on(profile: Profile, day: datetime, dice: Random) -> int:
    """How many orders are placed for a site on a local day."""
    weekday = ORDER_WEEKDAYS[day.weekday()] * len(ORDER_WEEKDAYS) / sum(ORDER_WEEKDAYS)
    expected = profile.orders_a_year / YEAR_DAYS * MONTHS[day.month - 1] * weekday
    swing = expected * (0.8 + 0.4 * dice.random())
    return int(swing) + (dice.random() < swing - int(swing))


def hour_of_collecting(dice: Random) -> float:
    """Seconds after local midnight at which a recipient comes."""
    hour = chosen(dice, [(share, hour) for hour, share in enumerate(COLLECT_HOURS)])
    return (hour + dice.random()) * HOUR_S
