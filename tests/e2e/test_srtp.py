"""SRTP with SDES keys (RFC 4568) or DTLS (RFC 5764): optional takes both, required refuses what is in clear."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from b2bua.settings import SettingsError, load
from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_again, call_in, end, hear_each_other
from tests.peers.baresip import Baresip
from tests.peers.configuration import Changes, merged, toml, usual
from tests.peers.pjsip_phone import PjsipPhone
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone

OpenPhone = Callable[..., Awaitable[PjsipPhone]]


async def secured(start_server: StartServer, side: str, wish: str, keys: str = "sdes") -> Server:
    return await start_server({f"listeners.{side}": secure(wish, keys)})


def secure(wish: str, keys: str = "sdes") -> dict[str, object]:
    """Settings of a listener; the tests' signalling is in clear."""
    return {"srtp": wish, "srtp_keys": [keys], "srtp_plain_signalling": keys == "sdes"}


@pytest.mark.parametrize(("wish", "keys"), [("optional", "sdes"), ("required", "sdes"), ("required", "dtls")])
async def test_an_agent_with_srtp_talks_to_a_trunk_without(
    start_server: StartServer, open_pjsip: OpenPhone, caller: Caller, wish: str, keys: str
) -> None:
    """SRTP inside, plain RTP outside: sound both ways, keys on the inside only; also after hold."""
    server = await secured(start_server, "inside", wish, keys)
    phone = await open_pjsip("1001", answer=200, srtp=wish, keys=[keys])
    await call_in(server, caller, phone.uri)
    ring = await phone.rings()
    assert (b"a=crypto:" in ring.sip.body) == (keys == "sdes")
    assert (b"a=fingerprint:" in ring.sip.body) == (keys == "dtls")
    assert (b"RTP/SAVP" in ring.sip.body) == (wish == "required")
    answer = await caller.answered()
    assert b"crypto" not in answer.body
    await caller.hears(phone.tone)
    assert caller.sound.tone
    await phone.hears(caller.sound.tone)
    await phone.hold()
    await caller.sound.expect_not(phone.tone)
    await phone.resume()
    await caller.hears(phone.tone)
    await phone.hears(caller.sound.tone)
    await (await caller.bye()).expect(200)
    await phone.ended()


@pytest.mark.parametrize(
    ("wish", "keys", "theirs"), [("required", "sdes", "srtp-mand"), ("required", "dtls", "dtls_srtp")]
)
async def test_baresip_encrypts_its_sound(
    start_server: StartServer, tmp_path: Path, caller: Caller, wish: str, keys: str, theirs: str
) -> None:
    """A third stack with SRTP: both hear each other, and it has agreed on keys."""
    server = await secured(start_server, "inside", wish, keys)
    async with await Baresip.open(tmp_path, "1001", srtp=theirs) as phone:
        await call_in(server, caller, phone.uri)
        await caller.answered()
        await caller.hears(phone.tone)
        await phone.hears(caller.sound.tone or 0.0)
        await (await caller.bye()).expect(200)
        await phone.expect("CALL_CLOSED")


async def test_an_optional_listener_serves_a_phone_without_srtp(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """SRTP optional: a phone that takes no key gets plain RTP."""
    server = await secured(start_server, "inside", "optional")
    await call_in(server, caller, phone.uri)
    await phone.answers()
    await caller.answered()
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_a_required_listener_refuses_an_answer_in_clear(
    start_server: StartServer, open_pjsip: OpenPhone, caller: Caller
) -> None:
    """SRTP required inside: a phone that cannot is not talked to in clear; the trunk gets 488."""
    server = await secured(start_server, "inside", "required")
    phone = await open_pjsip("1001", answer=200, srtp="off")
    await call_in(server, caller, phone.uri)
    assert (await caller.expect("4xx")).status == 488


@pytest.mark.parametrize(("wish", "keys"), [("optional", "sdes"), ("required", "dtls")])
async def test_a_trunk_with_srtp_talks_to_an_agent_without(
    start_server: StartServer, open_pjsip: OpenPhone, phone: Phone, wish: str, keys: str
) -> None:
    """SRTP on one trunk: the PJSIP phone plays it; its call takes the default route."""
    changes: Changes = {
        "listeners.outside": {"srtp_plain_signalling": True},
        "trunks.carrier": {"srtp": wish, "srtp_keys": [keys]},
        "calls": {"default_route": "desk"},
    }
    server = await start_server(changes)
    await server.api.add_agent(phone.uri)
    await server.api.add_route("desk", "1001")
    await server.api.add_access_number(correlation="off")
    trunk = await open_pjsip("trunk", srtp="required", keys=[keys])
    await trunk.dial(f"sip:4008100001@{server.outside[0]}:{server.outside[1]}")
    ring = await phone.answers()
    assert b"crypto" not in ring.body
    await phone.hears(trunk.tone)
    assert phone.sound.tone
    await trunk.hears(phone.sound.tone)
    await (await phone.bye()).expect(200)
    await trunk.ended()


async def test_a_required_listener_refuses_an_offer_in_clear(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """SRTP required outside: RTP/AVP gets 488, nobody is rung, the record says why."""
    server = await secured(start_server, "outside", "required")
    await call_in(server, caller, phone.uri)
    await caller.expect(488)
    assert phone.calls == []
    assert (await server.api.cdr())["cause"] == "media-not-acceptable"


async def test_an_optional_listener_takes_an_offer_in_clear(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """SRTP optional outside: a plain offer gets a plain answer."""
    server = await secured(start_server, "outside", "optional")
    await server.api.furnish(phone.uri)
    await call_again(server, caller)
    await phone.answers()
    answer = await caller.answered()
    assert b"crypto" not in answer.body
    await hear_each_other(caller, phone)
    await end(caller, phone)


async def test_keys_offered_where_there_is_no_srtp_are_refused(server: Server, caller: Caller, phone: Phone) -> None:
    """SRTP off: RTP/SAVP gets 488, it is not answered in clear, and nobody is rung."""
    key = "inline:" + b64encode(bytes(range(30))).decode()
    offer = caller.sdp(extra=[f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {key}"]).replace(b"RTP/AVP", b"RTP/SAVP")
    await call_in(server, caller, phone.uri, sdp=offer)
    await caller.expect(488)
    assert phone.calls == []


def test_keys_in_clear_have_to_be_allowed(tmp_path: Path) -> None:
    """SDES over plain signalling: a mistake of the configuration, on a listener as on a trunk."""
    for section in ("listeners.outside", "trunks.carrier"):
        with pytest.raises(SettingsError, match=rf"{section}.srtp_keys: .*for everybody to read"):
            check(tmp_path, section, {"srtp": "optional"})
        check(tmp_path, section, {"srtp": "optional", "srtp_keys": ["dtls"]})


def check(folder: Path, section: str, keys: dict[str, object]) -> None:
    """Read the usual configuration with these keys in it; raises SettingsError."""
    file = folder / "tandem.toml"
    file.write_text(toml(merged(usual(folder), {section: keys})))
    load(file, {})
