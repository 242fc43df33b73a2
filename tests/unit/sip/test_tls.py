"""TLS: whose certificate is right, and when a changed one is taken over."""

import asyncio
import shutil
from ipaddress import ip_network
from pathlib import Path

import pytest

from b2bua.settings import Listener, Settings, Trunk
from b2bua.sip.engine.tls import (
    OTHER_NAME,
    SOON,
    Certificates,
    Identities,
    expected,
    expiry,
    host_in,
    mistake_in,
    why_not,
)
from b2bua.sip.trunks import Row, TrunkTable
from tests.peers.certificates import Authority

EXPIRED = 1 << 2


@pytest.mark.parametrize(
    ("status", "names", "wanted", "right"),
    [
        (OTHER_NAME, {"sip.carrier.example"}, {"sip.carrier.example"}, True),
        (OTHER_NAME, {"SIP.Carrier.Example"}, {"sip.carrier.example"}, True),
        (OTHER_NAME, {"a.example", "b.example"}, {"b.example"}, True),
        (OTHER_NAME, {"*.carrier.example"}, {"sip.carrier.example"}, False),
        (OTHER_NAME, {"evil.example"}, {"sip.carrier.example"}, False),
        (0, {"192.0.2.1"}, {"sip.carrier.example"}, False),
        (0, {"192.0.2.1"}, set(), True),
        (OTHER_NAME, {"phone.example"}, set(), False),
        (OTHER_NAME | EXPIRED, {"sip.carrier.example"}, {"sip.carrier.example"}, False),
        (EXPIRED, {"192.0.2.1"}, set(), False),
        (OTHER_NAME, set(), {"sip.carrier.example"}, False),
    ],
)
def test_a_certificate_is_for_the_name_that_is_wanted(
    status: int, names: set[str], wanted: set[str], right: bool
) -> None:
    assert (why_not(status, names, wanted, "192.0.2.1") == "") is right


def test_the_names_that_a_trunk_may_have() -> None:
    base = {"listener": "outside", "addresses": ["192.0.2.1"]}
    assert expected(Trunk.model_validate({**base, "target": "sip.carrier.example:5061"})) == ["sip.carrier.example"]
    both = {**base, "target": "192.0.2.1", "domain": "carrier.example"}
    assert expected(Trunk.model_validate(both)) == ["carrier.example", "192.0.2.1"]
    assert expected(Trunk.model_validate({**both, "tls_names": ["edge.example"]})) == ["edge.example"]
    assert expected(Trunk.model_validate(base)) == []


def test_a_trunk_that_a_reload_brings_is_compared_with_its_own_names(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    listener = listener_with(authority, tmp_path).model_copy(update={"tls_ca": tmp_path / "ca.pem"})
    settings = [Settings(listeners={"tls": listener})]
    table = TrunkTable()
    identities = Identities(lambda: settings[-1], table)
    assert identities.wanted("192.0.2.1") == set()

    table.fill([Row("tls", ip_network("192.0.2.1/32"), "new")])
    assert identities.wanted("192.0.2.1") == set(), "the address itself is wanted while nobody knows the trunk"
    trunk = Trunk.model_validate({"listener": "tls", "addresses": ["192.0.2.1"], "tls_names": ["sip.carrier.example"]})
    settings.append(Settings(listeners={"tls": listener}, trunks={"new": trunk}))
    assert identities.wanted("192.0.2.1") == {"sip.carrier.example"}


def test_a_sip_uri_in_a_certificate_stands_for_its_host() -> None:
    assert [host_in(name) for name in ("sip:a.example", "SIPS:b.example", "c.example")] == [
        "a.example",
        "b.example",
        "c.example",
    ]


def listener_with(authority: Authority, folder: Path) -> Listener:
    """A TLS listener whose files are copies in a folder."""
    take_place(authority.issue("first"), folder)
    return Listener.model_validate(
        {
            "side": "outside",
            "transport": "tls",
            "address": "127.0.0.1",
            "tls_certificate": folder / "sip.pem",
            "tls_key": folder / "sip.key",
        }
    )


def take_place(certificate: Path, folder: Path) -> None:
    shutil.copy(certificate, folder / "sip.pem")
    shutil.copy(certificate.with_suffix(".key"), folder / "sip.key")


async def test_a_changed_pair_is_taken_over_and_a_broken_one_is_not(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    listener = listener_with(authority, tmp_path)
    reloaded: list[str] = []

    def reload(name: str) -> int:
        reloaded.append(name)
        return 0

    service = Certificates({"tls": listener}, reload)
    started = asyncio.Event()
    task = asyncio.create_task(service.run(started.set))
    await started.wait()
    assert await service.look() == []
    take_place(authority.issue("second"), tmp_path)
    assert await service.look() == ["tls"] == reloaded
    assert await service.look() == []
    shutil.copy(authority.issue("third"), tmp_path / "sip.pem")  # and not its key
    assert mistake_in(listener)
    assert await service.look() == []
    (tmp_path / "sip.key").unlink()
    assert await service.look() == []
    take_place(authority.issue("fourth"), tmp_path)
    assert await service.look() == ["tls"]
    assert service.reloads == 2
    task.cancel()


def test_a_certificate_that_ends_soon_and_peers_that_refuse_it_are_alarms(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An alarm each, once until it is due again, with what to do."""
    listener = listener_with(Authority(tmp_path / "authority"), tmp_path)
    refused = [(0, "")]
    end = expiry(listener.tls_certificate)
    assert end is not None
    assert expiry(tmp_path / "none") is None
    now = [end - SOON - 60]
    service = Certificates({"tls": listener}, lambda name: 0, lambda: refused[-1], lambda: now[-1])
    service._expiries = service._all_expiries()

    def said() -> list[str]:
        service.warn()
        text = capsys.readouterr()
        return [
            one for one in ("about to expire", "has expired", "refuse our certificate") if one in text.out + text.err
        ]

    assert said() == []
    assert round(service.seconds_left()["tls"]) == SOON + 60
    now.append(end - SOON + 60)
    assert said() == ["about to expire"]
    refused.append((7, "192.0.2.8"))
    assert said() == ["refuse our certificate"]
    refused.append((8, "192.0.2.8"))
    assert said() == []
    service._told.clear()
    now.append(end + 1)
    assert said() == ["has expired", "refuse our certificate"]
