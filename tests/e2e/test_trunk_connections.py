"""Carriers that send their calls over the connection that we have opened to them (RFC 5923)."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.legs import hear_each_other
from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER, diverted
from tests.peers.certificates import Authority
from tests.peers.ports import PORTS
from tests.peers.uac import Caller
from tests.peers.uas import Phone

CARRIER = PORTS.keep(1)


def files(certificate: Path) -> dict[str, Any]:
    return {"tls_certificate": str(certificate), "tls_key": str(certificate.with_suffix(".key"))}


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_a_call_over_the_connection_that_we_opened_is_the_trunks(
    start_server: StartServer, authority: Authority, phone: Phone, transport: str
) -> None:
    """TCP and TLS trunks: our end of it has a port of the kernel's; the call comes to the listener all the same, as the
    trunk's, and what the listener says of strangers holds for nobody else on it."""
    tls = files(authority.issue("tandem")) | {"tls_ca": str(authority.file)} if transport == "tls" else {}
    server = await start_server({
        "listeners.outside": {"transport": transport, **tls},
        "trunks.carrier": {
            "addresses": ["127.0.0.1/32"], "target": f"127.0.0.1:{CARRIER}", "probe_interval": 1, "probe_timeout": 0.5,
        },
        "security": {"outside_strangers": "refuse"},
    })  # fmt: skip
    keys = authority.tls("carrier") if transport == "tls" else None
    async with await Caller.open("carrier", transport=transport, tls=keys, port=CARRIER) as carrier:
        await carrier.expect("OPTIONS")
        [ours] = carrier.wire._streams.values()
        assert ours.remote != server.outside, "the server has opened it"
        carrier.wire._streams[server.outside] = ours
        await server.api.furnish(phone.uri)
        token = await server.api.issue_token()
        await carrier.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=diverted(token))
        await phone.answers()
        answer = await carrier.answered()
        assert f"{server.outside[0]}:{server.outside[1]}" in answer.contact
        await hear_each_other(carrier, phone)
        assert len(carrier.wire._writers) == 1
        await (await carrier.bye()).expect(200)
        await phone.expect("BYE")
        assert (await server.api.cdr())["trunk"] == "carrier"
