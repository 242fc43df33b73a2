"""Who a call says it is from, towards a trunk."""

import re

from hypothesis import given
from hypothesis import strategies as st

from routing.caller_id import NOBODY, CallerPolicy, identity, wants_privacy
from routing.header_profile import HeaderProfile, never

HERE = "192.0.2.1:5060"


def test_the_number_shown_is_one_that_may_be_shown() -> None:
    policy = CallerPolicy("+49309", ("+4930",), {"acme": "+49301"})
    assert policy.number("+493077", "acme") == "+493077"
    assert policy.number("+4366", "acme") == "+49301"
    assert policy.number("+4366", None) == "+49309"
    assert policy.number("anonymous", "other") == "+49309"
    assert CallerPolicy().number("+4366", None) == "+4366"
    assert CallerPolicy(allowed=("+49",)).number("+4366", None) == ""


def test_a_caller_who_wants_to_stay_unknown() -> None:
    """RFC 3323, 3325: the number goes only to trusted trunks, and with the word that it is not to be shown."""
    told = identity(CallerPolicy(remote_party=True), "+4930", "Bob", HERE, private=True)
    assert told.from_ == f'"Anonymous" {NOBODY}'
    assert told.headers == (("Privacy", "id"),)
    trusted = identity(CallerPolicy(trusted=True, remote_party=True), "+4930", "", HERE, private=True)
    assert dict(trusted.headers) == {
        "P-Asserted-Identity": f"<sip:+4930@{HERE}>",
        "Remote-Party-ID": f"<sip:+4930@{HERE}>;party=calling;screen=yes;privacy=full",
        "Privacy": "id",
    }


def test_who_is_shown_has_the_domain_of_our_account() -> None:
    told = identity(CallerPolicy(host="carrier.example"), "+4930", "Shop", HERE)
    assert told.from_ == '"Shop" <sip:+4930@carrier.example>'
    assert told.headers == (("P-Asserted-Identity", "<sip:+4930@carrier.example>"),)
    assert identity(CallerPolicy(asserted=False), "+4930", "", HERE).headers == ()
    assert identity(CallerPolicy(), "", "", HERE).from_ == f"<sip:anonymous@{HERE}>"


@given(st.text(max_size=100), st.text(max_size=100), st.booleans(), st.booleans())
def test_no_text_breaks_out_of_its_place(number: str, name: str, private: bool, trusted: bool) -> None:
    told = identity(CallerPolicy(trusted=trusted, remote_party=True), number, name, HERE, private=private)
    assert re.fullmatch(r'(?:"[^"\\<>\x00-\x1f\x7f]*" )?<sip:[0-9A-Za-z+*#_.!~-]+@[^<>]+>', told.from_)
    for _, value in told.headers:
        assert "\r" not in value
        assert "\n" not in value


def test_what_asks_for_privacy() -> None:
    assert wants_privacy(["id"])
    assert wants_privacy(["header;id", "critical"])
    assert not wants_privacy(["none"])
    assert not wants_privacy([])


def test_only_what_is_named_is_passed_on() -> None:
    profile = HeaderProfile(frozenset({"x-*", "user-to-user"}), frozenset({"x-secret"}), {"x-a": "X-B"})
    came = [
        ("x-a", "1"),
        ("X-Secret", "2"),
        ("user-to-user", "00"),
        ("x-tandem-call-id", "3"),
        ("via", "4"),
        ("y", "5"),
    ]
    assert profile.passed_on(came) == (("X-B", "1"), ("User-To-User", "00"))
    assert HeaderProfile().passed_on(came) == ()


def test_some_headers_are_never_passed_on() -> None:
    everything = HeaderProfile(frozenset({"*", "contact", "authorization"}))
    for name in ("contact", "authorization", "route", "via", "x-tandem-command-id", "p-asserted-identity"):
        assert never(name)
        assert not everything.passes(name)
    assert everything.passed_on([("x-a", "line\nbreak"), ("x-b", "v" * 2000), ("x-c", "ok")]) == (("X-C", "ok"),)
