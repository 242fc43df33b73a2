"""The registrar: RFC 3261 section 10.3 step by step, flows and paths, several phones, and what nobody may do."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua.sip.authenticator import Authenticator
from b2bua.sip.bindings import (
    BadRegister,
    Binding,
    Limits,
    Outcome,
    Source,
    contact_headers,
    read_register,
    registered,
)
from b2bua.sip.digest import Answer, ha1, response
from b2bua.sip.message import BadMessage, Message
from b2bua.sip.registrar import Change, Registrar, Reply
from routing.directory import Credentials

PHONE = Source("inside", "udp", "192.0.2.7", 5062)
CONTACT = "<sip:1001@192.0.2.7:5062;ob>"
NOW = 1000.0
LIMITS = Limits(min_expires=60, max_expires=3600, default_expires=600, contacts=3)


def _message(*headers: str, cseq: int = 1, call_id: str = "a", to: str = "<sip:1001@tandem>") -> Message:
    lines = "".join(f"{line}\r\n" for line in headers)
    return Message.of(
        f"REGISTER sip:tandem SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK{cseq}\r\nTo: {to}\r\n"
        f"From: {to};tag=x\r\nCall-ID: {call_id}\r\nCSeq: {cseq} REGISTER\r\n{lines}\r\n"
    )


def _register(
    *headers: str, before: tuple[Binding, ...] = (), cseq: int = 1, call_id: str = "a", source: Source = PHONE
) -> Outcome:
    return registered(read_register(_message(*headers, cseq=cseq, call_id=call_id)), before, source, LIMITS, NOW)


def _bound(**changed: object) -> Binding:
    plain = Binding("1001", "sip:1001@192.0.2.7:5062;ob", NOW + 600, "a", 1, PHONE, since=NOW)
    return replace(plain, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((f"Contact: {CONTACT}",), 600),
        ((f"Contact: {CONTACT}", "Expires: 120"), 120),
        ((f"Contact: {CONTACT};expires=90", "Expires: 120"), 90),
        ((f"Contact: {CONTACT}", "Expires: 99999999999999999999"), 3600),
        ((f"Contact: {CONTACT}", "Expires: soon"), 600),
        ((f"m: {CONTACT};expires=70",), 70),
    ],
)
def test_how_long_a_phone_is_registered(headers: tuple[str, ...], seconds: int) -> None:
    outcome = _register(*headers)
    assert outcome.code == 200
    assert [one.expires_at - NOW for one in outcome.bindings] == [seconds]


def test_too_short_a_time_is_refused_as_a_whole() -> None:
    other = _bound(uri="sip:1001@192.0.2.8")
    outcome = _register(f"Contact: {CONTACT}, <sip:1001@192.0.2.9>;expires=59", before=(other,))
    assert (outcome.code, outcome.min_expires, outcome.bindings) == (423, 60, (other,))


def test_a_phone_leaves() -> None:
    stays = _bound(uri="sip:1001@192.0.2.8", call_id="b")
    assert _register(f"Contact: {CONTACT};expires=0", before=(_bound(), stays), cseq=2).bindings == (stays,)
    assert _register("Contact: *", "Expires: 0", before=(_bound(), stays), cseq=2).bindings == ()
    assert _register(before=(_bound(), stays)).bindings == (_bound(), stays)  # a question, no Contact


@pytest.mark.parametrize(
    "headers",
    [
        ("Contact: *",),
        ("Contact: *", "Expires: 60"),
        (f"Contact: *, {CONTACT}", "Expires: 0"),
        ("Contact: <tel:123>",),
        ("Contact: <sip:1001@h?Route=%3Csip:x%3E>",),
        ("Contact: <sip:10 01@h>",),
        ('Contact: "x',),
        ("Contact: " + ",".join(f"<sip:{n}@h>" for n in range(17)),),
        (f"Contact: {CONTACT}", "Path: <sip:p@192.0.2.1;lr?x=y>"),
        (f"Contact: {CONTACT}", "Path: <sip:" + "p" * 1100 + ";lr>"),
    ],
)
def test_what_no_registrar_takes(headers: tuple[str, ...]) -> None:
    with pytest.raises(BadRegister):
        read_register(_message(*headers))


def test_what_comes_late_changes_nothing() -> None:
    bound = _bound(cseq=5)
    late = _register(f"Contact: {CONTACT};expires=0", before=(bound,), cseq=4)
    assert (late.code, late.bindings) == (500, (bound,))
    assert _register("Contact: *", "Expires: 0", before=(bound,), cseq=4).code == 500
    after_a_reboot = _register(f"Contact: {CONTACT}", before=(bound,), cseq=1, call_id="new")
    assert [one.cseq for one in after_a_reboot.bindings] == [1]
    assert [one.since for one in after_a_reboot.bindings] == [bound.since]


def test_a_flow_is_one_phone_whatever_its_address() -> None:
    flow = ';+sip.instance="<urn:uuid:1>";reg-id=1'
    first = _register(f"Contact: <sip:1001@10.0.0.5:40000>{flow}").bindings
    second = _register(f"Contact: <sip:1001@10.0.0.6:50000>{flow}", before=first, cseq=2).bindings
    assert [one.uri for one in second] == ["sip:1001@10.0.0.6:50000"]
    assert "reg-id=1" in contact_headers(second, NOW)[0][1]


FLOW = ';+sip.instance="<urn:uuid:1>";reg-id='


@pytest.mark.parametrize(
    "headers", [(f"Contact: {CONTACT}{FLOW}1",), (f"Contact: {CONTACT}{FLOW}1, {CONTACT}{FLOW}2",)]
)
def test_one_address_is_one_phone_under_whatever_flow(headers: tuple[str, ...]) -> None:
    """Storage and probes know a phone by its URI."""
    plain = _register(f"Contact: {CONTACT}").bindings
    after = _register(*headers, before=plain, cseq=2).bindings
    assert [(one.uri, one.reg_id) for one in after] == [("sip:1001@192.0.2.7:5062;ob", len(headers[0].split(",")))]
    back = _register(f"Contact: {CONTACT}", before=after, cseq=3).bindings
    assert [(one.uri, one.reg_id) for one in back] == [("sip:1001@192.0.2.7:5062;ob", 0)]


def test_one_phone_more_takes_the_place_of_the_one_that_goes_first() -> None:
    three = tuple(_bound(uri=f"sip:1001@192.0.2.{n}", expires_at=NOW + 100 * n, call_id=str(n)) for n in (1, 2, 3))
    after = _register(f"Contact: {CONTACT}", before=three).bindings
    assert [one.uri for one in after] == [three[1].uri, three[2].uri, "sip:1001@192.0.2.7:5062;ob"]
    silent = (three[0], replace(three[1], reachable=False), three[2])
    after = _register(f"Contact: {CONTACT}", before=silent).bindings
    assert silent[1] not in after


@pytest.mark.parametrize(
    ("contact", "source", "target", "translated"),
    [
        ("sip:1001@192.0.2.7:5062;ob", PHONE, "sip:1001@192.0.2.7:5062;ob", False),
        ("sip:1001@10.0.0.5:5062;ob", PHONE, "sip:1001@192.0.2.7:5062;ob", True),
        ("sip:1001@192.0.2.7:5062;maddr=a.test;ob", PHONE, "sip:1001@192.0.2.7:5062;ob", False),
        ("sips:1001@192.0.2.7:5062;%6DADDR=192.0.2.99", PHONE, "sips:1001@192.0.2.7:5062", False),
        ("sip:1001@10.0.0.5;m%61ddr=192.0.2.99;ob", PHONE, "sip:1001@192.0.2.7:5062;ob", True),
        ("sip:1001@abc.invalid", PHONE, "sip:1001@192.0.2.7:5062", True),
        (
            "sip:1001@10.0.0.5:5060;transport=TCP;x=1",
            replace(PHONE, transport="tcp"),
            "sip:1001@192.0.2.7:5062;x=1;transport=tcp",
            True,
        ),
        (
            "sips:1001@192.0.2.7",
            replace(PHONE, transport="tls", port=40000),
            "sip:1001@192.0.2.7:40000;transport=tls",
            True,
        ),
        (
            "sip:1001@[2001:db8::7]",
            Source("inside", "udp", "2001:db8::7", 5060),
            "sip:1001@[2001:db8::7]",
            False,
        ),
    ],
)
def test_where_a_phone_is_reached(contact: str, source: Source, target: str, translated: bool) -> None:
    (bound,) = _register(f"Contact: <{contact}>", source=source).bindings
    assert (bound.target, bound.translated) == (target, translated)


def test_a_phone_behind_a_proxy_is_reached_through_it() -> None:
    path = "Path: <sip:p1@192.0.2.1;lr>, <sip:edge.example.net;lr>"
    (bound,) = _register("Contact: <sip:1001@10.0.0.5>", path).bindings
    assert bound.target == "sip:1001@10.0.0.5"
    assert bound.route == ("<sip:p1@192.0.2.1;lr>", "<sip:edge.example.net;lr>")
    (named,) = _register("Contact: <sip:1001@10.0.0.5>", "Path: <sip:edge.example.net;lr>").bindings
    assert named.route == ("<sip:edge.example.net;lr;maddr=192.0.2.7>",)
    assert not named.translated


@given(st.lists(st.sampled_from([CONTACT, "*", "<sip:a@b>;q=2;expires=-1", "<>", '"', ",", "sip:x", "<sip:\x00>"])))
def test_nothing_but_bad_register_comes_out(contacts: list[str]) -> None:
    try:
        message = _message(*(f"Contact: {one}" for one in contacts))
        outcome = registered(read_register(message), (), PHONE, LIMITS, NOW)
    except (BadRegister, BadMessage):
        return
    assert len(outcome.bindings) <= LIMITS.contacts


# -- the whole


class Office:
    """A registrar with two extensions, and their phones."""

    def __init__(self) -> None:
        known = {
            name: Credentials("tandem", ha1("MD5", name, "tandem", "pw"), ha1("SHA-256", name, "tandem", "pw"))
            for name in ("1001", "1002")
        }
        self.told: list[Change] = []
        self.registrar = Registrar(
            Authenticator("tandem", ("MD5",), known.get),
            LIMITS,
            lambda address: address == "192.0.2.1",
            self.told.append,
        )
        self.cseq = 0

    def asks(
        self, *headers: str, extension: str = "1001", to: str = "", source: Source = PHONE
    ) -> tuple[Reply, Message]:
        """REGISTER, 401, REGISTER: the second answer and its request."""
        to = f"<sip:{to or extension}@tandem>"
        self.cseq += 2
        first = self.registrar.answer(_message(*headers, cseq=self.cseq - 1, to=to), source, NOW)
        assert first.code == 401
        nonce = first.headers[0][1].split('nonce="')[1].partition('"')[0]
        blank = Answer(extension, "tandem", nonce, "sip:tandem", "", "MD5", "c", "00000001")
        given = response("MD5", ha1("MD5", extension, "tandem", "pw"), "REGISTER", blank)
        authorization = (
            f'Authorization: Digest username="{extension}", realm="tandem", nonce="{nonce}", uri="sip:tandem", '
            f'response="{given}", algorithm=MD5, cnonce="c", qop=auth, nc=00000001'
        )
        second = _message(*headers, authorization, cseq=self.cseq, to=to)
        return self.registrar.answer(second, source, NOW), second


def test_a_phone_registers_and_a_retransmission_changes_nothing() -> None:
    office = Office()
    reply, request = office.asks(f"Contact: {CONTACT}")
    assert reply.code == 200
    assert ("Contact", f"{CONTACT};expires=600") in reply.headers
    assert [change.what for change in office.told] == ["registered"]
    again = office.registrar.answer(request, PHONE, NOW + 1)
    assert again.code == 200
    assert len(office.told) == 1
    assert office.registrar.is_from("192.0.2.7", 5062, "1001")
    assert office.registrar.dirty == {"1001"}
    reply, _ = office.asks()
    assert ("Contact", f"{CONTACT};expires=600") in reply.headers


def test_a_caught_request_is_of_no_use_elsewhere() -> None:
    office = Office()
    _, caught = office.asks("Contact: *", "Expires: 0")
    office.asks(f"Contact: {CONTACT}")
    thief = office.registrar.answer(caught, replace(PHONE, port=6000), NOW + 1)
    assert (thief.code, thief.guilty) == (401, True)
    assert len(office.registrar) == 1


def test_nobody_registers_for_another_one() -> None:
    office = Office()
    reply, _ = office.asks(f"Contact: {CONTACT}", to="1002")
    assert (reply.code, reply.guilty) == (403, True)
    assert len(office.registrar) == 0


def test_a_path_counts_from_a_proxy_of_ours_only() -> None:
    office, proxy = Office(), replace(PHONE, address="192.0.2.1", port=5060)
    headers = ("Contact: <sip:1001@10.0.0.5>", "Path: <sip:192.0.2.1;lr>")
    office.asks(*headers)
    assert [one.path for one in office.registrar.all()] == [()]
    reply, _ = office.asks(*headers, source=proxy)
    assert [one.path for one in office.registrar.all()] == [("<sip:192.0.2.1;lr>",)]
    assert ("Path", "<sip:192.0.2.1;lr>") in reply.headers


def test_phones_move_expire_and_are_dropped() -> None:
    office = Office()
    office.asks(f"Contact: {CONTACT}")
    office.asks(f"Contact: {CONTACT}", source=replace(PHONE, port=7000))
    office.asks("Contact: <sip:1002@192.0.2.8>", extension="1002")
    registrar = office.registrar
    assert not registrar.is_from("192.0.2.7", 5062, "1001")
    registrar.mark("1001", registrar.all()[0].uri, NOW, reachable=False)
    assert not registrar.reachable("1001", NOW)
    registrar.sweep(NOW + 1, lambda extension: extension != "1002")
    registrar.sweep(NOW + 601, lambda extension: True)
    assert [(one.what, one.binding.extension) for one in office.told] == [
        ("registered", "1001"), ("moved", "1001"), ("registered", "1002"), ("unreachable", "1001"),
        ("dropped", "1002"), ("expired", "1001"),
    ]  # fmt: skip
    assert len(registrar) == 0
    assert not registrar._at


def test_a_restart_keeps_what_has_not_expired() -> None:
    office = Office()
    kept = [_bound(), _bound(extension="1002", expires_at=NOW - 1)]
    office.registrar.restore(kept, NOW)
    assert office.registrar.all() == [kept[0]]
    assert not office.registrar.dirty
    assert office.registrar.drop("1001", None, NOW) == 1
    assert office.registrar.dirty == {"1001"}


def test_the_best_phone_is_rung_first() -> None:
    office = Office()
    office.asks("Contact: <sip:1001@192.0.2.1>;q=0.3, <sip:1001@192.0.2.2>;q=0.9")
    assert [one.q for one in office.registrar.bindings("1001", NOW)] == [0.9, 0.3]
