from tests.controller.link.conftest import broker, site

__all__ = ["broker", "site"]
