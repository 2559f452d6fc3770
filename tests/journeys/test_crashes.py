"""District and broker are killed in the middle of a batch of orders; none is lost or doubled."""

from collections import Counter

import httpx
import pytest
from stage import Stage, order_body, until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("crashes")]

MANY = 200


def place_until_told(stage: Stage, number: str) -> None:
    """A client that asks again under the same key until somebody answers, as clients should."""

    def told() -> bool:
        try:
            answer = stage.api(
                "POST",
                "/orders",
                json=order_body(number),
                headers={"Idempotency-Key": f"place-{number}"},
            )
        except httpx.TransportError:
            return False
        assert answer.status_code in {200, 201}, answer.text
        return True

    until(told, f"order {number} to be taken")


def placed_in_journal(stage: Stage, folder: str) -> Counter[str]:
    rows = stage.journal(stage.demo["databases"][folder], "down", "order.placed")
    return Counter(entry["data"]["order"] for entry in rows)


def test_two_hundred_orders_survive_two_kills(stage: Stage):
    ordered = [f"44030420261126{number:04}" for number in range(MANY)]
    for number in ordered[: MANY // 3]:
        place_until_told(stage, number)
    district = stage.kill("district")
    for number in ordered[MANY // 3 : 2 * MANY // 3]:
        place_until_told(stage, number)
    broker = stage.kill("broker")
    for number in ordered[2 * MANY // 3 :]:
        place_until_told(stage, number)
    stage.restarted("district", district)
    stage.restarted("broker", broker)

    def all_arrived() -> bool:
        return set(ordered) <= set(placed_in_journal(stage, "site"))

    until(all_arrived, "every order at the site", within_s=60.0)
    for tier in ("site", "district"):
        times = placed_in_journal(stage, tier)
        assert {number: times[number] for number in ordered} == dict.fromkeys(ordered, 1)
    until(
        lambda: stage.order(ordered[-1])["state"] == "partly_loaded",
        "the site's answer to reach the district",
    )
