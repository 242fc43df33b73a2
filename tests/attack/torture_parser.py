"""Torture for a parser: sound requests in odd clothes, and unsound ones (RFC 4475 sections 3.1.1 and 3.1.2)."""

from __future__ import annotations

from collections.abc import Iterator

from tests.attack.requests import BAD, NOBODY, SDP, UNDERSTOOD, Sender, Torture, many, request


def _tortuous(sender: Sender) -> bytes:
    """Folded lines, compact names in odd case, blanks around everything, an unknown header with a colon in it."""
    body = SDP.format(host=sender.host).encode()
    head = (
        f"INVITE sip:{NOBODY}@{sender.to};unknownparam SIP/2.0\r\n"
        f'TO :\r\n "To one \\\\ and a \\"quote\\"" <sip:{NOBODY}@{sender.to}> ; x-param = "a;b,c"\r\n'
        f'fRoM:\r\n\t"Folded name"   <sip:02155550000@{sender.at}>\r\n  ;\r\n  tag = {sender.serial}\r\n'
        "MaX-fOrWaRdS: 0068\r\n"
        f"i: {sender.serial}@{sender.host}\r\n"
        f"l: {len(body)}\r\n"
        "cseq: 0009\r\n  INVITE\r\n"
        f"v:  SIP  / 2.0\r\n /UDP\r\n    {sender.at};branch=z9hG4bK{sender.serial};rport\r\n"
        "s :\r\n"
        'X-Unheard-Of: a,; b ::: ("not a comment") %00 \t end\r\n'
        "c: application/sdp\r\n"
        f'm:"Quoted \\"name\\"" <sip:trunk@{sender.at};x-p> ; x-parameter = "quoted" ; y\r\n'
        "\r\n"
    )
    return head.encode() + body


def _wide_characters(sender: Sender) -> bytes:
    """A method of every token character, a user part of every unreserved one."""
    method = "!interesting-Method0123456789_*+`.%indeed'~"
    return request(
        sender,
        method,
        uri=f"sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@{sender.to}",
        call_id=f"Call-ID: {sender.serial}%word-word!*.'~`<>:\\\"/[]?{{}}@{sender.host}\r\n",
    )


def _multipart(sender: Sender) -> bytes:
    """SDP as the second part of a mixed body, the first one binary with NULs and something like a boundary in it."""
    parts = (
        b"--tort\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        + bytes(range(256))
        + b"--tor\r\n"
        + b"\r\n--tort\r\nContent-Type: application/sdp\r\n\r\n"
        + SDP.format(host=sender.host).encode()
        + b"\r\n--tort--\r\n"
    )
    return request(sender, body=parts, kind='multipart/mixed;boundary="tort"')


def _two_in_one(sender: Sender) -> bytes:
    """Octets behind the message that its Content-Length ends: to be ignored over UDP (RFC 3261 18.3)."""
    first = request(sender, "OPTIONS", uri=f"sip:{sender.to}")
    return first + request(sender, "INVITE").replace(sender.serial.encode(), b"behind")


def sound() -> Iterator[Torture]:
    yield Torture("folded and compact", _tortuous, UNDERSTOOD, section="3.1.1.1")
    yield Torture(
        "a quoted name over two lines",  # PJSIP's parser does not unfold within quotes
        lambda s: request(s, from_=f'From: "Folded\r\n\tname" <sip:02155550000@{s.at}>;tag={s.serial}\r\n'),
        frozenset({404, 400}),
    )  # fmt: skip
    yield Torture("every token character", _wide_characters, frozenset({501}), section="3.1.1.2")
    yield Torture(
        "percent signs in the URI",
        lambda s: request(s, uri=f"sip:%34008109999@{s.to}", to=f"To: <sip:%34008109999@{s.to}>\r\n"),
        UNDERSTOOD, section="3.1.1.3",
    )  # fmt: skip
    yield Torture(
        "an escaped NUL in the user",
        lambda s: request(s, uri=f"sip:null-%00-null@{s.to}", to=f"To: <sip:null-%00-null@{s.to}>\r\n"),
        frozenset({404, 400, 484}), section="3.1.1.4",
    )  # fmt: skip
    yield Torture(
        "percent signs that escape nothing",
        lambda s: request(s, "RE%47IST%45R", extra="%53ubject: no header that is known\r\n"),
        frozenset({501}), section="3.1.1.5",
    )  # fmt: skip
    yield Torture(
        "no blank before <",
        lambda s: request(s, "OPTIONS", from_=f"From: caller<sip:caller@{s.at}>;tag={s.serial}\r\n"),
        frozenset({200}), section="3.1.1.6",
    )  # fmt: skip
    yield Torture(
        "long values",
        lambda s: request(
            s,
            from_=f"From: \"{'I have a user name of extreme proportion ' * 3}\" <sip:02155550000@{s.at}"
            f";{'verylongparameternamewithnovalue' * 3};valueless>;tag={s.serial};{'longparam' * 8}={'v' * 150}\r\n",
            extra=many(20, "Via: SIP/2.0/TCP host{i}.example.com;branch=z9hG4bKlong{i}\r\n"),
        ),
        UNDERSTOOD, section="3.1.1.7",
    )  # fmt: skip
    yield Torture("octets behind the end", _two_in_one, frozenset({200}), section="3.1.1.8")
    yield Torture(
        "semicolons in the user",
        lambda s: request(s, "OPTIONS", uri=f"sip:user;par=u%40example.net@{s.to}"),
        frozenset({200, 404}), section="3.1.1.9",
    )  # fmt: skip
    yield Torture(
        "several transports in Via",
        lambda s: request(
            s, "OPTIONS",
            extra="".join(
                f"Via: SIP/2.0/{name} t{at}.example.com;branch=z9hG4bKtp{at}\r\n"
                for at, name in enumerate(("UDP", "SCTP", "TLS", "UNKNOWN", "TCP"))
            ),
        ),
        frozenset({200}), section="3.1.1.10",
    )  # fmt: skip
    yield Torture("a binary part before the SDP", _multipart, UNDERSTOOD, section="3.1.1.11")
    yield Torture(
        "blanks in a long quoted display name",
        lambda s: request(s, from_=f'From: "a, b; c <sip:not@this>" <sip:02155550000@{s.at}>;tag={s.serial}\r\n'),
        UNDERSTOOD,
    )  # fmt: skip
    yield Torture(
        "UTF-8 in names and in unknown headers",
        lambda s: request(
            s, from_=f'From: "客服 Ünïcödé" <sip:02155550000@{s.at}>;tag={s.serial}\r\n', extra="X-Ünknown: naïve\r\n"
        ),
        frozenset({404, 400}),
    )  # fmt: skip
    yield Torture(
        "bytes that are no UTF-8 in a display name",
        lambda s: request(s).replace(b"From: <", b'From: "\xff\xfe\x80" <', 1),
        frozenset({404, 400}),
    )  # fmt: skip


def unsound() -> Iterator[Torture]:
    yield Torture(
        "extraneous separators", lambda s: request(s, extra="").replace(b";rport", b";;,;,,", 1), BAD,
        silence=True, section="3.1.2.1",
    )  # fmt: skip
    yield Torture("more length than there is", lambda s: request(s, length="9999"), BAD, section="3.1.2.2")
    yield Torture("a negative length", lambda s: request(s, length="-999"), BAD, section="3.1.2.3")
    yield Torture(
        "numbers beyond 32 bits",
        lambda s: request(
            s, "OPTIONS", cseq="CSeq: 36893488147419103232 OPTIONS\r\n", forwards="Max-Forwards: 300\r\n",
            extra="Expires: 10000000000000000000000000000\r\n",
        ),
        BAD, section="3.1.2.4",
    )  # fmt: skip
    yield Torture(
        "a quote that is not closed",
        lambda s: request(s, to=f'To: "Mr. J. User <sip:{NOBODY}@{s.to}>\r\n'), BAD, section="3.1.2.6",
    )  # fmt: skip
    yield Torture(
        "<> around the Request-URI", lambda s: request(s, uri=f"<sip:{NOBODY}@{s.to}>"), frozenset({400, 416}),
        section="3.1.2.7",
    )  # fmt: skip
    yield Torture(
        "blanks within the Request-URI", lambda s: request(s, uri=f"sip:{NOBODY}@{s.to}; lr"), BAD,
        silence=True, section="3.1.2.8",
    )  # fmt: skip
    yield Torture(
        "two blanks in the first line",
        lambda s: request(s).replace(b"INVITE sip", b"INVITE  sip", 1), frozenset({400, 404, 416}), section="3.1.2.9",
    )  # fmt: skip
    yield Torture(
        "blanks behind the version",
        lambda s: request(s, "OPTIONS", version="SIP/2.0  "), frozenset({400, 200, 505}), section="3.1.2.10",
    )  # fmt: skip
    yield Torture(
        "headers in the Request-URI",
        lambda s: request(s, uri=f"sip:{NOBODY}@{s.to}?Route=%3Csip:example.com%3E"), BAD, section="3.1.2.11",
    )  # fmt: skip
    yield Torture(
        "a date of no zone we know",
        lambda s: request(s, extra="Date: Fri, 01 Jan 2010 16:00:00 EST\r\n"), frozenset({400, 404}),
        section="3.1.2.12",
    )  # fmt: skip
    yield Torture(
        "a name-addr without <> but with parameters",
        lambda s: request(s, "OPTIONS", from_=f"From: caller:x@{s.at};tag={s.serial} <sip:x>\r\n"), BAD,
        silence=True, section="3.1.2.14",
    )  # fmt: skip
    yield Torture(
        "a version from the future", lambda s: request(s, version="SIP/7.0"), frozenset({505}), section="3.1.2.16"
    )  # fmt: skip
    yield Torture(
        "a CSeq of another method", lambda s: request(s, "OPTIONS", cseq="CSeq: 8 INVITE\r\n"), BAD,
        section="3.1.2.17",
    )  # fmt: skip
    yield Torture(
        "an unknown method with a CSeq of another", lambda s: request(s, "NEWMETHOD", cseq="CSeq: 8 INVITE\r\n"),
        frozenset({400, 501}), section="3.1.2.18",
    )  # fmt: skip
    yield Torture(
        "a status nobody has",
        lambda s: (
            f"SIP/2.0 4294967301 better not break the receiver\r\nVia: SIP/2.0/UDP {s.to};branch=z9hG4bK{s.serial}\r\n"
            f"Call-ID: {s.serial}\r\nCSeq: 1 INVITE\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n"
            "Content-Length: 0\r\n\r\n"
        ).encode(),
        frozenset(), silence=True, section="3.1.2.19",
    )  # fmt: skip
    yield Torture(
        "a NUL within a header", lambda s: request(s, extra="X-Nul: a\0b\r\n"), frozenset({400, 404}), silence=True
    )
    yield Torture("line feeds alone", lambda s: request(s).replace(b"\r\n", b"\n"), frozenset({400, 404}))
    yield Torture(
        "a response nobody waits for",
        lambda s: (
            f"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP {s.to};branch=z9hG4bK{s.serial}\r\nCall-ID: {s.serial}\r\n"
            "CSeq: 1 INVITE\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nContent-Length: 0\r\n\r\n"
        ).encode(),
        frozenset(), silence=True,
    )  # fmt: skip
