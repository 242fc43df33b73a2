"""Kamailio as a proxy between Tandem and a peer: it stays in the path, as an edge in front of trunks or phones does."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.peers.ports import PORTS
from tests.peers.process import Child
from tests.peers.waiting import eventually
from tests.peers.wire import Address

MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules/"

CONFIGURATION = """\
#!KAMAILIO
debug=1
log_stderror=yes
fork=yes
children=1
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
loadmodule "path.so"
modparam("rr", "enable_full_lr", 1)
modparam("path", "use_received", 1)

request_route {{
    if (!mf_process_maxfwd_header("10")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    if (is_method("CANCEL")) {{
        if (t_check_trans()) t_relay();
        exit;
    }}
    if (has_totag()) {{
        if (loose_route()) {{
            t_relay();
        }} else if (is_method("ACK")) {{
            if (t_check_trans()) t_relay();
        }} else {{
            sl_send_reply("404", "Not Here");
        }}
        exit;
    }}
    t_check_trans();
    if (is_method("REGISTER")) {{
        add_path_received();
        $du = "sip:{inside}";
        t_relay();
        exit;
    }}
    record_route();
    if (is_present_hf("Route")) {{
        loose_route();
    }} else {{
        if ($si == "{behind_host}" && $sp == {behind_port}) {{
            $du = "sip:{front}";
        }} else {{
            $du = "sip:{behind}";
        }}
    }}
    t_relay();
}}
"""


class Kamailio:
    """`async with await Kamailio.open(folder, behind=server.outside, front=carrier) as proxy`."""

    def __init__(self, child: Child, address: Address) -> None:
        self.child, self.address = child, address

    @classmethod
    async def open(
        cls, folder: Path, *, behind: Address, front: Address | None = None, registrar: Address | None = None
    ) -> Self:
        """`behind`: the server that all new calls go to, except its own, which go to `front` (or where a Route says);
        `registrar`: where REGISTER goes, with a Path."""
        program = shutil.which("kamailio", path="/usr/sbin:/usr/bin")
        assert program, "kamailio is missing: package kamailio"
        folder = folder / "kamailio"
        folder.mkdir(parents=True)
        host, port = "127.0.0.1", PORTS.keep(1)

        def at(address: Address | None) -> str:
            return f"{address[0]}:{address[1]}" if address else f"{host}:9"

        (folder / "kamailio.cfg").write_text(
            CONFIGURATION.format(
                host=host,
                port=port,
                modules=MODULES,
                behind=at(behind),
                behind_host=behind[0],
                behind_port=behind[1],
                front=at(front),
                inside=at(registrar or behind),
            )
        )
        command = [program, "-DD", "-E", "-f", str(folder / "kamailio.cfg"), "-Y", str(folder), "-m", "16", "-M", "4"]
        child = Child(command, folder=folder, log="kamailio.log")
        proxy = cls(child, (host, port))
        try:
            await eventually(
                lambda: child.bound(port) or not child.alive, f"kamailio listens\n{child.log()}", within=20
            )
            assert child.alive, child.log()
        except BaseException:
            await proxy.close()
            raise
        return proxy

    async def close(self) -> None:
        """End it and its workers."""
        await self.child.aclose(5)
        PORTS.release(self.address[1])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
