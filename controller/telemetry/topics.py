"""The topics on which a site tells the world its state. All are retained; none opens anything."""

from controller.link.topics import PREFIX


def door(site: str, cabinet: str, no: int) -> str:
    return f"{PREFIX}/{site}/cabinet/{cabinet}/{no}/door"


def compartment(site: str, cabinet: str, no: int) -> str:
    return f"{PREFIX}/{site}/cabinet/{cabinet}/{no}/compartment"


def health(site: str, cabinet: str) -> str:
    return f"{PREFIX}/{site}/cabinet/{cabinet}/health"


def machine(site: str, machine: str) -> str:
    return f"{PREFIX}/{site}/machine/{machine}"


def alarm(site: str, alarm_id: str) -> str:
    return f"{PREFIX}/{site}/alarm/{alarm_id}"


def discovery(site: str) -> str:
    """Home Assistant's device discovery looks here."""
    return f"homeassistant/device/onewindow_{site}/config"
