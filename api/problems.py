"""Errors of every HTTP interface: problem+json, RFC 9457, a `type` for each kind of error."""

from collections.abc import Mapping
from typing import Any

from fastapi.responses import JSONResponse

TYPES = "urn:onewindow:problem:"  # a name, not an address: nobody has to be reachable


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
    body = {"type": f"{TYPES}{kind}", "title": title, "status": status, "detail": detail, **extra}
    return JSONResponse(
        body, status, headers=dict(headers or {}), media_type="application/problem+json"
    )
