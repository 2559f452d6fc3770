"""Real brokers on a free loopback port, with the settings and permissions that we ship."""

import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree, which

from onewindow.broker import BrokerPlan, Login, command, write_configuration

ROOT = Path(__file__).parent.parent
DISTRICT, VIEWER = "district", "viewer"
SITES = ("FT-0001", "FT-0002")
MOSQUITTO = which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
READY_S = 20


def password(username: str) -> str:
    return f"password-of-{username}"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@dataclass
class RunningBroker:
    """A broker's process; `folder` is its whole memory."""

    kind: str
    folder: Path
    port: int = field(default_factory=free_port)
    host: str = "127.0.0.1"
    process: subprocess.Popen[bytes] | None = None

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def log(self) -> Path:
        return self.folder / "broker.log"

    def start(self) -> None:
        self.store.mkdir(parents=True, exist_ok=True)
        line = self._nats() if self.kind == "nats-server" else self._mosquitto()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(line, stdout=log, stderr=log, start_new_session=True)
        self._wait_ready()

    def tell(self, what: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(what)

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(how)
            self.process.wait(READY_S)
            self.process = None

    def forget(self) -> None:
        """Delete all that a stopped broker knew."""
        rmtree(self.store)

    def _wait_ready(self) -> None:
        assert self.process is not None
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            assert self.process.poll() is None, self.log.read_text()
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(f"{self.kind} does not listen: {self.log.read_text()}")

    def _nats(self) -> list[str]:
        plan = BrokerPlan(
            folder=self.store,
            host=self.host,
            port=self.port,
            district=Login(DISTRICT, password(DISTRICT)),
            sites=tuple(Login(site, password(site)) for site in SITES),
            viewer=Login(VIEWER, password(VIEWER)),
        )
        path = self.folder / "nats-server.conf"
        write_configuration(plan, path)
        return command(path)

    def _mosquitto(self) -> list[str]:
        assert MOSQUITTO, "mosquitto is not installed: apt-get install mosquitto"
        passwords = self.folder / "passwords"
        lines = [f"{name}:{password(name)}\n" for name in (DISTRICT, VIEWER, *SITES)]
        passwords.write_text("".join(lines))
        subprocess.run(["mosquitto_passwd", "-U", passwords], check=True, capture_output=True)
        acl = (ROOT / "deploy/mosquitto.acl").read_text()
        one_site = acl[acl.index("user FT-0001") :]
        rights = self.folder / "acl"
        rights.write_text(acl + "\n" + one_site.replace("FT-0001", "FT-0002"))
        for private in (passwords, rights):
            private.chmod(0o600)
        settings = (ROOT / "deploy/mosquitto.conf").read_text()
        for shipped, here in (
            ("listener 1883 127.0.0.1", f"listener {self.port} {self.host}"),
            ("/etc/mosquitto/onewindow.passwd", str(passwords)),
            ("/etc/mosquitto/onewindow.acl", str(rights)),
            ("/var/lib/mosquitto/", f"{self.store}/"),
        ):
            assert shipped in settings
            settings = settings.replace(shipped, here)
        if os.geteuid() == 0:
            settings += "user root\n"  # or it would step down to a user that owns nothing here
        path = self.folder / "mosquitto.conf"
        path.write_text(settings)
        return [MOSQUITTO, "-c", str(path), "-v"]
