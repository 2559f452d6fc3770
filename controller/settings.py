"""What a site's and a district's TOML file may say; the environment has the last word.

`ONEWINDOW_SITE__HTTP_PORT=8001` overrides `http_port` in `[site]`; lists of tables are JSON there.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretBytes,
    SecretStr,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from controller.entries import Factor
from controller.equipment import (
    AttentionTable,
    CabinetTable,
    CardReaderTable,
    CompartmentTable,
    EnvironmentTable,
    KioskTable,
    LineTable,
    MachineTable,
    ScannerTable,
    Table,
)

ENV_PREFIX = "ONEWINDOW_"
DAY_S = 86_400
ONLY_KIOSK = "kiosk"
KEY_BYTES_MIN = 16


def _from_hex(value: object) -> object:
    if isinstance(value, str):
        try:
            return bytes.fromhex(value)
        except ValueError:
            raise ValueError("not hexadecimal digits") from None
    return value


def _long_enough(value: SecretBytes) -> SecretBytes:
    if len(value.get_secret_value()) < KEY_BYTES_MIN:
        raise ValueError(f"shorter than {2 * KEY_BYTES_MIN} hexadecimal digits")
    return value


def _exactly_32(value: SecretBytes) -> SecretBytes:
    if len(value.get_secret_value()) != 32:  # noqa: PLR2004 - AES-256 takes exactly this
        raise ValueError("not 64 hexadecimal digits")
    return value


Key = Annotated[SecretBytes, BeforeValidator(_from_hex), AfterValidator(_long_enough)]
Key32 = Annotated[SecretBytes, BeforeValidator(_from_hex), AfterValidator(_exactly_32)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
SiteId = Annotated[str, Field(pattern=r"^[A-Z0-9-]{1,32}$")]
VendorId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
Port = Annotated[int, Field(ge=1, le=65_535)]
Seconds = Annotated[float, Field(gt=0)]
Lang = Literal["zh-CN", "en"]


class MqttTable(Table):
    """`[mqtt]`: the broker. A site without this table runs by itself."""

    host: str = "127.0.0.1"
    port: Port = 1883
    username: str
    password: SecretStr
    keepalive_s: Annotated[int, Field(ge=2, le=600)] = 10


class SiteTable(Table):
    """`[site]`."""

    id: SiteId
    name: str
    address: str
    tel: str = ""  # staff on call, named on the kiosk's screen
    data: Path = Path("data")  # folder of site.db; relative to the settings file
    # Folder of Modbus profiles of one's own, likewise; without it `profiles` in `data`, if there.
    profiles: Path | None = None
    http_host: str = "127.0.0.1"
    http_port: Port = 8001
    lang: Lang = "zh-CN"
    # Origins whose pages may show the kiosk inside; none in earnest.
    framed_by: list[str] = Field(default_factory=list)

    @property
    def database(self) -> Path:
        return self.data / "site.db"


class PolicyTable(Table):
    """`[policy]` of a site: durations in seconds, the defaults are the field's custom."""

    confirm_pickup: bool = (
        True  # company and items are named and a press awaited before a door opens
    )
    # beside the code, for every pickup, and at least this where company seals are handed out
    second_factor: Factor = "none"
    second_factor_seals: Factor = "none"
    # for those whose card is on file, while no reader of cards works: whoever unplugs it gains
    # nothing unless this says so
    second_factor_no_reader: Literal["clerk", "phone4"] = "clerk"
    require_seal_codes: bool = False  # a set whose order names no seal codes is not loaded
    doors_together: bool = False  # all doors of an order at once, not one after the other
    session_idle_s: Seconds = 60  # then "still there?"
    session_end_s: Seconds = 30  # then the session ends, never while a door is open
    vendor_idle_s: Seconds = 120
    refused_s: Seconds = 8  # a refusal or "done" stays on the screen
    rating_s: Seconds = 20
    door_unseen_s: Seconds = 2.0  # no movement seen after a pulse: ask the person to push or pull
    lock_rest_s: Seconds = 5.0  # between two pulses of one lock: coils are on a tenth of the time
    door_jammed_s: Seconds = 10  # after that: jammed, staff
    lock_pulses: Annotated[int, Field(ge=1, le=3)] = 3  # in a row without an opening: then staff
    ajar_notice_s: Seconds = 30
    ajar_alarm_s: Seconds = 60
    ajar_severe_s: Seconds = 600  # then the alarm is critical
    item_alarm_s: Seconds = 10  # a sensor that contradicts the record for so long is an alarm
    code_valid_s: Seconds = 45 * DAY_S  # from ready; an overdue code works until then
    overdue_return_s: Annotated[float, Field(ge=0, le=30 * DAY_S)] = (
        3 * DAY_S  # after an order's last day it may be taken back without being asked for
    )
    maintenance_longest_s: Annotated[float, Field(ge=60, le=DAY_S)] = 7_200
    emergency_two_badges: bool = False  # staff need a second one to open doors in an emergency
    day_lost_s: Seconds = 3_600  # a day without service for so long is none of the days to collect
    reopen_s: Seconds = 90  # the same person may have the same door again
    reopen_times: Annotated[int, Field(ge=0, le=5)] = 2
    same_code_quiet_s: Seconds = 2.0  # the same text before the scanner counts again after this
    outlet_reminder_s: Seconds = 60
    outlet_retract_s: Seconds = 180
    blanks_low: Annotated[int, Field(ge=0)] = 40  # sets
    board_silent_s: Seconds = 10
    remote_opens_an_hour: Annotated[int, Field(ge=0)] = 2  # whoever at the district asks
    remote_age_s: Annotated[float, Field(gt=0, le=300)] = 300  # older than this they never open
    guess_window_s: Seconds = 600  # wrong typed codes at one kiosk are counted over this time
    guess_free_tries: Annotated[int, Field(ge=0)] = 3
    guess_first_wait_s: Seconds = 5  # doubled with each further wrong try, up to 40 s
    guess_lockout_tries: Annotated[int, Field(ge=1)] = 10
    guess_lockout_s: Seconds = 300
    guess_second_lockout_s: Seconds = 1_800
    code_tries: Annotated[int, Field(ge=3, le=10)] = 5  # wrong phone digits for one typed code
    code_rest_s: Seconds = 1_800
    temperature_low_c: float = 0.0  # colder or warmer for so long: ink dries out, paper curls
    temperature_high_c: float = 45.0
    temperature_out_s: Seconds = 60
    humidity_high_percent: Annotated[float, Field(gt=0, le=100)] = 85.0
    humidity_out_s: Seconds = 1_800  # a wet coat passes, a leak does not
    fan_on_c: float = 35.0
    fan_off_c: float = 30.0
    power_out_s: Seconds = 5  # mains lost or a battery bad for so long: a flicker is no outage
    battery_low_percent: Annotated[float, Field(ge=0, lt=100)] = 20.0  # of one that can be measured

    @model_validator(mode="after")
    def _limits_in_order(self) -> Self:
        if self.temperature_low_c >= self.temperature_high_c:
            raise ValueError("temperature_low_c is not below temperature_high_c")
        if self.fan_off_c >= self.fan_on_c:
            raise ValueError("fan_off_c is not below fan_on_c")
        return self


class LinkTable(Table):
    """`[link]` of a site: what it shares with its district and nobody else."""

    key: Key  # authenticates batches of entries
    code_key: Key  # QR and badge texts are stored under it
    typed_salt: Key  # typed codes are stored under it


class DistrictTable(Table):
    """`[district]`."""

    name: str = ""
    data: Path = Path("data")  # folder of district.db; relative to the settings file
    http_host: str = "127.0.0.1"
    http_port: Port = 8000
    public_url: str = ""  # what a recipient's phone is told; empty: made from host and port
    seal_key: Key32  # pickup codes are stored encrypted under it
    lang: Lang = "zh-CN"
    tel: str = ""  # named in messages
    retention_s: Annotated[int, Field(ge=3 * DAY_S, le=60 * DAY_S)] = 15 * DAY_S  # ready to overdue
    demo: bool = False  # shows the demo's page with phone, kiosk and cabinet side by side
    simulator_url: str = ""  # the demo's page shows its cabinet
    demo_badge: SecretStr = SecretStr("")  # what the demo's page holds before the scanner as vendor

    @property
    def database(self) -> Path:
        return self.data / "district.db"

    @property
    def url(self) -> str:
        return (self.public_url or f"http://{self.http_host}:{self.http_port}").rstrip("/")


class DistrictSiteTable(Table):
    """`[[site]]` of a district; the three secrets are the ones in that site's `[link]`."""

    id: SiteId
    name: str
    address: str
    how_to_find: str = ""
    kiosk_url: str = ""  # where the kiosk's page is, for the demo's page and for ops
    link_key: Key
    code_key: Key
    typed_salt: Key


class VendorTable(Table):
    """`[[vendor]]`: engraves seals and loads cabinets."""

    id: VendorId
    name: str


class ApiKeyTable(Table):
    """`[[api_key]]`: `sha256` is hex, of a bearer key of 128 random bits or more."""

    name: str
    sha256: Digest
    scopes: Annotated[
        frozenset[Literal["orders", "codes", "fleet:read", "fleet:operate"]], Field(min_length=1)
    ]


class LoginTable(Table):
    """`[[login]]`: a person at `/ops` or `/vendor`."""

    username: str
    password_hash: SecretStr  # argon2, as `argon2.PasswordHasher().hash` writes it
    role: Literal["ops", "vendor"]
    vendor_id: VendorId | None = None

    @model_validator(mode="after")
    def _vendors_have_one(self) -> Self:
        if (self.role == "vendor") != (self.vendor_id is not None):
            raise ValueError("a vendor's log-in names its vendor_id, another's does not")
        return self


class BadgeTable(Table):
    """`[[badge]]`: good at the sites that `hashes` names.

    A hash is `codes.keyed_hash` with that site's code key over the text behind `OWB:`.
    """

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    role: Literal["vendor", "staff"]
    vendor_id: VendorId | None = None
    hashes: Annotated[dict[SiteId, Digest], Field(min_length=1)]
    pins: dict[SiteId, Digest] = Field(default_factory=dict)  # `codes.pin_hash`; none is asked else

    @model_validator(mode="after")
    def _vendors_have_one(self) -> Self:
        if (self.role == "vendor") != (self.vendor_id is not None):
            raise ValueError("a vendor's badge names its vendor_id, another's does not")
        return self


class MessagesTable(Table):
    """`[messages]`: what reaches a recipient, and when."""

    notify_at_night: bool = False  # false: from 21:00 to 08:00 "ready" waits for 08:00


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=ENV_PREFIX, env_nested_delimiter="__"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the base class names it
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class names it
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class names it
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over file; `init_settings` carries the parsed file."""
        return env_settings, init_settings


class SiteSettings(_Settings):
    """`site.toml`."""

    site: SiteTable
    line: list[LineTable] = []
    cabinet: Annotated[list[CabinetTable], Field(min_length=1)]
    compartment: Annotated[list[CompartmentTable], Field(min_length=1)]
    machine: list[MachineTable] = []
    kiosk: list[KioskTable] = []
    scanner: list[ScannerTable] = []
    card_reader: list[CardReaderTable] = []
    environment: list[EnvironmentTable] = []
    attention: AttentionTable = AttentionTable()
    policy: PolicyTable = PolicyTable()
    link: LinkTable
    mqtt: MqttTable | None = None

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        letters = [each.letter for each in self.cabinet]
        _unique("cabinet.letter", letters)
        _unique("compartment", [f"{each.cabinet}/{each.no}" for each in self.compartment])
        machines = [each.name for each in self.machine]
        scanners = [each.name for each in self.scanner]
        readers = [each.name for each in self.card_reader]
        around = [each.name for each in self.environment]
        _unique("machine.name", machines)
        _unique("scanner.name", scanners)
        _unique("card_reader.name", readers)
        _unique("environment.name", around)
        _unique("line.name", [each.name for each in self.line])
        for each in self.compartment:
            _known("compartment.cabinet", each.cabinet, letters)
        for cabinet in [each.cabinet for each in self.environment]:
            _known("environment.cabinet", cabinet, letters)
        places = [each.kiosk for each in self.scanner] + [each.kiosk for each in self.card_reader]
        for at in filter(None, places):
            _known("kiosk", at, self.kiosks)
        _unique("kiosk.name", self.kiosks)
        _unique("name", [*machines, *scanners, *readers, *around])
        return self

    @property
    def kiosks(self) -> list[str]:
        """Their names; a site without any in its file has one."""
        return [each.name for each in self.kiosk] or [ONLY_KIOSK]


class DistrictSettings(_Settings):
    """`district.toml`."""

    district: DistrictTable
    site: list[DistrictSiteTable] = []
    vendor: list[VendorTable] = []
    api_key: list[ApiKeyTable] = []
    login: list[LoginTable] = []
    badge: list[BadgeTable] = []
    messages: MessagesTable = MessagesTable()
    mqtt: MqttTable | None = None

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        sites = [each.id for each in self.site]
        vendors = [each.id for each in self.vendor]
        _unique("site.id", sites)
        _unique("vendor.id", vendors)
        _unique("api_key.name", [each.name for each in self.api_key])
        _unique("login.username", [each.username for each in self.login])
        _unique("badge.id", [each.id for each in self.badge])
        for login in self.login:
            _known("login.vendor_id", login.vendor_id, [None, *vendors])
        for badge in self.badge:
            _known("badge.vendor_id", badge.vendor_id, [None, *vendors])
            for site in badge.hashes:
                _known("badge.hashes", site, sites)
            for site in badge.pins:
                _known("badge.pins", site, list(badge.hashes))
        return self


def _unique(key: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{key}: {name} is given twice")


def _known(key: str, name: str | None, names: Sequence[str | None]) -> None:
    if name not in names:
        raise ValueError(f"{key}: {name} is not in this file")
