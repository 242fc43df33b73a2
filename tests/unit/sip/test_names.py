"""Names of trunks, asked from a name server of the test's own (RFC 3263)."""

from collections.abc import Iterator

import pytest

from b2bua.settings.trunks import Dns
from b2bua.sip.names import Names
from routing.trunk_groups import Member
from tests.peers.names import NameServer


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer() as found:
        yield found


@pytest.fixture
def names(server: NameServer) -> Names:
    return Names(Dns(servers=[f"127.0.0.1:{server.port}"], timeout=0.3, shortest=5.0))


async def test_a_name_without_a_port_has_srv_records(server: NameServer, names: Names) -> None:
    server.srv(
        "_sip._udp.c.test", ("a.c.test", 5070, 1, 60), ("b.c.test", 5071, 2, 0), ("gone.c.test", 1, 3, 0), ttl=30
    )
    server.a("a.c.test", "192.0.2.1", "192.0.2.2", ttl=20)
    server.a("b.c.test", "192.0.2.3", ttl=90)
    found = await names.target("c.test", "udp", 4)
    assert set(found.members) == {
        Member("192.0.2.1:5070", 1, 60),
        Member("192.0.2.2:5070", 1, 60),
        Member("192.0.2.3:5071", 2, 0),
    }
    assert found.fresh == 20


async def test_a_port_or_no_records_mean_addresses(server: NameServer, names: Names) -> None:
    server.a("c.test", "192.0.2.1", ttl=1)
    for target, wanted in (("c.test:5080", "192.0.2.1:5080"), ("c.test", "192.0.2.1")):
        found = await names.target(target, "tcp", 4)
        assert found.members == (Member(wanted),)
        assert found.fresh == 5.0
    assert server.asked == ["c.test A", "_sip._tcp.c.test SRV", "c.test A"]


async def test_nobody_answers_or_there_is_no_such_name(server: NameServer, names: Names) -> None:
    with pytest.raises(OSError, match=r"none\.test"):
        await names.target("none.test", "udp", 4)
    server.dead = True
    with pytest.raises(OSError, match=r"c\.test"):
        await names.target("c.test", "udp", 4)


async def test_the_system_knows_what_no_name_server_does(names: Names) -> None:
    assert Member("127.0.0.1") in (await names.addresses("localhost", 4)).members
