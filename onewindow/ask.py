"""Asks a process over HTTP on loopback, as any client would."""

import asyncio
import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


async def ask(
    method: str, url: str, body: Any = None, headers: dict[str, str] | None = None
) -> Answer | None:
    """The answer, or None where nobody answers."""
    return await asyncio.to_thread(_ask, method, url, body, headers or {})


def _ask(method: str, url: str, body: Any, headers: dict[str, str]) -> Answer | None:
    parts = urlsplit(url)
    assert parts.hostname, url
    connection = HTTPConnection(parts.hostname, parts.port, timeout=WITHIN_S)
    content = None if body is None else json.dumps(body).encode()
    if content is not None:
        headers = {"Content-Type": "application/json", **headers}
    try:
        connection.request(method, parts.path or "/", content, headers)
        response = connection.getresponse()
        return Answer(response.status, response.read())
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


async def answers(url: str) -> bool:
    """Whether somebody there says that all is well."""
    answer = await ask("GET", url)
    return answer is not None and answer.status == 200  # noqa: PLR2004 - HTTP's OK


async def listens(host: str, port: int) -> bool:
    """Whether somebody takes a connection there."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True
