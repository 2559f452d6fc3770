"""Headers of every answer: one origin, no framing, nothing sniffed, no address passed on."""

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",  # a pickup page's address is a secret
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def content_policy(
    *,
    framed_by: Sequence[str] = (),
    frames: Sequence[str] = (),
    talks_to: Sequence[str] = (),
) -> str:
    """A Content-Security-Policy: own origin only, and what is named here."""
    parts = [
        "default-src 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "form-action 'self'",
        "img-src 'self' data:",
        f"frame-ancestors {' '.join(framed_by) or chr(39) + 'none' + chr(39)}",
    ]
    if frames:
        parts.append(f"frame-src 'self' {' '.join(frames)}")
    if talks_to:
        parts.append(f"connect-src 'self' {' '.join(talks_to)}")
    return "; ".join(parts)


class Headers:
    """ASGI middleware; a header that the answer has already is left as it is."""

    def __init__(self, app: ASGIApp, *, framed_by: Sequence[str] = ()) -> None:
        self._app = app
        self._headers = {**_ALWAYS, "content-security-policy": content_policy(framed_by=framed_by)}
        if not framed_by:
            self._headers["x-frame-options"] = "DENY"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
