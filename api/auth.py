"""API keys: who calls, and what the key is good for."""

from collections.abc import Callable
from typing import Annotated, Protocol, TypeVar

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from controller.refusals import Reason, Refused

SCOPES = ("orders", "codes", "fleet:read", "fleet:operate")
_BEARER = HTTPBearer(auto_error=False, description="An API key of this district.")


class Scoped(Protocol):
    @property
    def scopes(self) -> frozenset[str]: ...


C = TypeVar("C", bound=Scoped)


def needs(scope: str, find: Callable[[str], C | None]) -> Callable[..., C]:
    """A dependency: the client behind the key. UNAUTHENTICATED without one, FORBIDDEN
    where the key lacks the scope.
    """

    def client(
        presented: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    ) -> C:
        found = find(presented.credentials) if presented else None
        if found is None:
            raise Refused(Reason.UNAUTHENTICATED)
        if scope not in found.scopes:
            raise Refused(Reason.FORBIDDEN, scope=scope)
        return found

    return client
