"""The demo's site.toml and district.toml."""

import json
from typing import Any

from onewindow.layout import (
    DISTRICT_USERNAME,
    SITE_ADDRESS,
    SITE_ID,
    SITE_NAME,
    TEL,
    VENDORS,
    Folders,
    Ports,
    compartments,
)

Tables = dict[str, Any]
SECOND = "ops2"  # for what two people have to say; with the first one's password


def site_toml(ports: Ports, folders: Folders, secrets: dict[str, str], lang: str) -> str:
    line = f"modbus+rtu://{folders.lines}/L1?baud=19200&parity=N"
    machine = f"modbus+tcp://{ports.host}:{ports.machine}?unit=1&profile=licence-machine"
    air = f"modbus+rtu://{folders.lines}/L2?baud=9600&parity=N"
    card_reader = f"idcard+serial://{folders.lines}/C1?baud=115200"
    scanner = f"scanner+serial://{folders.lines}/S1?baud=9600"
    site = {
        "id": SITE_ID,
        "name": SITE_NAME,
        "address": SITE_ADDRESS,
        "tel": TEL,
        "data": str(folders.site),
        "http_host": ports.host,
        "http_port": ports.kiosk,
        "lang": lang,
        "framed_by": [f"http://{host}:{ports.district}" for host in (ports.host, "localhost")],
    }
    return toml(
        {
            "site": site,
            "line": [{"name": "L1", "url": line}, {"name": "L2", "url": air}],
            "cabinet": [
                {"letter": "A", "boards": [f"{line}&unit=1&profile=waveshare-relay-32"]},
            ],
            "compartment": _compartments(),
            "machine": [{"name": "M1", "url": machine}],
            "scanner": [{"name": "S1", "url": scanner}],
            "card_reader": [{"name": "C1", "url": card_reader}],
            "environment": [
                {"name": "E1", "cabinet": "A", "url": f"{air}&unit=1&profile=xy-md02"},
                {"name": "E2", "cabinet": "A", "url": f"{air}&unit=2&profile=env-io-8"},
            ],
            "link": {
                "key": secrets["link_key"],
                "code_key": secrets["code_key"],
                "typed_salt": secrets["typed_salt"],
            },
            "mqtt": _mqtt(ports, SITE_ID, secrets["mqtt_site"]),
        }
    )


def district_toml(ports: Ports, folders: Folders, secrets: dict[str, str], lang: str) -> str:
    district = {
        "name": "福田区",
        "data": str(folders.district),
        "http_host": ports.host,
        "http_port": ports.district,
        "seal_key": secrets["seal_key"],
        "lang": lang,
        "tel": TEL,
        "demo": True,
        "simulator_url": ports.url(ports.simulator),
        "demo_badge": f"OWB:{secrets['badge_vendor']}",
    }
    return toml(
        {
            "district": district,
            "messages": {"notify_at_night": True},
            "mqtt": _mqtt(ports, DISTRICT_USERNAME, secrets["mqtt_district"]),
            "site": [_site(ports, secrets)],
            "vendor": [{"id": vendor, "name": name} for vendor, name in VENDORS.items()],
            "api_key": [
                {
                    "name": "demo",
                    "sha256": secrets["api_key_sha256"],
                    "scopes": ["orders", "codes", "fleet:read", "fleet:operate"],
                }
            ],
            "login": _logins(secrets),
            "badge": _badges(secrets),
        }
    )


def _compartments() -> list[Tables]:
    return [
        {
            "cabinet": "A",
            "no": each.no,
            "size": each.size,
            "height_cm": each.height_cm,
            "reach": each.reach,
        }
        for each in compartments()
    ]


def _mqtt(ports: Ports, username: str, password: str) -> Tables:
    return {"host": ports.host, "port": ports.mqtt, "username": username, "password": password}


def _site(ports: Ports, secrets: dict[str, str]) -> Tables:
    return {
        "id": SITE_ID,
        "name": SITE_NAME,
        "address": SITE_ADDRESS,
        "how_to_find": "进一楼大门右转，自助服务区",
        "kiosk_url": ports.url(ports.kiosk),
        "link_key": secrets["link_key"],
        "code_key": secrets["code_key"],
        "typed_salt": secrets["typed_salt"],
    }


def _logins(secrets: dict[str, str]) -> list[Tables]:
    return [
        {"username": "ops", "password_hash": secrets["ops_hash"], "role": "ops"},
        {"username": SECOND, "password_hash": secrets["ops_hash"], "role": "ops"},
        {
            "username": "vendor",
            "password_hash": secrets["vendor_hash"],
            "role": "vendor",
            "vendor_id": "V01",
        },
    ]


def _badges(secrets: dict[str, str]) -> list[Tables]:
    return [
        {
            "id": "vendor-1",
            "role": "vendor",
            "vendor_id": "V01",
            "hashes": {SITE_ID: secrets["badge_vendor_hash"]},
        },
        {"id": "staff-1", "role": "staff", "hashes": {SITE_ID: secrets["badge_staff_hash"]}},
    ]


def toml(tables: Tables) -> str:
    """Tables of plain values, and lists of such tables, as TOML."""
    parts = []
    for name, table in tables.items():
        header = f"[[{name}]]" if isinstance(table, list) else f"[{name}]"
        for each in table if isinstance(table, list) else [table]:
            lines = [f"{key} = {_value(value)}" for key, value in each.items()]
            parts.append("\n".join([header, *lines]))
    return "\n\n".join(parts) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{json.dumps(key)} = {_value(each)}" for key, each in value.items())
        return f"{{ {inside} }}"
    return json.dumps(value, ensure_ascii=False)  # TOML writes these as JSON does
