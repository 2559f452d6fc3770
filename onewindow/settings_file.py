"""Reads site.toml and district.toml, lets the environment override them, and says what is wrong."""

import os
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError

from controller.settings import ENV_PREFIX, DistrictSettings, SiteSettings


class BadSettings(ValueError):
    """A file, or a variable over it, says what cannot be; one line, naming the key."""


def load_site(path: Path) -> SiteSettings:
    """The site's settings; its folders made absolute. BadSettings names the key at fault."""
    settings = _load(SiteSettings, path)
    site, beside = settings.site, path.absolute().parent
    profiles = None if site.profiles is None else beside / site.profiles
    table = site.model_copy(update={"data": beside / site.data, "profiles": profiles})
    return settings.model_copy(update={"site": table})


def load_district(path: Path) -> DistrictSettings:
    """The district's settings; its data folder made absolute. BadSettings names the key."""
    settings = _load(DistrictSettings, path)
    folder = path.absolute().parent / settings.district.data
    return settings.model_copy(
        update={"district": settings.district.model_copy(update={"data": folder})}
    )


def is_district(path: Path) -> bool:
    """Whether the file is a district's; else it is a site's."""
    return "district" in _tables(path)


S = TypeVar("S", bound=BaseSettings)


def _load(kind: type[S], path: Path) -> S:
    tables = _tables(path)
    _refuse_unknown_variables()
    try:
        return kind(**tables)
    except (ValidationError, SettingsError) as error:
        raise BadSettings(f"{path}: {_one_line(error)}") from error


def _tables(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSettings(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path}: not TOML: {error}") from error


def _refuse_unknown_variables() -> None:
    known = {"log_level", *SiteSettings.model_fields, *DistrictSettings.model_fields}
    for variable in os.environ:
        if not variable.startswith(ENV_PREFIX):
            continue
        table = variable.removeprefix(ENV_PREFIX).lower().partition("__")[0]
        if table not in known:
            raise BadSettings(f"{variable}: no such table; known are {', '.join(sorted(known))}")


def _one_line(error: ValidationError | SettingsError) -> str:
    """Every key at fault with what is wrong; never the value, which may be a secret."""
    if isinstance(error, SettingsError):
        return str(error)
    return "; ".join(
        f"{'.'.join(map(str, each['loc'])) or 'file'}: {_plain(each['type'], each['msg'])}"
        for each in error.errors(include_input=False, include_url=False)
    )


def _plain(kind: str, message: str) -> str:
    match kind:
        case "extra_forbidden":
            return "no such key"
        case "missing":
            return "missing"
        case _:
            return message.removeprefix("Value error, ")
