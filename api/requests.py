"""Around every request: an id, one line in the log, one count; and how a JSON body is read."""

import json
import re
import secrets
from collections.abc import Callable
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers as RequestHeaders
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import answer
from controller.ports import Clock
from controller.refusals import Reason, Refused

log = structlog.get_logger()

BODY_MAX = 64 * 1024
REQUEST_ID = "x-request-id"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "(none)"  # addresses are not logged as they came: some hold secrets


class Requests:
    """ASGI middleware. Knows an address only by its route, such as `/p/{token}`."""

    def __init__(
        self,
        app: ASGIApp,
        clock: Clock,
        registry: CollectorRegistry,
        mint: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        self._app = app
        self._clock = clock
        self._mint = mint
        self._requests = Counter(
            "onewindow_http_requests", "Answers.", ("method", "route", "status"), registry=registry
        )
        self._seconds = Histogram(
            "onewindow_http_seconds", "From request to answer.", ("route",), registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._mint(8)
        scope.setdefault("state", {})["request_id"] = request_id
        began = self._clock.monotonic()
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).setdefault(REQUEST_ID, request_id)
            await send(message)

        read = 0

        async def receive_limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > BODY_MAX:
                raise HTTPException(413)
            return message

        answerer = self._app
        if _declared_length(scope) > BODY_MAX:
            answerer = answer(Refused(Reason.TOO_LARGE), request_id)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await answerer(scope, receive_limited, send_with_id)
            finally:
                self._done(scope, status, self._clock.monotonic() - began)

    def _done(self, scope: Scope, status: int, took_s: float) -> None:
        route = getattr(scope.get("route"), "path", UNMATCHED)
        method = scope["method"] if scope["method"] in METHODS else UNMATCHED
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(took_s)
        log.info("request", method=method, route=route, status=status, took_ms=round(took_s * 1000))


def _declared_length(scope: Scope) -> int:
    declared = RequestHeaders(scope=scope).get("content-length", "")
    return int(declared) if re.fullmatch("[0-9]{1,18}", declared) else 0


async def json_body(request: Request) -> Any:
    """What a client sent, as plain values; 415 or 400 where it is no JSON."""
    kind = RequestHeaders(scope=request.scope).get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "Send application/json.")
    raw = await request.body()
    try:
        body = json.loads(raw.decode(), parse_constant=_no_constant)
        json.dumps(body, ensure_ascii=False).encode()  # lone surrogates cannot be stored
    except (ValueError, RecursionError):
        raise HTTPException(400, "The body is not JSON in UTF-8.") from None
    return body


def _no_constant(name: str) -> None:
    raise ValueError(name)
