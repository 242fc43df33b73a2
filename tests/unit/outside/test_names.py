"""Host names out of our cache: a dead DNS hurts only names never seen before."""

import threading

import pytest

from b2bua.outside.names import Names
from tests.peers.waiting import eventually


class Dns:
    """A resolver we can kill, at the seam of the blocking look-up."""

    def __init__(self) -> None:
        self.answers: dict[str, list[str]] = {"crm.test": ["192.0.2.1"]}
        self.asked: list[str] = []
        self.alive = threading.Event()
        self.alive.set()

    def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        self.alive.wait()
        if host not in self.answers:
            raise OSError("no such name")
        return self.answers[host]


async def test_an_address_needs_no_look_up() -> None:
    dns = Dns()
    assert await Names(lookup=dns).addresses("::1") == ["::1"]
    assert dns.asked == []


async def test_a_known_name_is_asked_for_once_while_fresh() -> None:
    dns = Dns()
    names = Names(lookup=dns)
    for _ in range(3):
        assert await names.addresses("crm.test") == ["192.0.2.1"]
    assert dns.asked == ["crm.test"]


async def test_an_old_answer_serves_at_once_while_dns_hangs_and_the_new_one_replaces_it() -> None:
    dns, now = Dns(), [0.0]
    names = Names(lookup=dns, fresh=60.0, clock=lambda: now[0])
    await names.addresses("crm.test")
    now[0] = 61.0
    dns.alive.clear()
    dns.answers["crm.test"] = ["192.0.2.2"]
    for _ in range(10):
        assert await names.addresses("crm.test") == ["192.0.2.1"]
    assert len(dns.asked) <= 2
    dns.alive.set()
    await eventually(lambda: names._known["crm.test"].addresses == ["192.0.2.2"], "the new address")


async def test_an_old_answer_serves_on_when_the_name_is_gone() -> None:
    dns, now = Dns(), [0.0]
    names = Names(lookup=dns, clock=lambda: now[0])
    await names.addresses("crm.test")
    now[0] = 1000.0
    dns.answers.clear()
    await names.addresses("crm.test")
    await eventually(lambda: not names._asking, "the look-up has failed")
    assert await names.addresses("crm.test") == ["192.0.2.1"]


async def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(OSError, match="no such name"):
        await Names(lookup=Dns()).addresses("nowhere.test")


async def test_what_the_machine_is_told_about_itself_is_never_asked() -> None:
    """A tenant answers for his own name, and could lead us to the secrets of a cloud's machine."""
    dns = Dns()
    dns.answers |= {"evil.test": ["169.254.169.254", "fe80::1%1", "::ffff:169.254.169.254", "fd00:ec2::254"]}
    dns.answers["half.test"] = ["100.100.100.200", "192.0.2.7", "127.0.0.1"]
    names = Names(lookup=dns)
    for host in ("evil.test", "169.254.169.254", "fe80::1"):
        with pytest.raises(OSError, match="no address that may be asked"):
            await names.addresses(host)
    assert await names.addresses("half.test") == ["192.0.2.7", "127.0.0.1"]
