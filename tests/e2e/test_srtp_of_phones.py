"""SRTP by agent: his phone is offered what his own policy says, and its calls are held to it."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_again
from tests.e2e.phones import OFFICE, PASSWORD, credentials, md5_challenge, phones, register, registrar
from tests.peers.baresip import Baresip
from tests.peers.exchange import AUTO, SdpArgument
from tests.peers.pjsip_phone import PjsipPhone
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true

OpenPhone = Callable[..., Awaitable[PjsipPhone]]
KEY = "inline:" + b64encode(bytes(range(30))).decode()


async def hire(server: Server, extension: str, **more: object) -> None:
    """An agent whose phone registers."""
    body = {"extension": extension, "name": f"agent {extension}", "password": PASSWORD, **more}
    await server.api.post("/v1/agents", body)


async def dial(server: Server, phone: Phone, number: str, sdp: SdpArgument = AUTO) -> None:
    """It dials, is challenged, and dials again with its password."""
    call = await phone.invite(server.inside, number, caller=phone.name, sdp=sdp)
    challenge = await md5_challenge(call.invite_sent)
    shown = credentials(challenge, "INVITE", f"sip:{number}@{server.inside[0]}:{server.inside[1]}", phone.name)
    await phone.invite(server.inside, number, caller=phone.name, sdp=sdp, headers=[("Authorization", shown)])


async def test_a_phone_that_must_encrypt_does_so_both_ways_and_another_does_not(
    start_server: StartServer, open_pjsip: OpenPhone, caller: Caller
) -> None:
    """Required (DTLS) for one agent, off for the next, on one listener in clear: what the first is offered and what it
    offers is encrypted, in clear it gets 488 and a reason, on help excepted; the second gets 488 for RTP/SAVP."""
    trunk = {"target": f"127.0.0.1:{caller.port}"}
    phone_settings = {**OFFICE["phones"], "trunk": "carrier"}
    server = await start_server({"phones": phone_settings, "trunks.carrier": trunk})
    await hire(server, "1001", srtp="required", srtp_keys=["dtls"])
    await hire(server, "1002", srtp="off")
    await server.api.add_access_number("4008100001", correlation="off", entry={"kind": "agent", "target": "1001"})
    secret = await open_pjsip("1001", answer=200, srtp="required", keys=["dtls"])
    await secret.register(registrar(server), "1001", PASSWORD)
    await caller.invite(server.outside, "4008100001")
    ring = await secret.rings()
    assert b"UDP/TLS/RTP/SAVP" in ring.sip.body
    assert b"a=fingerprint:" in ring.sip.body
    assert b"fingerprint" not in (await caller.answered()).body
    await caller.hears(secret.tone)
    await secret.hears(caller.sound.tone or 0.0)
    await (await caller.bye()).expect(200)
    await secret.ended()

    async with await Phone.open("1002") as plain, await Phone.open("1001") as open_one:
        await register(server, plain, f"<{plain.uri}>", "1002")
        await secret.dial(f"sip:1002@{server.inside[0]}:{server.inside[1]}")
        ring_plain = await plain.answers()
        assert b"RTP/AVP" in ring_plain.body
        assert b"crypto" not in ring_plain.body
        assert b"fingerprint" not in ring_plain.body
        await plain.hears(secret.tone)
        await secret.hears(plain.sound.tone or 0.0)
        await (await plain.bye()).expect(200)

        await dial(server, open_one, "1002")  # the right password, in clear
        assert (await open_one.expect(488)).has("Reason")
        keyed = plain.sdp(extra=[f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}"]).replace(b"RTP/AVP", b"RTP/SAVP")
        await dial(server, plain, "1001", keyed)
        assert "cause=65" in str((await plain.expect(488)).all("Reason"))
        await dial(server, open_one, "112")  # nobody is kept from calling for help
        (await caller.expect("INVITE", user="112")).reply(200)
        await open_one.answered()
        await (await open_one.bye()).expect(200)


@pytest.mark.parametrize(("keys", "theirs"), [("sdes", "srtp-mand"), ("dtls", "dtls_srtp")])
async def test_a_registered_baresip_has_what_its_agent_has(
    start_server: StartServer, tmp_path: Path, caller: Caller, keys: str, theirs: str
) -> None:
    """A third stack, registered, with keys of either kind behind a listener that has no SRTP itself; where its answer
    comes in clear the call ends with 488."""
    server = await start_server(
        {
            "phones": {**OFFICE["phones"], "md5_phones": ["baresip"]},
            "listeners.inside": {"srtp_plain_signalling": keys == "sdes"},
        }
    )
    await hire(server, "1001", srtp="required", srtp_keys=[keys])
    await server.api.add_tenant()
    await server.api.add_access_number()
    where = registrar(server).removeprefix("sip:")
    async with await Baresip.open(tmp_path, "1001", srtp=theirs, registrar=where, password=PASSWORD) as phone:
        await eventually_true(lambda: phones(server, "1001"), "it has registered")
        await call_again(server, caller)
        await caller.answered()
        await caller.hears(phone.tone)
        await phone.hears(caller.sound.tone or 0.0)
        await (await caller.bye()).expect(200)
        await phone.expect("CALL_CLOSED")


async def test_a_fixed_contact_is_held_to_its_policy_too(
    start_server: StartServer, open_pjsip: OpenPhone, caller: Caller, phone: Phone
) -> None:
    """An agent at a fixed contact without a password: an answer in clear ends the call with 488, and so does his own
    call; as soon as he may, both go on in clear."""
    server = await start_server()
    await server.api.add_agent(phone.uri, srtp="required", srtp_keys=["dtls"])
    await server.api.add_tenant()
    await server.api.add_access_number()
    await call_again(server, caller)
    ring = await phone.rings()
    assert b"UDP/TLS/RTP/SAVP" in ring.body
    ring.reply(200, sdp=phone.sdp())
    assert (await caller.expect("4xx")).status == 488
    await phone.invite(server.inside, "*42", caller="1001")
    assert (await phone.expect(488)).has("Reason")
    await server.api.patch("/v1/agents/1001", {"srtp": None})
    await phone.invite(server.inside, "*42", caller="1001")
    await phone.answered()
    await phone.expect("BYE")


PLAIN, KEYED, BARE, FINGERPRINT = "RTP/AVP", "RTP/SAVP", "RTP/SAVP without keys", "UDP/TLS/RTP/SAVP"
FEEDBACK, LOST, WRONG = "UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP without a fingerprint", "TCP/RTP/AVP"
TAKEN = {
    ("off", "dtls"): {PLAIN},
    ("optional", "sdes"): {PLAIN, KEYED},
    ("required", "sdes"): {KEYED},
    ("optional", "dtls"): {PLAIN, FINGERPRINT, FEEDBACK},
    ("required", "dtls"): {FINGERPRINT, FEEDBACK},
}
"Policy of a phone, and what it may offer; everything else is 488."


def offer(phone: Phone, kind: str) -> bytes:
    """An offer with these keys."""
    extra = [f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}"] if kind == KEYED else []
    if kind in (FINGERPRINT, FEEDBACK):
        extra = ["a=fingerprint:sha-256 " + ":".join(["AB"] * 32), "a=setup:actpass"]
    return phone.sdp(extra=extra).replace(b"RTP/AVP", kind.partition(" ")[0].encode())


async def test_no_offer_of_keys_is_too_much(start_server: StartServer, phone: Phone) -> None:
    """Each policy and each way to offer sound: what does not fit is 488, and the server lives on."""
    server = await start_server({"listeners.inside": {"srtp_plain_signalling": True}})
    for number, (wish, keys) in enumerate(TAKEN):
        await server.api.add_agent(phone.uri, str(1001 + number), srtp=wish, srtp_keys=[keys])
    for number, (policy, fitting) in enumerate(TAKEN.items()):
        for kind in (PLAIN, KEYED, BARE, FINGERPRINT, FEEDBACK, LOST, WRONG):
            await phone.invite(server.inside, "1999", caller=str(1001 + number), sdp=offer(phone, kind))
            refused = await phone.expect("4xx")
            assert (refused.status != 488) == (kind in fitting), (policy, kind)
