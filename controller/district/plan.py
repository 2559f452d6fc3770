"""What a district is told at start, as plain values."""

from dataclasses import dataclass, field

from controller.entries import Kind
from controller.settings import DistrictSettings

DAY_S = 86_400
KINDS = frozenset(Kind)


@dataclass(frozen=True, slots=True)
class SitePlan:
    site_id: str
    name: str
    address: str
    how_to_find: str = ""
    kiosk_url: str = ""
    code_key: bytes = field(default=b"", repr=False)
    typed_salt: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class ApiKey:
    client: str
    sha256: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class BadgePlan:
    badge_id: str
    role: str
    vendor_id: str | None
    hashes: dict[str, str]  # by site
    pins: dict[str, str] = field(default_factory=dict)  # by site


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything of district.toml that the rules ask for."""

    url: str  # of our pages, as recipients reach them
    sites: tuple[SitePlan, ...]
    vendors: dict[str, str] = field(default_factory=dict)  # names by id
    api_keys: tuple[ApiKey, ...] = ()
    badges: tuple[BadgePlan, ...] = ()
    kinds: frozenset[str] = KINDS
    retention_s: int = 15 * DAY_S
    notify_at_night: bool = False
    lang: str = "zh-CN"
    tel: str = ""


def read_plan(settings: DistrictSettings) -> Plan:
    return Plan(
        url=settings.district.url,
        sites=tuple(
            SitePlan(
                site.id,
                site.name,
                site.address,
                site.how_to_find,
                site.kiosk_url,
                site.code_key.get_secret_value(),
                site.typed_salt.get_secret_value(),
            )
            for site in settings.site
        ),
        vendors={vendor.id: vendor.name for vendor in settings.vendor},
        api_keys=tuple(ApiKey(key.name, key.sha256, key.scopes) for key in settings.api_key),
        badges=tuple(
            BadgePlan(badge.id, badge.role, badge.vendor_id, dict(badge.hashes), dict(badge.pins))
            for badge in settings.badge
        ),
        retention_s=settings.district.retention_s,
        notify_at_night=settings.messages.notify_at_night,
        lang=settings.district.lang,
        tel=settings.district.tel,
    )
