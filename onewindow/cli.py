"""The command line: `onewindow COMMAND --help` says what each takes."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from typer._click.exceptions import NoArgsIsHelpError, UsageError  # typer exports its children only

from controller.clock import SystemClock
from onewindow import logs
from onewindow.demo import PORT_MAX, DemoRefused, Options
from onewindow.demo import run as run_demo
from onewindow.elsewhere import MANNER, LoadedWhenAsked
from onewindow.settings_file import BadSettings, load_district, load_site
from onewindow.walk_record import NotPassed, check_record

FAILED, WRONG_USE = 1, 2

app = typer.Typer(
    help="OneWindow hands out business licences and company seals at any hour.",
    no_args_is_help=True,
    cls=LoadedWhenAsked,
    **MANNER,
)

Config = Annotated[
    Path,
    typer.Option("--config", help="The settings file (TOML).", exists=False, dir_okay=False),
]

Replayed = Annotated[
    Path | None,
    typer.Option(
        metavar="DB", help="Instead of machines: a journal as a film (site.db or district.db)."
    ),
]
OfSite = Annotated[
    str | None, typer.Option("--site", help="Whose journal, where a database has several.")
]


class Lang(StrEnum):
    ZH = "zh-CN"
    EN = "en"


def demo_folder() -> Path:
    """Where the demo keeps its things when nobody says where."""
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "onewindow" / "demo"


@app.command()
def demo(
    port: Annotated[
        int,
        typer.Option(
            min=1,
            max=PORT_MAX,
            help="The first of four ports: district, kiosk, simulator, MQTT.",
        ),
    ] = 8000,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of everything that is kept; the same one again goes on where it stopped."
            f" Without it: {demo_folder()}",
            file_okay=False,
        ),
    ] = None,
    lang: Annotated[Lang, typer.Option(help="Language of the screens at first.")] = Lang.ZH,
    speed: Annotated[
        float,
        typer.Option(
            min=0.1, max=1000.0, help="Of simulated people, locks and paper; never of the wire."
        ),
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Of the simulator's chance.")] = 0,
) -> None:
    """Run all of it on this machine, to play with: simulator, broker, district and one site.

    Needs nothing else and listens on loopback only. Addresses and log-ins are printed, and
    written to demo.json in the folder once all is ready. Ctrl-C ends all of it.
    """
    logs.to_stderr()
    folder = (data or demo_folder()).expanduser().absolute()
    options = Options(port, folder, lang.value, speed, seed)
    asyncio.run(run_demo(options, SystemClock(), Console()))


@app.command()
def site(config: Config) -> None:
    """Run a site: its devices, its kiosk, its journal and its reports."""
    from onewindow.site import run  # noqa: PLC0415 - each command loads what it needs alone

    settings = load_site(config)
    check_record(config)
    logs.to_stderr()
    asyncio.run(run(settings))


@app.command()
def migrate(config: Config) -> None:
    """Bring a site's or district's database to the newest schema; they do it at start as well."""
    from onewindow.migrate import upgrade_of  # noqa: PLC0415 - see above

    before, after = upgrade_of(config)
    Console().print(
        f"already at {after}" if before == after else f"{before or 'nothing'} -> {after}"
    )


@app.command()
def district(config: Config) -> None:
    """Run a district: orders, codes, messages, and the journals of its sites."""
    from onewindow.district import run  # noqa: PLC0415 - see above

    settings = load_district(config)
    logs.to_stderr()
    asyncio.run(run(settings))


@app.command()
def simulate(  # noqa: PLR0917 - options, given by name
    config: Annotated[
        Path | None, typer.Option(help="The settings file (TOML).", dir_okay=False)
    ] = None,
    host: Annotated[str, typer.Option(help="Address of its page.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of its page.")] = 8002,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of world.json. Without it: the site's data folder.", file_okay=False
        ),
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0.1, max=1000.0, help="Of people, locks and paper.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Of its chance.")] = 0,
    replay: Replayed = None,
    of_site: OfSite = None,
    trouble: Annotated[
        list[str] | None,
        typer.Option(
            help='What goes wrong from the start, as its page sends it: {"line": "L1", "lost": 0.1}'
        ),
    ] = None,
) -> None:
    """Be the machines that site.toml names, on the wire, with a page to press doors on."""
    if (config is None) == (replay is None):
        raise typer.BadParameter("give --config for machines or --replay for a film, one of them")
    if replay is not None:
        from onewindow.replay import show  # noqa: PLC0415 - see above

        asyncio.run(show(replay, of_site, host=host, port=port))
        return
    from onewindow.simulate import run  # noqa: PLC0415 - see above

    assert config is not None
    settings = load_site(config)
    logs.to_stderr()
    folder = data or settings.site.data
    asyncio.run(
        run(
            settings,
            host=host,
            port=port,
            folder=folder,
            seed=seed,
            speed=speed,
            troubles=trouble or (),
        )
    )


def main() -> None:
    """Run a command; exit 0 done, 1 failed, 2 wrong use, errors in one line on standard error."""
    with _one_line_for_errors():
        code = app(prog_name="onewindow", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)


@contextmanager
def _one_line_for_errors() -> Iterator[None]:
    try:
        yield
    except NoArgsIsHelpError as error:
        _end(error.format_message(), WRONG_USE)
    except UsageError as error:
        command = error.ctx.command_path if error.ctx else "onewindow"
        _end(f"{error.format_message()} (see {command} --help)", WRONG_USE)
    except (typer.Abort, KeyboardInterrupt):
        _end("ended", FAILED)
    except SystemExit:
        raise  # nothing is loaded to name what did not fail
    except _wrong_use() as error:
        _end(str(error), WRONG_USE)
    except _failures() as error:
        _end(str(error), FAILED)
    except BaseExceptionGroup as errors:
        first = _first(errors)
        if not isinstance(first, _failures()):
            raise
        _end(str(first), FAILED)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _wrong_use() -> tuple[type[Exception], ...]:
    from firmware_bridge.profiles import BadProfile  # noqa: PLC0415 - not before it is needed
    from firmware_bridge.urls import BadUrl  # noqa: PLC0415 - see above

    return BadSettings, BadUrl, BadProfile


def _failures() -> tuple[type[Exception], ...]:
    """What people can do something about: one line each, no traceback."""
    from controller.store import StoreBroken, StoreRefused  # noqa: PLC0415 - see above
    from onewindow.broker import BrokerMissing  # noqa: PLC0415 - see above
    from onewindow.bus import BusFailed  # noqa: PLC0415 - see above
    from onewindow.demo_orders import OrderNotTaken  # noqa: PLC0415 - see above
    from onewindow.listening import PortTaken  # noqa: PLC0415 - see above
    from onewindow.supervisor import StartFailed  # noqa: PLC0415 - see above
    from simulator.memory import Broken  # noqa: PLC0415 - see above

    return (
        NotPassed,
        DemoRefused,
        OSError,
        StoreRefused,
        StoreBroken,
        BrokerMissing,
        BusFailed,
        OrderNotTaken,
        PortTaken,
        StartFailed,
        Broken,
    )


def _end(line: str, code: int) -> None:
    sys.stderr.write(f"{line}\n")
    sys.exit(code)
