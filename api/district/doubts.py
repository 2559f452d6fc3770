"""What nobody at a site knows, over HTTP: read, and settled by two people. The site decides."""

from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel, ConfigDict, Field

from api.auth import needs
from api.district import shapes
from api.problems import documented
from controller.district.district import Client, District
from controller.district.doubts import REASONS, Settlement
from controller.entries import Verdict

OPAQUE = r"^[A-Za-z0-9._:-]+$"
Person = Annotated[
    str,
    Field(min_length=1, max_length=64, pattern=OPAQUE, description="an opaque id, never a name"),
]
Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$"),
]
EXAMPLE: Final[dict[str, Any]] = {
    "intent": "I4711",
    "outcome": "with_recipient",
    "reason": "phoned",
    "requested_by": "p-17",
    "approved_by": "p-04",
}


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SettleForm(_Form):
    """Where two people say that the item is; `intent` names the doubt that they looked at."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    intent: Annotated[str, Field(min_length=1, max_length=64, pattern=OPAQUE)]
    outcome: Annotated[str, Field(description=f"one of {', '.join(Verdict)}", max_length=64)]
    reason: Annotated[str, Field(description=f"one of {', '.join(REASONS)}", max_length=64)]
    requested_by: Person
    approved_by: Person


class AckForm(_Form):
    """Who looks after an alarm."""

    by: Person


def router(district: District) -> APIRouter:
    routes = APIRouter(prefix="/api/v1", tags=["fleet"])
    Reader = Annotated[Client, Depends(needs("fleet:read", district.client))]  # noqa: N806 - a type
    Operator = Annotated[Client, Depends(needs("fleet:operate", district.client))]  # noqa: N806 - a type

    @routes.get("/sites/{site_id}/doubts", responses=documented(401, 403, 404))
    def doubts(_client: Reader, site_id: str) -> shapes.DoubtList:
        """Items of which nobody knows where they are, and what may be said of each."""
        district.site(site_id)
        found = district.doubts.standing(site_id)
        return shapes.DoubtList(doubts=[shapes.Doubt(**asdict(each)) for each in found])

    @routes.post(
        "/sites/{site_id}/doubts/{item_id}/settle",
        status_code=202,
        responses=documented(400, 401, 403, 404, 409, 413, 422),
    )
    def settle(
        client: Operator, site_id: str, item_id: str, body: SettleForm, key: Key = None
    ) -> shapes.Command:
        """Tell the site where the item is. Whether that doubt still stands is the site's to say."""
        district.site(site_id)
        said = Settlement(site_id=site_id, item_id=item_id, **body.model_dump())
        return shapes.Command(**asdict(district.doubts.settle(said, client.name, key)))

    @routes.get("/commands/{command_id}", responses=documented(401, 403, 404))
    def command(_client: Reader, command_id: str) -> shapes.Command:
        """What became of it: accepted, delivered, then done, refused, failed or expired."""
        return shapes.Command(**asdict(district.doubts.command(command_id)))

    @routes.post(
        "/alarms/{alarm_id}/ack",
        status_code=202,
        responses=documented(400, 401, 403, 404, 409, 413, 422),
    )
    def acknowledge(
        _client: Operator,
        alarm_id: str,
        body: AckForm,
        site: Annotated[
            str | None, Query(max_length=32, description="where several have one of that name")
        ] = None,
    ) -> None:
        """Somebody looks after it: the first one is kept, and its site is told."""
        district.take_on(alarm_id, body.by, site)

    return routes
