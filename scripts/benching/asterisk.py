"""Asterisk's chan_pjsip between trunk and agent: each call is dialled on to one agent, its sound bridged natively."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.peers.ports import PORTS
from tests.peers.process import Child
from tests.peers.waiting import eventually_now
from tests.peers.wire import Address

from . import asterisk_build

HOST = "127.0.0.1"

FILES = {
    "asterisk.conf": """\
[directories]
astetcdir => {folder}
astmoddir => {home}/lib/asterisk/modules
astvarlibdir => {home}/var/lib/asterisk
astdatadir => {home}/var/lib/asterisk
astdbdir => {folder}
astkeydir => {folder}
astagidir => {folder}
astspooldir => {folder}
astrundir => {folder}
astlogdir => {folder}
[options]
verbose = 0
debug = 0
maxfiles = {descriptors}
""",
    "modules.conf": "[modules]\nautoload = no\n{loads}",
    "logger.conf": "[general]\n[logfiles]\nconsole => error\n",
    "rtp.conf": "[general]\nrtpstart = {rtp_min}\nrtpend = {rtp_max}\nicesupport = no\nstrictrtp = yes\n",
    "pjsip.conf": """\
[udp]
type = transport
protocol = udp
bind = {host}:{port}

[all]
type = endpoint
transport = udp
context = calls
disallow = all
allow = alaw
direct_media = no
rtp_symmetric = yes
dtmf_mode = rfc4733
timers = no

[all]
type = identify
endpoint = all
match = {host}
""",
    "extensions.conf": "[calls]\nexten => _X.,1,Dial(PJSIP/all/sip:agent@{agent})\n same => n,Hangup()\n",
}


class Asterisk:
    """One server process that sends every call on to one agent."""

    name = "Asterisk"

    def __init__(
        self, folder: Path, agent: Address, *, prefix: Sequence[str] = (), rtp_ports: tuple[int, int] = (16384, 32766)
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.agent, self.prefix, self.rtp_ports = folder.resolve(), agent, list(prefix), rtp_ports
        self.address: Address = (HOST, PORTS.take())
        self.child: Child | None = None

    def start(self) -> Self:
        """Build it where that was not done yet, start it and wait until it listens."""
        home = asterisk_build.install()
        for name, text in FILES.items():
            filled = text.format(
                folder=self.folder,
                home=home,
                host=HOST,
                port=self.address[1],
                agent=f"{self.agent[0]}:{self.agent[1]}",
                rtp_min=self.rtp_ports[0],
                rtp_max=self.rtp_ports[1],
                descriptors=4 * self.rtp_ports[1],
                loads="".join(f"load = {module}.so\n" for module in asterisk_build.loaded(home)),
            )
            (self.folder / name).write_text(filled, encoding="ascii")
        command = [str(home / "sbin" / "asterisk"), "-f", "-n", "-C", str(self.folder / "asterisk.conf")]
        self.child = child = Child([*self.prefix, *command], folder=self.folder, log="asterisk.log")
        port = self.address[1]
        eventually_now(lambda: child.bound(port) or not child.alive, f"Asterisk listens\n{child.log()}", 30)
        assert child.alive, child.log()
        return self

    @property
    def parts(self) -> dict[str, int]:
        """Media and signalling are one process."""
        assert self.child is not None
        return {"all": self.child.pid}

    def numbers(self, count: int) -> list[str]:
        """As many numbers as a trunk would send; nobody looks at them."""
        return [f"7001{at:08d}" for at in range(count)]

    def log_tail(self, lines: int = 40) -> str:
        """The newest lines of what it wrote."""
        return "\n".join(self.child.log().splitlines()[-lines:]) if self.child else "(not started)"

    def close(self) -> None:
        """End it."""
        if self.child is not None:
            self.child.close(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
