"""Takes a port before anything else begins."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


class PortTaken(Exception):
    """Somebody else listens there; the text names the port and its key in the settings."""


def page_url(host: str, port: int) -> str:
    """Where a browser finds it."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def listening(host: str, port: int, key: str) -> Iterator[socket.socket]:
    """The port is ours before anything else begins. PortTaken where it is not to be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as heard:
        heard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            heard.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"cannot listen on {host}, port {port}: {error.strerror}; it is set by {key}"
            ) from error
        yield heard
