"""From where a REFER in a call is heard: Call-ID and tags are plain text on the wire, and prove nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from b2bua.settings import Listener, Node, Settings, Trunk
from b2bua.settings import Phones as PhonesSettings
from b2bua.sip.bindings import Binding, Source
from b2bua.sip.engine.refers import Refers, speaks_for
from b2bua.sip.engine.sipleg import SipLeg
from b2bua.sip.phones import Phones
from b2bua.sip.signals import Answered, Refer
from b2bua.sip.trunks import TrunkTable
from routing.directory import Directory

SETTINGS = Settings(
    node=Node(data_dir=Path("x")),
    listeners={
        "inside": Listener(side="inside", address="127.0.0.1"),
        "outside": Listener(side="outside", address="127.0.0.1", port=5080),
    },
    trunks={"carrier": Trunk(listener="outside", addresses=["198.51.100.0/28"], transfers=True)},
    phones=PhonesSettings(realm="phones.test", proxies=["192.0.2.16/30"]),
)
TABLE = TrunkTable([("outside", "198.51.100.0/28", "carrier"), ("outside", "203.0.113.0/24", "other")])


@pytest.fixture
def phones() -> Phones:
    found = Phones(
        SETTINGS, Directory, lambda number: False, lambda change: None, lambda source: None,
        lambda source, seconds: None, wall=lambda: 1000.0,
    )  # fmt: skip
    source = Source("inside", "udp", "192.0.2.7", 5060)
    found.registrar.restore([Binding("1001", "sip:1001@10.0.0.5", 1600.0, "a", 1, source)], 1000.0)
    return found


@pytest.mark.parametrize(
    ("owner", "source", "speaks"),
    [
        ("trunk carrier", "198.51.100.9", True),
        ("trunk carrier", "203.0.113.9", False),
        ("trunk carrier", "192.0.2.17", False),
        ("trunk gone", "198.51.100.9", False),
        ("1001", "192.0.2.17", True),
        ("1001", "192.0.2.7", True),
        ("1002", "192.0.2.7", False),
        ("1001", "198.51.100.9", False),
        ("1001", "2001:db8::1", False),
    ],
)
def test_who_speaks_for_whom(phones: Phones, owner: str, source: str, speaks: bool) -> None:
    assert speaks_for(owner, source, SETTINGS, TABLE, phones) is speaks


def test_a_phone_registered_nowhere_is_where_its_leg_is() -> None:
    assert not speaks_for("1001", "192.0.2.7", SETTINGS, TABLE, None)


REFER = (
    b"REFER sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\nFrom: <sip:1@h>;tag=x\r\n"
    b"To: <sip:2@h>;tag=y\r\nCall-ID: c\r\nCSeq: 2 REFER\r\nContact: <sip:1@192.0.2.7>\r\n\r\n"
)


@pytest.mark.parametrize(
    ("source", "code"), [("192.0.2.7", 400), ("192.0.2.8", 403), ("192.0.2.9", 400)]
)  # the request has no Refer-To: 400 is what it gets from whoever is heard
def test_a_refer_is_heard_from_where_the_leg_is(source: str, code: int) -> None:
    leg = SimpleNamespace(id=1, owner="1001", code=200, dropped=False, source="192.0.2.7")
    speaks: Callable[[str, str], bool] = lambda owner, source: source == "192.0.2.9"  # noqa: E731
    refers = Refers({("c", True): cast("SipLeg", leg)}, speaks, lambda leg, where, error: None)
    assert refers.decide("c", True, source, REFER) == (code, True)
    assert refers.decide("other", True, source, REFER) == (603, True)


async def test_a_bye_right_behind_a_refer_is_told_behind_it() -> None:
    """Who hangs up as soon as he has his 202 has transferred his caller all the same."""
    leg = SipLeg(cast(Any, None), 1)
    leg.owner, leg.code, leg.source = "1001", 200, "192.0.2.7"
    told: list[object] = []
    leg.sink = told.append
    refers = Refers({("c", True): leg}, lambda owner, source: False, lambda leg, where, error: None)
    request = REFER.replace(b"\r\n\r\n", b"\r\nRefer-To: <sip:1002@127.0.0.1>\r\n\r\n")
    assert refers.decide("c", True, "192.0.2.7", request)[0] == 202
    assert not told, "the 202 goes out first"
    leg._tell(Answered(1))
    assert [type(one) for one in told] == [Refer, Answered]
    await asyncio.sleep(0)
    assert len(told) == 2
