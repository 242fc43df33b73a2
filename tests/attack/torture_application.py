"""Torture for what comes behind the parser (RFC 4475 sections 3.2 to 3.4), and of IPv6 (RFC 5118)."""

from __future__ import annotations

from collections.abc import Iterator

from tests.attack.requests import BAD, NOBODY, SDP, UNDERSTOOD, Torture, many, request


def of_the_application() -> Iterator[Torture]:
    yield Torture(
        "the magic cookie and nothing behind it",
        lambda s: request(s, "OPTIONS", via=f"Via: SIP/2.0/UDP {s.at};branch=z9hG4bK;rport"), frozenset({200}),
        silence=True, section="3.2.1",
    )  # fmt: skip
    yield Torture(
        "neither From nor To nor Call-ID",
        lambda s: f"INVITE sip:{NOBODY}@{s.to} SIP/2.0\r\nVia: SIP/2.0/UDP {s.at};branch=z9hG4bK{s.serial}\r\n"
        "CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n".encode(),
        BAD, section="3.3.1",
    )  # fmt: skip
    for scheme, section in (("nobodyKnowsThisScheme:opaque", "3.3.2"), ("soap.beep://192.0.2.103:3002", "3.3.3")):
        yield Torture(
            f"a Request-URI of {scheme.partition(':')[0]}", lambda s, u=scheme: request(s, uri=u),  # type: ignore[misc]
            frozenset({416, 400}), section=section,
        )  # fmt: skip
    yield Torture(
        "To and From of unknown schemes",
        lambda s: request(
            s, "OPTIONS", to="To: <isbn:2983792873>\r\n", from_=f"From: <http://www.example.com>;tag={s.serial}\r\n"
        ),
        frozenset({200, 400, 416}), section="3.3.4",
    )  # fmt: skip
    yield Torture(
        "extensions nobody knows",
        lambda s: request(
            s, "OPTIONS", extra="Require: nothingSupportsThis, nothingSupportsThisEither\r\nProxy-Require: noProxy\r\n"
        ),
        frozenset({420}), section="3.3.5",
    )  # fmt: skip
    yield Torture(
        "a body of a type nobody knows",
        lambda s: request(s, body='<audio port="443"/>\r\n', kind="application/unknownformat"),
        frozenset({415, 488, 400, 404}), section="3.3.6",
    )  # fmt: skip
    yield Torture(
        "credentials of a scheme nobody knows",
        lambda s: request(s, "OPTIONS", extra="Authorization: NoOneKnowsThis opaque=\"here\", data\r\n"),
        frozenset({200, 400}), section="3.3.7",
    )  # fmt: skip
    yield Torture(
        "single headers several times",
        lambda s: request(
            s, extra=f"CSeq: 8 INVITE\r\nCall-ID: other@{s.host}\r\nTo: <sip:x@y>\r\nFrom: <sip:z@y>;tag=3\r\n"
            "Max-Forwards: 5\r\n",
        ),
        BAD, section="3.3.8",
    )  # fmt: skip
    yield Torture(
        "Content-Length twice",
        lambda s: request(s, extra="Content-Length: 466\r\n"), BAD, section="3.3.9",
    )  # fmt: skip
    yield Torture(
        "an answer to the broadcast address",
        lambda s: request(
            s, "OPTIONS", via=f"Via: SIP/2.0/UDP 255.255.255.255:{s.port};branch=z9hG4bK{s.serial};rport"
        ),
        frozenset({200}), section="3.3.10",
    )  # fmt: skip
    yield Torture(
        "no hop left, INVITE", lambda s: request(s, forwards="Max-Forwards: 0\r\n"), frozenset({483}),
        section="3.3.11",
    )  # fmt: skip
    yield Torture(
        "no hop left, OPTIONS",
        lambda s: request(s, "OPTIONS", uri=f"sip:{s.to}", forwards="Max-Forwards: 0\r\n"), frozenset({200, 483}),
        section="3.3.11",
    )  # fmt: skip
    yield Torture(
        "a REGISTER with headers in its contact",
        lambda s: request(s, "REGISTER", contact="Contact: <sip:a@b?Route=%3Csip:c%3E>\r\n"),
        frozenset({400, 401, 403, 405}), section="3.3.14",
    )  # fmt: skip
    yield Torture(
        "SDP of a type we do not take",
        lambda s: request(s, extra="Accept: text/nobodyKnowsThis\r\n", body="", kind=""),
        frozenset({404, 406}), section="3.3.15",
    )  # fmt: skip
    yield Torture(
        "an INVITE of RFC 2543",
        lambda s: (
            f"INVITE sip:{NOBODY}@{s.to} SIP/2.0\r\nVia: SIP/2.0/UDP {s.at}\r\nFrom: <sip:02155550000@{s.at}>\r\n"
            f"To: <sip:{NOBODY}@{s.to}>\r\nCall-ID: {s.serial}@{s.host}\r\nCSeq: 1 INVITE\r\n"
            f"Contact: <sip:a@{s.at}>\r\n\r\n"
        ).encode(),
        frozenset({404, 400}), section="3.4.1",
    )  # fmt: skip
    yield Torture(
        "five media lines",
        lambda s: request(s, body=SDP.format(host=s.host) + "m=audio 40002 RTP/AVP 0\r\n" * 4),
        frozenset({488, 400, 404}),
    )  # fmt: skip
    yield Torture(
        "5,000 media lines",
        lambda s: request(s, body=SDP.format(host=s.host) + "m=audio 9 RTP/AVP 0\r\n" * 900),
        frozenset({488, 400, 404, 413, 513}), silence=True,
    )  # fmt: skip
    yield Torture(
        "RED without an rtpmap",
        lambda s: request(
            s, body=SDP.format(host=s.host).replace("RTP/AVP 0 8", "RTP/AVP 121 0 8") + "a=fmtp:121 0/0/0\r\n"
        ),
        frozenset({404, 488, 400}),
    )  # fmt: skip
    yield Torture(
        "a hundred crypto lines",
        lambda s: request(
            s,
            body=SDP.format(host=s.host).replace("RTP/AVP", "RTP/SAVP")
            + many(100, "a=crypto:{i} AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"),
        ),
        frozenset({404, 488, 400}), silence=True,
    )  # fmt: skip
    for header in ("Allow", "Supported", "Require"):
        yield Torture(
            f"an endless {header}",
            lambda s, h=header: request(s, "OPTIONS", extra=f"{h}: {', '.join(f'x{i}' for i in range(1500))}\r\n"),  # type: ignore[misc]
            frozenset({200, 400, 420}), silence=True,
        )  # fmt: skip
    yield Torture(
        "a Call-ID of 4,000 octets",
        lambda s: request(s, "OPTIONS", call_id=f"Call-ID: {s.serial}{'x' * 4000}\r\n"),
        frozenset({200, 400}), silence=True,
    )  # fmt: skip
    yield Torture(
        "an empty multipart",
        lambda s: request(s, body="--b\r\n--b--\r\n", kind="multipart/mixed;boundary=b"),
        frozenset({400, 404, 415, 488}),
    )  # fmt: skip
    yield Torture(
        "a multipart whose boundary never comes",
        lambda s: request(s, body="nothing here", kind="multipart/mixed;boundary=never"),
        frozenset({400, 404, 415, 488}),
    )  # fmt: skip
    for method in ("INVITE", "BYE", "UPDATE", "INFO", "PRACK", "NOTIFY", "REFER"):
        yield Torture(
            f"{method} in a dialog that never was",
            lambda s, m=method: request(s, m, to=f"To: <sip:{NOBODY}@{s.to}>;tag=never\r\n"),  # type: ignore[misc]
            frozenset({481}),
        )  # fmt: skip
    yield Torture(
        "a CANCEL of nothing", lambda s: request(s, "CANCEL"), frozenset({481}),
    )  # fmt: skip
    yield Torture(
        "an ACK of nothing", lambda s: request(s, "ACK", to=f"To: <sip:{NOBODY}@{s.to}>;tag=never\r\n"), frozenset(),
        silence=True,
    )  # fmt: skip


def of_ipv6() -> Iterator[Torture]:
    yield Torture(
        "an IPv6 reference in the Request-URI",
        lambda s: request(s, "OPTIONS", uri="sip:[2001:db8::10]"), frozenset({200, 404}), section="5118/4.1",
    )  # fmt: skip
    yield Torture(
        "an IPv6 address without brackets",
        lambda s: request(s, "OPTIONS", uri="sip:2001:db8::10"), frozenset({400, 416}), silence=True,
        section="5118/4.2",
    )  # fmt: skip
    yield Torture(
        "a port within an IPv6 reference",
        lambda s: request(s, "OPTIONS", uri="sip:[2001:db8::10:5070]"), frozenset({200, 404}), section="5118/4.3",
    )  # fmt: skip
    yield Torture(
        "a port behind an IPv6 reference",
        lambda s: request(s, "OPTIONS", uri="sip:[2001:db8::10]:5070"), frozenset({200, 404}), section="5118/4.4",
    )  # fmt: skip
    for what, value in (("with", "[2001:db8::9:255]"), ("without", "2001:db8::9:255")):
        yield Torture(
            f"received {what} brackets in an older Via",
            lambda s, v=value: request(  # type: ignore[misc]
                s, "OPTIONS", extra=f"Via: SIP/2.0/UDP [2001:db8::9:1];received={v};branch=z9hG4bKold\r\n"
            ),
            frozenset({200}), section="5118/4.5",
        )  # fmt: skip
    yield Torture(
        "an IPv6 address in the SDP",
        lambda s: request(s, body=SDP.format(host="2001:db8::20").replace("IN IP4", "IN IP6")),
        frozenset({404, 488}), section="5118/4.6",
    )  # fmt: skip
    yield Torture(
        "addresses of both families",
        lambda s: request(
            s,
            extra="Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKa\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKb\r\n",
            body=SDP.format(host=s.host).replace("o=- 20 1 IN IP4 " + s.host, "o=- 20 1 IN IP6 2001:db8::20"),
        ),
        UNDERSTOOD, section="5118/4.7",
    )  # fmt: skip
    yield Torture(
        "an IPv4 address within an IPv6 one",
        lambda s: request(s, body=SDP.format(host="::ffff:192.0.2.10").replace("IN IP4", "IN IP6")),
        frozenset({404, 488}), section="5118/4.9",
    )  # fmt: skip
    yield Torture(
        "three colons", lambda s: request(s, "OPTIONS", uri="sip:[2001:db8:::192.0.2.1]"),
        frozenset({200, 400, 404, 416}), silence=True, section="5118/4.10",
    )  # fmt: skip
