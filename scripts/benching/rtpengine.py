"""rtpengine in user space behind Kamailio, Debian's packages: the pair of a proxy and a relay that many run."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.peers.kamailio import MODULES
from tests.peers.ports import PORTS
from tests.peers.process import Child
from tests.peers.waiting import eventually_now
from tests.peers.wire import Address

HOST = "127.0.0.1"
WORKERS = 4
"SIP workers of Kamailio: each waits for rtpengine's answer, which one thread gives."
TIMEOUT = 3600
"Seconds of silence after which rtpengine forgets a call: longer than any measurement."

PROXY = """\
#!KAMAILIO
debug=0
log_stderror=yes
fork=yes
children={workers}
disable_tcp=yes
auto_aliases=no
listen=udp:{host}:{port}
mpath="{modules}"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "rr.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "rtpengine.so"
modparam("rtpengine", "rtpengine_sock", "udp:{host}:{control}")

request_route {{
    if (!mf_process_maxfwd_header("10")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    if (is_method("CANCEL")) {{
        rtpengine_manage();
        if (t_check_trans()) t_relay();
        exit;
    }}
    $du = "sip:{agent}";
    if (!has_totag()) {{
        t_check_trans();
        record_route();
    }}
    if (is_method("INVITE|BYE")) rtpengine_manage("replace-origin replace-session-connection ICE=remove");
    t_on_reply("ANSWER");
    t_relay();
}}

onreply_route[ANSWER] {{
    if (has_body("application/sdp")) rtpengine_manage("replace-origin replace-session-connection ICE=remove");
}}
"""


class Rtpengine:
    """Kamailio, which sends every call on to one agent, and rtpengine, which carries its sound."""

    name = "rtpengine + Kamailio"

    def __init__(
        self, folder: Path, agent: Address, *, prefix: Sequence[str] = (), rtp_ports: tuple[int, int] = (16384, 32766)
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.agent, self.prefix, self.rtp_ports = folder, agent, list(prefix), rtp_ports
        self.address: Address = (HOST, PORTS.take())
        self.control = PORTS.take()
        self.children: dict[str, Child] = {}

    def start(self) -> Self:
        """Start both and wait until they listen. AssertionError with their logs otherwise."""
        self._start("media", self.control, [
            _program("rtpengine", "rtpengine-daemon"),
            "--config-file=none",
            "--table=-1",  # no kernel module: packets pass through the process
            f"--interface={HOST}",
            f"--listen-ng={HOST}:{self.control}",
            f"--port-min={self.rtp_ports[0]}",
            f"--port-max={self.rtp_ports[1]}",
            f"--timeout={TIMEOUT}",
            f"--silent-timeout={TIMEOUT}",
            "--delete-delay=0",
            "--foreground",
            "--log-stderr",
            "--log-level=3",
        ])  # fmt: skip
        settings = self.folder / "kamailio.cfg"
        settings.write_text(
            PROXY.format(
                host=HOST,
                port=self.address[1],
                control=self.control,
                workers=WORKERS,
                modules=MODULES,
                agent=f"{self.agent[0]}:{self.agent[1]}",
            ),
            encoding="ascii",
        )
        self._start("signalling", self.address[1], [
            _program("kamailio", "kamailio"), "-DD", "-E", "-f", str(settings), "-Y", str(self.folder),
            "-m", "256", "-M", "16",
        ])  # fmt: skip
        return self

    def _start(self, part: str, port: int, command: Sequence[str]) -> None:
        child = Child([*self.prefix, *command], folder=self.folder, log=f"{part}.log")
        self.children[part] = child
        eventually_now(lambda: child.bound(port) or not child.alive, f"{child.name} listens\n{child.log()}", 20)
        assert child.alive, child.log()

    @property
    def parts(self) -> dict[str, int]:
        """The process of each part."""
        return {part: child.pid for part, child in self.children.items()}

    def numbers(self, count: int) -> list[str]:
        """As many numbers as a trunk would send; nobody looks at them."""
        return [f"7001{at:08d}" for at in range(count)]

    def log_tail(self, lines: int = 40) -> str:
        """The newest lines of what both wrote."""
        return "\n".join(line for one in self.children.values() for line in one.log().splitlines()[-lines:])

    def close(self) -> None:
        """End both."""
        for child in self.children.values():
            child.close(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _program(name: str, package: str) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/bin")
    assert found, f"{name} is missing: package {package} (scripts/setup --peers)"
    return found
