"""The demo's one site: what stands there, and its settings files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SITE_ID = "FT-0001"
SITE_NAME = "福田区政务服务大厅"
SITE_ADDRESS = "深圳市福田区示范路1号一楼"
TEL = "12345"  # the city's hotline
DISTRICT_USERNAME = "district"
VIEWER_USERNAME = "viewer"
VENDORS = {
    "V01": "深圳市福印印章有限公司",
    "V02": "深圳市鹏印刻章有限公司",
    "V03": "深圳市莲花印务有限公司",
    "V04": "深圳市新洲刻章有限公司",
    "V05": "深圳市梅林印章有限公司",
    "V06": "深圳市华强刻印有限公司",
}

# The cabinet is 1.9 m high: two columns of eight small and three middle compartments and one of
# eight small and two large, each 1.54 m of compartments above a plinth of 0.2 m. Doors are counted
# down each column, from the left.
COLUMNS = ("SSSSSSSSMMM", "SSSSSSSSMMM", "SSSSSSSSLL")
HEIGHT_MM = {"S": 110, "M": 220, "L": 330}
COLUMN_TOP_MM = 1_740
REACH_LOW_CM = (76, 122)  # of the handle: from a wheelchair, without bending far
REACH_HIGH_CM = 150


@dataclass(frozen=True, slots=True)
class Compartment:
    no: int
    size: str
    height_cm: int
    reach: str


def compartments() -> Iterator[Compartment]:
    """The cabinet's 32 compartments as door 1 to door 32."""
    no = 0
    for column in COLUMNS:
        top_mm = COLUMN_TOP_MM
        for size in column:
            no += 1
            handle_cm = round((top_mm - HEIGHT_MM[size] / 2) / 10)
            yield Compartment(no, size, handle_cm, _reach(handle_cm))
            top_mm -= HEIGHT_MM[size]


def _reach(handle_cm: int) -> str:
    if REACH_LOW_CM[0] <= handle_cm <= REACH_LOW_CM[1]:
        return "low"
    return "high" if handle_cm > REACH_HIGH_CM else "mid"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the demo listens, all on loopback; `machine` is the licence machine's own."""

    district: int
    kiosk: int
    simulator: int
    mqtt: int
    machine: int
    host: str = "127.0.0.1"

    def url(self, port: int) -> str:
        return f"http://{self.host}:{port}"


@dataclass(frozen=True, slots=True)
class Folders:
    """What lies where in the demo's folder."""

    root: Path

    @property
    def site_toml(self) -> Path:
        return self.root / "site.toml"

    @property
    def district_toml(self) -> Path:
        return self.root / "district.toml"

    @property
    def broker_conf(self) -> Path:
        return self.root / "broker.conf"

    @property
    def site(self) -> Path:
        return self.root / "site"

    @property
    def district(self) -> Path:
        return self.root / "district"

    @property
    def broker(self) -> Path:
        return self.root / "broker"

    @property
    def lines(self) -> Path:
        return self.root / "lines"

    @property
    def logs(self) -> Path:
        return self.root / "logs"
