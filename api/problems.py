"""Errors of every HTTP interface: problem+json, RFC 9457, a `type` for each kind of error."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from controller.refusals import FieldsRefused, Reason, Refused
from controller.store import StoreBroken

log = structlog.get_logger()

TYPES = "urn:onewindow:problem:"  # a name, not an address: nobody has to be reachable
MEDIA_TYPE = "application/problem+json"
FIELD_PLACES = ("body", "query", "header", "path", "cookie")


class Kind(NamedTuple):
    status: int
    title: str
    detail: str


# fmt: off
KINDS: Final = {
    Reason.CODE_UNKNOWN:       Kind(404, "Code unknown", "This code opens nothing here."),
    Reason.CODE_OTHER_SITE:    Kind(409, "Code of another site", "The items are at {site}."),
    Reason.CODE_NOT_READY:     Kind(409, "Not ready", "Not all items are here yet."),
    Reason.NOT_A_CODE:         Kind(422, "Not a code", "This is no pickup code."),
    Reason.TOO_MANY_TRIES:     Kind(429, "Too many tries", "Wait {seconds} s and try again."),
    Reason.BUSY:               Kind(409, "Busy", "Somebody is being served; try again."),
    Reason.BUTTON_NOT_OFFERED: Kind(409, "Button not offered", "The screen does not offer it now."),
    Reason.BADGE_UNKNOWN:      Kind(404, "Badge unknown", "This badge opens nothing here."),
    Reason.LABEL_UNKNOWN:      Kind(404, "Label unknown", "This label is not expected here."),
    Reason.LABEL_LOADED:       Kind(409, "Already loaded", "This item lies here already."),
    Reason.SEALS_NOT_FILED:    Kind(409, "Seals not filed", "The order names no seal codes."),
    Reason.NO_COMPARTMENT:     Kind(409, "No compartment", "No compartment that fits is free."),
    Reason.NO_SLOT:            Kind(409, "No slot", "No machine can take a licence in now."),
    Reason.MAINTENANCE:        Kind(503, "Maintenance", "Staff are at this cabinet for a while."),
    Reason.FIRE:               Kind(503, "Fire alarm", "Nothing opens while it goes on."),
    Reason.LOADING_RESTS:      Kind(503, "Loading rests", "Nothing new is loaded for now."),
    Reason.DOOR_OUT_OF_USE:    Kind(503, "Door out of use", "This door is out of use."),
    Reason.REOPEN_NOT_OFFERED: Kind(409, "Not again", "This door cannot be opened again."),
    Reason.STALE_DECISION:     Kind(409, "Overtaken", "Something changed meanwhile; look again."),
    Reason.REMOTE_CAP:         Kind(429, "Too many doors", "The site opens no more this hour."),
    Reason.NEEDS_TWO:          Kind(403, "Needs two people", "Somebody else has to approve it."),
    Reason.TIME_DOUBTED:       Kind(503, "Time in doubt", "The site does not trust its clock now."),
    Reason.PLACE_UNKNOWN:      Kind(404, "No such compartment", "This site has no such place."),
    Reason.DOOR_OPEN:          Kind(409, "Door open", "The door stands open already."),
    Reason.SENSOR_DISAGREES:   Kind(409, "Sensor disagrees", "A sensor sees it otherwise."),
    Reason.OUT_OF_SERVICE:     Kind(503, "Out of service", "The site moves no door for now."),
    Reason.COMMAND_EXPIRED:    Kind(410, "Expired", "It came too late and was not done."),
    Reason.BAD_FIELD:          Kind(422, "Bad fields", "Correct the fields named in errors."),
    Reason.NOT_FOUND:          Kind(404, "Not found", "There is nothing at this address for you."),
    Reason.CONFLICT:           Kind(409, "Conflict", "What is there now does not allow this."),
    Reason.KEY_REUSED:         Kind(409, "Key reused", "Another body came with this key before."),
    Reason.UNAUTHENTICATED:    Kind(401, "Not authenticated", "Send Authorization: Bearer KEY."),
    Reason.FORBIDDEN:          Kind(403, "Not allowed", "This API key lacks the scope {scope}."),
    Reason.TOO_LARGE:          Kind(413, "Too large", "A body may have 64 KiB at most."),
}
# fmt: on
HEADERS: Final = {401: {"www-authenticate": "Bearer"}}


class FieldError(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """An error, RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None = None
    errors: list[FieldError] | None = None


def problem(
    status: int,
    kind: str,
    title: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **extra: Any,
) -> JSONResponse:
    """The answer to a request that could not be done; `extra` are further members."""
    words = {"type": f"{TYPES}{kind}", "title": title, "status": int(status), "detail": detail}
    return JSONResponse(
        words | extra, int(status), headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors that an operation may answer with, for OpenAPI."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Every error of the app is a problem with its request's id.

    A bug is a 500 without detail, a database that fails a 503: nothing was done.
    """

    @app.exception_handler(Refused)
    async def refused(request: Request, refusal: Refused) -> Response:
        return answer(refusal, _request_id(request))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        errors = [
            (_field(each["loc"]), str(each["msg"]).removeprefix("Value error, "))
            for each in error.errors()
        ]
        return answer(FieldsRefused(errors), _request_id(request))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return answer(Refused(Reason.TOO_LARGE), _request_id(request))
        if error.status_code == HTTPStatus.NOT_FOUND:
            return answer(Refused(Reason.NOT_FOUND), _request_id(request))
        status = HTTPStatus(error.status_code)
        kind = status.phrase.lower().replace(" ", "_")
        return problem(
            status,
            kind,
            status.phrase,
            error.detail,
            headers=error.headers,
            request_id=_request_id(request),
        )

    @app.exception_handler(StoreBroken)
    async def fault(request: Request, error: StoreBroken) -> Response:
        request_id = _request_id(request)
        log.error("request.failed", why=type(error).__name__, request_id=request_id)
        detail = "The database fails, and nothing was done. It is opened anew; try again later."
        return problem(503, "database_fault", "Database fault", detail, request_id=request_id)

    @app.exception_handler(Exception)
    async def mistake(request: Request, error: Exception) -> Response:
        request_id = _request_id(request)
        log.error("request.failed", why=type(error).__name__, request_id=request_id)
        detail = "The mistake is ours. Tell us the request_id."
        return problem(500, "mistake", "Mistake", detail, request_id=request_id)


def answer(refusal: Refused, request_id: str | None) -> Response:
    """What a caller hears of a refusal."""
    kind = KINDS[refusal.reason]
    extra: dict[str, Any] = {"request_id": request_id}
    if isinstance(refusal, FieldsRefused):
        extra["errors"] = [{"field": name, "message": why} for name, why in refusal.errors]
    detail = kind.detail.format_map(_Values(refusal.values))
    headers = dict(HEADERS.get(kind.status, {}))
    if seconds := refusal.values.get("seconds"):
        headers["retry-after"] = str(seconds)
    return problem(kind.status, refusal.reason, kind.title, detail, headers=headers, **extra)


class _Values(dict[str, str | int]):
    def __missing__(self, key: str) -> str:
        return key


def _request_id(request: Request) -> str | None:
    found: str | None = getattr(request.state, "request_id", None)
    return found


def _field(loc: tuple[int | str, ...]) -> str:
    """`items[1].kind`, without the part of the request where it stood."""
    name = ""
    for step in loc[1:] if loc and loc[0] in FIELD_PLACES else loc:
        name += f"[{step}]" if isinstance(step, int) else f".{step}"
    return name.removeprefix(".") or "body"
