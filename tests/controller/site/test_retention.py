"""The last day to collect, by rule alone."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from controller.site.retention import (
    DAY,
    Span,
    end_of,
    last_day,
    last_moment,
    local_day,
    lost_days,
    prolonged,
    start_of,
)

DAY_S = 86_400
HOUR_S = 3_600
READY = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
moments = st.integers(0, 80 * DAY_S).map(lambda s: READY + timedelta(seconds=s))
days = st.dates(date(2026, 11, 20), date(2026, 12, 31))
spans = st.builds(
    lambda since, s: Span(since, since + timedelta(seconds=s)),
    moments,
    st.integers(0, 4 * DAY_S),
)


@given(moments, st.integers(3, 60))
def test_the_last_moment_is_a_local_midnight_so_many_days_after_the_ready_day(ready, number):
    end = last_moment(ready, number * DAY_S)
    assert end == end_of(local_day(ready) + number * DAY)
    assert end.astimezone(UTC).hour == 16
    assert last_day(end) == local_day(ready) + number * DAY


@given(st.lists(spans, max_size=8))
def test_a_day_that_nothing_touches_is_not_lost_and_one_that_is_covered_whole_is(some):
    lost = lost_days(some, HOUR_S)
    for day in lost:
        assert any(each.since < end_of(day) and each.until > start_of(day) for each in some)
    for each in some:
        day = local_day(each.since) + DAY
        while end_of(day) <= each.until:
            assert day in lost
            day += DAY


@given(st.lists(spans, max_size=6))
def test_the_order_of_spans_and_a_second_word_for_the_same_time_change_nothing(some):
    assert lost_days(some, HOUR_S) == lost_days([*reversed(some), *some], HOUR_S)


@given(st.lists(spans, max_size=6), spans)
def test_more_in_the_way_never_loses_fewer_days(some, more):
    assert lost_days(some, HOUR_S) <= lost_days([*some, more], HOUR_S)


@given(st.integers(1, 23))
def test_short_troubles_of_one_day_add_up(hours):
    morning = start_of(date(2026, 11, 24))
    parts = [
        Span(morning + timedelta(hours=h), morning + timedelta(hours=h, minutes=30))
        for h in range(hours)
    ]
    assert bool(lost_days(parts, HOUR_S)) == (hours >= 2)


@given(days, st.integers(3, 20), st.sets(days))
def test_the_last_day_moves_by_exactly_the_lost_days_within_the_time(ready, number, lost):
    last = prolonged(ready, ready + number * DAY, lost)
    within = {day for day in lost if ready <= day <= last}
    assert last == ready + (number + len(within)) * DAY
    good = {ready + n * DAY for n in range((last - ready).days + 1)} - lost
    assert len(good) == number + 1


@given(days, st.integers(3, 20), st.sets(days), st.sets(days))
def test_a_day_that_is_found_lost_later_never_takes_one_away(ready, number, some, more):
    last = ready + number * DAY
    assert prolonged(ready, last, some | more) >= prolonged(ready, last, some)
