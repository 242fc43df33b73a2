"""The original called number out of an encapsulated ISUP message (SIP-I): binary, in a multipart, never passed on."""

from typing import Any

import pytest

from tests import isup_build as isup
from tests.e2e.several_trunks import SIP_I, Served, diverted_by, end, furnish, refused, served
from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER
from tests.peers.exchange import Received
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone


def number_of(kind: str, number: str) -> bytes:
    """An IAM that carries the number in one of the ways ISUP has."""
    called = isup.called_number(ACCESS_NUMBER)
    match kind:
        case "original":
            return isup.diverted_iam(ACCESS_NUMBER, original=number)
        case "redirecting":
            return isup.diverted_iam(ACCESS_NUMBER, redirecting=number)
        case "both":
            return isup.diverted_iam(ACCESS_NUMBER, original=number, redirecting="02166660000")
        case "odd":
            return isup.iam(called, (isup.ORIGINAL_CALLED, isup.number("0" + number, nature=isup.UNKNOWN)))
        case "international":
            digits = "86" + number
            return isup.iam(called, (isup.ORIGINAL_CALLED, isup.number(digits, nature=isup.INTERNATIONAL)))
        case "end of number":
            return isup.iam(called, (isup.ORIGINAL_CALLED, isup.number(number + "f")))
        case "no end mark":
            return isup.iam(called, (isup.ORIGINAL_CALLED, isup.number(number)), end=False)
    raise AssertionError(kind)


async def over_isup(
    server: Server, caller: Caller, phone: Phone, iam: bytes, handling: str = "required", **more: Any
) -> Served:
    """A call whose INVITE is a multipart of SDP and ISUP."""
    kind, body = isup.sip_i_body(caller.sdp(), iam, handling=handling)
    return await served(server, caller, phone, body=body, content_type=kind, **more)


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("original", "isup-called"),
        ("redirecting", "isup-redirecting"),
        ("both", "isup-called"),
        ("odd", "isup-called"),
        ("international", "isup-called"),
        ("end of number", "isup-called"),
        ("no end mark", "isup-called"),
    ],
)
async def test_the_pair_of_access_id_and_sequence_is_found_in(
    trunks: Server, phone: Phone, kind: str, source: str
) -> None:
    """R1-03: Original Called Number and Redirecting number of a binary IAM; the ISUP body stays with us."""
    token = await furnish(trunks, phone.uri)
    async with await Caller.open("trunk", host=SIP_I) as caller:
        call = await over_isup(trunks, caller, phone, number_of(kind, token["original_called_number"]))
        stays_with_us(call.ring, caller)
    cdr = call.cdr
    assert (cdr["access_id"], cdr["sequence"]) == (token["access_id"], token["sequence"])
    assert (cdr["source"], cdr["correlation"]) == (source, "correlated")
    assert await trunks.api.counted("tandem_correlation_total", outcome="correlated", source=source) == 1


@pytest.mark.parametrize("handling", ["required", "optional"])
async def test_sound_passes_although_the_body_has_two_parts(trunks: Server, phone: Phone, handling: str) -> None:
    """R1-03: any handling= of the ISUP part; the SDP beside it is the one that counts."""
    token = await furnish(trunks, phone.uri)
    async with await Caller.open("trunk", host=SIP_I) as caller:
        iam = number_of("original", token["original_called_number"])
        kind, body = isup.sip_i_body(caller.sdp(), iam, handling=handling, boundary="a'b(c)+_,-./:=?")
        kind = kind.replace("boundary=a'b(c)+_,-./:=?", 'boundary="a\'b(c)+_,-./:=?"')
        await caller.invite(trunks.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, body=body, content_type=kind)
        await phone.answers()
        response = await caller.answered()
        caller.call.follow()
        await caller.hears(phone)
        await phone.hears(caller)
        assert response.content_type == "application/sdp"
        await end(caller, phone)


async def test_an_invite_in_udp_fragments_arrives_whole(trunks: Server, phone: Phone) -> None:
    """R1-03: SIP-I makes an INVITE larger than a datagram of the wire; what IP takes apart it puts together."""
    token = await furnish(trunks, phone.uri)
    async with await Caller.open("trunk", host=SIP_I) as caller:
        iam = number_of("original", token["original_called_number"])
        padding = [("X-Carrier-Data", "p" * 900) for _ in range(4)]
        call = await over_isup(trunks, caller, phone, iam, headers=padding)
        assert len(caller.call.invite_sent.raw) > 3 * 1500
    assert (call.cdr["source"], call.cdr["sequence"]) == ("isup-called", token["sequence"])
    assert len(call.ring.raw) < 1500


async def test_a_restricted_number_is_used_but_masked_and_one_not_available_is_absent(
    trunks: Server, phone: Phone
) -> None:
    """R1-03: "restricted" is decoded, "not available" is as if it were not there."""
    token = await furnish(trunks, phone.uri)
    number = token["original_called_number"]
    called = isup.called_number(ACCESS_NUMBER)
    hidden = isup.iam(called, (isup.ORIGINAL_CALLED, isup.number(number, presentation=isup.RESTRICTED)))
    absent = isup.iam(called, (isup.ORIGINAL_CALLED, isup.number(number, presentation=isup.NOT_AVAILABLE)))
    async with await Caller.open("trunk", host=SIP_I) as caller:
        kind, body = isup.sip_i_body(caller.sdp(), absent)
        cdr = await refused(trunks, caller, 403, body=body, content_type=kind)
        assert (cdr["cause"], cdr["correlation"]) == ("missing", "missing")
        call = await over_isup(trunks, caller, phone, hidden)
    assert (call.cdr["correlation"], call.cdr["original_called"]) == ("correlated", "x" * len(number))


@pytest.mark.parametrize("broken", ["cut", "letters", "other message", "empty", "noise"])
async def test_broken_isup_leaves_the_word_to_the_next_source(trunks: Server, phone: Phone, broken: str) -> None:
    """R1-03, R1-05: a broken IAM is malformed, spoils nothing, and a Diversion beside it still counts."""
    token = await furnish(trunks, phone.uri)
    number = token["original_called_number"]
    called = isup.called_number(ACCESS_NUMBER)
    iam = {
        "cut": number_of("original", number)[:-6],
        "letters": isup.iam(called, (isup.ORIGINAL_CALLED, isup.number("7001abcd1234"))),
        "other message": b"\x10\x02" + number_of("original", number)[2:],
        "empty": b"",
        "noise": bytes(range(256)) * 3,
    }[broken]
    async with await Caller.open("trunk", host=SIP_I) as caller:
        kind, body = isup.sip_i_body(caller.sdp(), iam)
        cdr = await refused(trunks, caller, 400, body=body, content_type=kind)
        assert (cdr["correlation"], cdr["tenant"], cdr["token"]) == ("malformed", None, None)
        call = await over_isup(trunks, caller, phone, iam, headers=diverted_by(number))
    assert (call.cdr["source"], call.cdr["sequence"]) == ("diversion", token["sequence"])


def stays_with_us(ring: Received, caller: Caller) -> None:
    """Neither the agent nor the trunk gets the ISUP body from us."""
    told = [ring, *caller.call.received]
    assert ring.content_type == "application/sdp"
    for message in told:
        assert b"isup" not in message.raw.lower()
        assert b"multipart" not in message.raw.lower()
