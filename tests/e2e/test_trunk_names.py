"""Trunks on one address told apart by the names of their certificates."""

from tests.e2e.conftest import StartServer
from tests.e2e.several_trunks import cdr_of
from tests.peers.certificates import Authority
from tests.peers.uac import Caller


async def test_a_certificate_says_whose_call_it_is(start_server: StartServer, authority: Authority) -> None:
    """TLS name: verified names only; another name on the same address is a stranger."""
    certificate = authority.issue("tandem")
    usual = {"listener": "outside", "addresses": ["127.0.0.1"], "access_id_width": 4}
    server = await start_server({
        "listeners.outside": {
            "transport": "tls", "tls_certificate": str(certificate), "tls_key": str(certificate.with_suffix(".key")),
            "tls_ca": str(authority.file), "tls_verify_client": True,
        },
        "trunks.carrier": None,
        "trunks.north": {**usual, "tls_names": ["north.example"]},
        "trunks.south": {**usual, "tls_names": ["south.example", "south.example.net"]},
    })  # fmt: skip
    for name, trunk in (("north.example", "north"), ("south.example.net", "south"), ("west.example", None)):
        async with await Caller.open(name, transport="tls", tls=authority.tls(name), sound=False) as caller:
            call = await caller.invite(server.outside, "4008100001")
            if trunk is None:
                await caller.expect(403)
            else:
                assert (await cdr_of(server, call))["trunk"] == trunk
