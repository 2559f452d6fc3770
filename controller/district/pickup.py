"""What opens a cabinet, shown to its owner: the order's code and the page behind its link."""

from typing import Final

from sqlalchemy import Connection, bindparam, select

from controller.codes import qr_text
from controller.district import queries
from controller.district import schema as s
from controller.district.seal import Seal
from controller.district.views import PickupCodeView, PickupPage
from controller.entries import OrderState
from controller.prepared import Prepared
from controller.refusals import Reason, Refused

CODE_OPENS = frozenset({OrderState.READY, OrderState.PARTLY_COLLECTED, OrderState.OVERDUE})

_OPEN_CODE: Final = Prepared(
    select(s.codes, s.orders.c.expires_at)
    .join(s.orders, s.orders.c.order_no == s.codes.c.order_no)
    .where(s.codes.c.order_no == bindparam("order"), s.codes.c.state == "open")
)


def open_code(connection: Connection, seal: Seal, url: str, order_no: str) -> PickupCodeView | None:
    """The order's open code, in clear; None once it is spent."""
    row = _OPEN_CODE.first(connection, order=order_no)
    if row is None:
        return None
    token = seal.open(row.token, f"token {row.code_id}")
    return PickupCodeView(
        qr_text(row.site_id, seal.open(row.secret, f"secret {row.code_id}")),
        seal.open(row.typed, f"typed {row.code_id}"),
        f"{url}/p/{token}",
        queries.time(row.expires_at),
    )


def pickup_code(
    connection: Connection, seal: Seal, url: str, order_no: str, client: str | None
) -> PickupCodeView:
    """NOT_FOUND for an order of another client, CONFLICT while the code opens nothing."""
    order = queries.order(connection, order_no, client)
    if order is None:
        raise Refused(Reason.NOT_FOUND)
    code = open_code(connection, seal, url, order_no) if order.state in CODE_OPENS else None
    if code is None:
        raise Refused(Reason.CONFLICT, state=order.state)
    return code


def page(connection: Connection, seal: Seal, url: str, token: str) -> PickupPage | None:
    """What a link shows; None for a link that is none. After the pickup no code is there."""
    row = connection.execute(
        select(s.codes.c.order_no, s.codes.c.state).where(
            s.codes.c.token_key == seal.key_of(token, "token")
        )
    ).first()
    if row is None:
        return None
    order = queries.order(connection, row.order_no)
    assert order is not None
    site = connection.execute(select(s.sites).where(s.sites.c.site_id == order.site_id)).one()
    opens = row.state == "open" and order.state in CODE_OPENS
    return PickupPage(
        order.order_no,
        order.company,
        queries.place(site),
        order.state,
        order.items,
        order.expires_at,
        open_code(connection, seal, url, order.order_no) if opens else None,
    )
