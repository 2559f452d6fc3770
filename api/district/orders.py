"""Orders over HTTP: placed by a client's system, read by the same client only."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import AfterValidator, AwareDatetime

from api.auth import needs
from api.district import shapes
from api.problems import documented
from api.requests import json_body
from controller.district.district import Client, District
from controller.district.views import OrderFilter
from controller.entries import OrderState

LIMIT_MAX = 200
YEARS = range(2000, 2200)


def _sensible(at: datetime) -> datetime:
    if at.year not in YEARS:
        raise ValueError("is not a time of this century")
    return at


Time = Annotated[AwareDatetime, AfterValidator(_sensible)]
Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$"),
]
ORDER_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/OrderForm"},
                "examples": {"licence and seals": {"value": shapes.ORDER_EXAMPLE}},
            }
        },
    }
}


def router(district: District) -> APIRouter:
    routes = APIRouter(prefix="/api/v1/orders", tags=["orders"])
    Owner = Annotated[Client, Depends(needs("orders", district.client))]  # noqa: N806 - a type

    @routes.post(
        "",
        status_code=201,
        responses={
            200: {"model": shapes.Order, "description": "This very order stands already."},
            **documented(400, 401, 403, 409, 413, 415, 422),
        },
        openapi_extra=ORDER_BODY,
    )
    def place_order(
        client: Owner,
        body: Annotated[Any, Depends(json_body)],
        response: Response,
        key: Key = None,
    ) -> shapes.Order:
        """Place an order. The same order again answers 200, another one of that number 409."""
        placed, new = district.place_order(body, client.name, key)
        if not new:
            response.status_code = 200
        return shapes.order(placed)

    @routes.get("", responses=documented(401, 403, 422))
    def list_orders(
        client: Owner,
        state: OrderState | None = None,
        site: Annotated[str | None, Query(max_length=32)] = None,
        since: Annotated[Time | None, Query(description="placed then or later")] = None,
        until: Annotated[Time | None, Query(description="placed before")] = None,
        cursor: Annotated[str | None, Query(max_length=100)] = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 50,
    ) -> shapes.OrderList:
        """Your orders, newest first; `next` is the cursor of the next page."""
        wanted = OrderFilter(client.name, state, site, since, until)
        return shapes.order_list(district.orders(wanted, cursor, limit))

    _add_one_order(routes, district)
    return routes


def _add_one_order(routes: APIRouter, district: District) -> None:
    Owner = Annotated[Client, Depends(needs("orders", district.client))]  # noqa: N806 - a type
    CodeReader = Annotated[Client, Depends(needs("codes", district.client))]  # noqa: N806 - a type

    @routes.get("/{order_no}", responses=documented(401, 403, 404))
    def one_order(client: Owner, order_no: str) -> shapes.Order:
        """One order, its items and where they are."""
        return shapes.order(district.order(order_no, client.name))

    @routes.get("/{order_no}/pickup-code", responses=documented(401, 403, 404, 409))
    def pickup_code(client: CodeReader, order_no: str) -> shapes.PickupCode:
        """The code that opens the cabinet, while it does; for an app that shows it itself."""
        return shapes.PickupCode.model_validate(district.pickup_code(order_no, client.name))
