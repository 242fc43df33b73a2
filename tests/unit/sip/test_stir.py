"""What a call brings of the network's word on its caller."""

import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from b2bua.sip.message import BadMessage, Message
from b2bua.sip.stir import identity_of


def invite(*lines: str) -> Message:
    return Message.of("\r\n".join(["INVITE sip:1@h SIP/2.0", *lines, "", ""]))


def token(payload: object) -> str:
    part = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJFUzI1NiJ9.{part}.c2ln;info=<https://c.example/x>;ppt=shaken"


def test_verstat_stands_in_the_user_the_uri_or_the_header() -> None:
    for said in (
        "P-Asserted-Identity: <sip:+4930;verstat=TN-Validation-Passed@h;user=phone>",
        "P-Asserted-Identity: <sip:+4930@h;verstat=TN-Validation-Passed>",
        "From: <sip:+4930@h>;tag=1;verstat=TN-Validation-Passed",
    ):
        assert identity_of(invite(said)) == {"verstat": "TN-Validation-Passed"}
    assert identity_of(invite("From: <sip:+4930@h>;tag=1")) == {}


def test_what_a_token_claims_is_kept_and_nothing_else_of_it() -> None:
    found = identity_of(invite(f"Identity: {token({'attest': 'B', 'iat': 7, 'secret': 'x'})}", "Identity: nonsense"))
    assert found == {"identity": [{"attest": "B", "iat": 7, "ppt": "shaken"}, {"unreadable": "nonsense"}]}


@given(st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=200))
def test_never_raises(text: str) -> None:
    for header in ("Identity", "From", "P-Asserted-Identity"):
        try:
            message = invite(f"{header}: verstat {text}", f"Identity: a.{text}.c")
        except BadMessage:
            continue
        identity_of(message)
