"""Sites, alarms and journals over HTTP, for whoever watches the fleet."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.auth import needs
from api.district import shapes
from api.problems import documented
from controller.district.district import District
from controller.journal import Stream

SEQ_MAX = 2**53  # whole numbers that JSON readers agree on
LIMIT_MAX = 1_000


def router(district: District) -> APIRouter:
    routes = APIRouter(
        prefix="/api/v1",
        tags=["fleet"],
        dependencies=[Depends(needs("fleet:read", district.client))],
        responses=documented(401, 403),
    )

    @routes.get("/sites")
    def list_sites() -> shapes.SiteList:
        """Every site with its health."""
        return shapes.SiteList(sites=[shapes.site(each) for each in district.sites()])

    @routes.get("/sites/{site_id}", responses=documented(404))
    def one_site(site_id: str) -> shapes.SiteDetail:
        """One site with its compartments, doors and machines."""
        return shapes.site_detail(district.site(site_id))

    @routes.get("/sites/{site_id}/journal", responses=documented(404, 422))
    def journal(
        site_id: str,
        after: Annotated[int, Query(ge=0, le=SEQ_MAX)] = 0,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 100,
        stream: Annotated[Stream, Query(description="up: what the site wrote")] = Stream.UP,
    ) -> shapes.Journal:
        """Our copy of a site's journal (`up`), or what we told it (`down`), byte by byte."""
        page = district.journal(site_id, after, limit, stream)
        return shapes.Journal(
            entries=list(page.entries),
            head=shapes.JournalHead(seq=page.head.seq, hash=page.head.hash),
            next=page.next,
        )

    @routes.get("/alarms", responses=documented(422))
    def alarms(
        site: Annotated[str | None, Query(max_length=32)] = None,
        standing: Annotated[bool, Query(description="false: cleared ones too")] = True,  # noqa: FBT002 - FastAPI passes it by name
    ) -> shapes.AlarmList:
        """Alarms, newest first."""
        found = district.alarms(site, standing=standing)
        return shapes.AlarmList(alarms=[shapes.Alarm.model_validate(each) for each in found])

    return routes
