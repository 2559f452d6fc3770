"""`onewindow badge`: a new badge for district.toml, with its PIN where it shall have one."""

import secrets
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from controller.codes import PIN_DIGITS, keyed_hash, mint_secret, pin_hash, read_pin
from controller.settings import DistrictSettings
from onewindow.demo_settings import toml
from onewindow.settings_file import load_district


def command(
    config: Annotated[Path, typer.Option(help="The district's settings file (TOML).")],
    name: Annotated[str, typer.Option("--id", help="The badge's id, as journals name it.")],
    vendor: Annotated[
        str | None, typer.Option(help="Whose people carry it. Without it: staff.")
    ] = None,
    pin: Annotated[
        bool | None,
        typer.Option(help="Asked for at the kiosk. Without it: for staff, not for vendors."),
    ] = None,
) -> None:
    """Make a badge for every site: what to print on it, its PIN, and its lines of district.toml.

    Secret and PIN are shown here once and kept nowhere.
    """
    console = Console(highlight=False, soft_wrap=True)
    wanted = vendor is None if pin is None else pin
    typed = _asked() if wanted else None
    secret = mint_secret()
    console.print(f"Print as a QR code:  OWB:{secret}")
    console.print("Add to district.toml, then start the district again:")
    console.print(toml({"badge": [lines(load_district(config), name, vendor, secret, typed)]}))


def _asked() -> str:
    """Typed twice, or drawn where nothing is typed."""
    typed = str(
        typer.prompt(
            "PIN of 4 to 6 digits, empty for a drawn one",
            default="",
            show_default=False,
            hide_input=True,
            confirmation_prompt=True,
        )
    )
    if not typed:
        typed = f"{secrets.randbelow(10 ** PIN_DIGITS[1]):0{PIN_DIGITS[1]}d}"
        Console(highlight=False).print(f"PIN:  {typed}")
    if read_pin(typed) is None:
        raise typer.BadParameter("a PIN has 4 to 6 digits")
    return typed


def lines(
    settings: DistrictSettings, name: str, vendor: str | None, secret: str, pin: str | None
) -> dict[str, object]:
    """One `[[badge]]`, good at every site of the district."""
    made: dict[str, object] = {"id": name, "role": "vendor" if vendor else "staff"}
    if vendor:
        made["vendor_id"] = vendor
    made["hashes"] = {
        site.id: keyed_hash(site.code_key.get_secret_value(), secret) for site in settings.site
    }
    if pin is not None:
        made["pins"] = {
            site.id: pin_hash(site.typed_salt.get_secret_value(), secret, pin)
            for site in settings.site
        }
    return made
