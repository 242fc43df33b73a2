"""From a trunk's messages as they are on the wire to the decision whose call it is."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua.sip.arrival import arrival_of
from b2bua.sip.message import BadMessage, Message
from routing.correlation import Source
from routing.identify import Identified, identify
from routing.outcome import Outcome
from tests import isup_build as build
from tests.unit.routing.world import ACCESS, BILLING, PROFILE, directory

DATA = Path(__file__).parents[2] / "data"
WORLD = directory()
SDP = b"v=0\r\nm=audio 4000 RTP/AVP 8\r\n"
CAPTURED = sorted(path.name for path in DATA.glob("*.sip"))


def outcome_of(raw: bytes | str) -> Identified:
    return identify(arrival_of(Message.of(raw), "carrier"), PROFILE, WORLD)


@pytest.mark.parametrize(
    ("name", "source", "sequence", "masked"),
    [
        ("diversion-several", Source.DIVERSION, "00004711", False),
        ("diversion-private-folded", Source.DIVERSION, "00004712", True),
        ("history-rfc4244", Source.HISTORY_INFO, "00004713", False),
        ("history-rfc7044", Source.HISTORY_INFO, "00004714", False),
        ("sip-i", Source.ISUP_CALLED, "00004715", False),
        ("sip-i-nested", Source.ISUP_REDIRECTING, "00004716", True),
        ("compact-folded", Source.DIVERSION, "00004717", False),
    ],
)
def test_a_trunks_message_gives_its_tenant_and_sequence(name: str, source: Source, sequence: str, masked: bool) -> None:
    """R1-03: the forms trunks send, as octets and as pjsua2 hands them over."""
    raw = (DATA / f"{name}.sip").read_bytes()
    for form in (raw, raw.decode("utf8", "surrogateescape")):
        found = outcome_of(form)
        assert (found.outcome, found.source, found.sequence) == (Outcome.CORRELATED, source, sequence)
        assert found.masked is masked
        assert (found.called, found.access_id) == (ACCESS, "5100") if name[0] != "c" else ("864008100001", "5100")


@pytest.mark.parametrize(
    ("name", "outcome", "source"),
    [
        ("diversion-several-cut", Outcome.MALFORMED, Source.DIVERSION),
        ("diversion-private-folded-cut", Outcome.MALFORMED, Source.DIVERSION),
        ("history-rfc4244-cut", Outcome.MALFORMED, Source.HISTORY_INFO),
        ("history-rfc7044-cut", Outcome.MALFORMED, Source.HISTORY_INFO),
        ("sip-i-cut", Outcome.MALFORMED, Source.ISUP_CALLED),
        ("sip-i-nested-cut", Outcome.MALFORMED, Source.ISUP_CALLED),
    ],
)
def test_its_twin_cut_short_fails_in_the_open(name: str, outcome: Outcome, source: Source) -> None:
    """R1-05: malformed, and never a number that is part of another."""
    found = outcome_of((DATA / f"{name}.sip").read_bytes())
    assert (found.outcome, found.source, found.tenant) == (outcome, source, None)


def test_a_message_cut_inside_its_headers_is_none() -> None:
    with pytest.raises(BadMessage):
        Message.of((DATA / "compact-folded-cut.sip").read_bytes())


def test_every_captured_message_has_its_twin() -> None:
    assert len(CAPTURED) >= 14
    assert all(name.replace("-cut.sip", ".sip") in CAPTURED for name in CAPTURED)
    assert all(name.replace(".sip", "-cut.sip") in CAPTURED for name in CAPTURED if "-cut" not in name)


@pytest.mark.parametrize("name", CAPTURED)
def test_no_prefix_of_a_message_makes_a_crash_or_another_number(name: str) -> None:
    """R1-05: wherever a datagram ends."""
    raw = (DATA / name).read_bytes()
    whole = None if "-cut" in name else outcome_of(raw).sequence
    for length in range(len(raw)):
        try:
            found = outcome_of(raw[:length])
        except BadMessage:
            continue
        assert not found.correlated or found.sequence == whole, length


def test_the_binary_body_arrives_byte_exact() -> None:
    """R1-03: SIP-I with any handling, nested multiparts, quoted boundary."""
    raw = (DATA / "sip-i-nested.sip").read_bytes()
    bodies = arrival_of(Message.of(raw), "carrier").bodies
    assert [body.content_type for body in bodies] == ["text/plain", "application/sdp", "application/isup"]
    assert b"\r\n--in\r\n\x00\xff\n--out" in bodies[2].content
    assert bodies[2].parameters == 'base=itu-t92+; version="itu-t92+"'


def invite(*headers: str, uri: str = "sip:4008100001@h", body: bytes = SDP) -> Message:
    return Message.of("\r\n".join([f"INVITE {uri} SIP/2.0", *headers, "", ""]).encode() + body)


def test_every_part_of_an_invite_that_correlation_reads_is_there() -> None:
    """R1-03: caller, called, asserted identity, headers, bodies."""
    arrival = arrival_of(
        invite(
            'f: "上海 \\"ACME\\"" <sip:+86595%2D12345678:pw@h;user=phone>;tag=1',
            'P-Asserted-Identity: "ACME" <sip:acme@h>, <tel:+8659512345678>',
            "c: application/sdp",
            uri="sip:%34008100001;npdi@h;user=phone",
        ),
        "carrier",
    )
    assert (arrival.trunk, arrival.called, arrival.caller) == ("carrier", "4008100001;npdi", "+86595-12345678")
    assert (arrival.caller_name, arrival.asserted) == ('上海 "ACME"', "+8659512345678")
    assert arrival.values("from") == ['"上海 \\"ACME\\"" <sip:+86595%2D12345678:pw@h;user=phone>;tag=1']
    assert [body.content_type for body in arrival.bodies] == ["application/sdp"]


@pytest.mark.parametrize(
    ("values", "asserted"),
    [
        ([], None),
        (["<sip:alice@h>"], "alice"),
        (["<sip:alice@h>", "<tel:123>"], "123"),
        (["<sip:broken", "<mailto:x>"], None),
        (["<sip:anonymous@anonymous.invalid>"], None),
        (["<sip:h>, <sip:+86@h>"], "+86"),
    ],
)
def test_the_asserted_identity_is_the_number_if_there_is_one(values: list[str], asserted: str | None) -> None:
    """R1-07: PAI has a SIP and a tel URI in any order (RFC 3325)."""
    assert arrival_of(invite(*[f"P-Asserted-Identity: {value}" for value in values]), "carrier").asserted == asserted


def test_what_cannot_be_read_is_empty_or_stands_there_as_written() -> None:
    """R1-05: never a crash."""
    arrival = arrival_of(invite("From: <sip:broken", uri="mailto:a\x00b"), "carrier")
    assert (arrival.called, arrival.caller, arrival.caller_name) == ("mailto:a\ufffdb", "", "")
    assert arrival_of(invite("From: <broken>"), "carrier").caller == ""
    assert arrival_of(invite(uri="sip:h"), "carrier").called == "sip:h"


def test_values_for_records_hold_nothing_a_database_refuses() -> None:
    """R1-05: NUL, controls and octets that are no UTF-8 do not reach the CDR."""
    raw = b'INVITE sip:1%00%ff@h SIP/2.0\r\nFrom: "\xff\x07" <sip:2%0a@h>\r\n\r\n'
    arrival = arrival_of(Message.of(raw), "carrier")
    for text in (arrival.called, arrival.caller, arrival.caller_name):
        text.encode("utf8")
        assert text.isprintable()


@given(
    st.text("0123456789", min_size=8, max_size=8),
    st.sampled_from(["+86", "0", "0086", "86", ""]),
    st.sampled_from(list(Source)),
    st.sampled_from(["unique-boundary-1", "b"]),
)
def test_any_sequence_number_is_found_in_any_place(sequence: str, front: str, source: Source, boundary: str) -> None:
    """R1-03: the same pair from each source."""
    digits = "5100" + sequence
    headers, body = [f"From: <sip:{BILLING}@h>", "Content-Type: application/sdp"], SDP
    if source is Source.DIVERSION:
        headers.append(f"Diversion: <sip:{front}{digits}@h>")
    elif source is Source.HISTORY_INFO:
        headers.append(f"History-Info: <tel:{front}{digits}>;index=1, <sip:{ACCESS}@h;cause=302>;index=1.1")
    else:
        original = source is Source.ISUP_CALLED
        isup = build.diverted_iam(ACCESS, digits if original else None, None if original else digits)
        content_type, body = build.sip_i_body(SDP, isup, boundary=boundary)
        headers[1] = f"Content-Type: {content_type}"
    profile = replace(PROFILE, sources=(source,))
    found = identify(arrival_of(invite(*headers, body=body), "carrier"), profile, WORLD)
    assert (found.outcome, found.access_id, found.sequence) == (Outcome.CORRELATED, "5100", sequence)
    assert found.source is source
