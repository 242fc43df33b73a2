"""The original called number out of Diversion headers (RFC 5806), over real trunks told apart by their addresses."""

import pytest

from tests.e2e.several_trunks import CARRIER, CHECKED, FIRST, NEWEST, Way, diverted_by, furnish, served
from tests.peers.api import ACCESS_NUMBER, Json
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone

OTHER = "<sip:02166660000@trunk.example>;reason=no-answer"
"Somebody on the way of the call whose number is none of ours."


def headers(*values: str) -> Way:
    """Diversion headers in which N stands for the number."""
    return lambda number: [("Diversion", value.replace("NUMBER", number)) for value in values]


OURS = "<sip:NUMBER@trunk.example;user=phone>;reason=unconditional"

WAYS: dict[str, tuple[str, Way]] = {
    "one": (CARRIER, headers(OURS)),
    "several headers, the oldest is last": (CARRIER, headers(OTHER, OURS)),
    "a comma list, the oldest is last": (CARRIER, headers(f"{OTHER}, {OURS}")),
    "headers and lists": (CARRIER, headers(f"{OTHER}, {OTHER}", f"{OTHER}, {OURS}")),
    "the newest is first": (NEWEST, headers(OURS, OTHER)),
    "the newest of a list": (NEWEST, headers(f"{OURS}, {OTHER}")),
    "whichever splits first": (FIRST, headers(OTHER, f"{OURS}, {OTHER}")),
    "a comma and a bracket inside quotes": (CARRIER, headers(f'"Last, <First>" {OTHER}, "a, \\"b" {OURS}')),
    "a telephone URI": (CARRIER, headers("<tel:NUMBER;phone-context=example>;reason=away")),
    "one broken entry behind it": (CARRIER, headers(OURS, "<sip:@@>;;;=")),
    "one broken entry before it": (NEWEST, headers("<<<>>>", OURS)),
    "one broken entry in its list": (CARRIER, headers(f"{OTHER}, <sip:unclosed, {OURS}", OURS)),
    "the name in another case, with blanks": (CARRIER, lambda n: [("dIVERSION ", f"<sip:{n}@trunk.example>")]),
    "a folded header": (CARRIER, headers("<sip:NUMBER@trunk.example>\r\n ;reason=unconditional\r\n\t;counter=1")),
    "visual separators": (CARRIER, lambda n: [("Diversion", f"<tel:{n[:4]}-{n[4:8]}.{n[8:]}>")]),
}


@pytest.mark.parametrize("way", WAYS)
async def test_the_pair_of_access_id_and_sequence_is_found_in(trunks: Server, phone: Phone, way: str) -> None:
    """R1-03: the same pair whatever form the trunk gives it; the record says which source it was."""
    token = await furnish(trunks, phone.uri)
    source, told = WAYS[way]
    async with await Caller.open("trunk", host=source) as caller:
        call = await served(trunks, caller, phone, headers=told(token["original_called_number"]))
    assert pair(call.cdr) == (token["access_id"], token["sequence"], "diversion", "correlated")
    assert call.cdr["original_called"] == token["original_called_number"]
    assert await trunks.api.token_state(token) == "consumed"
    assert await trunks.api.counted("tandem_correlation_total", outcome="correlated", source="diversion") == 1


@pytest.mark.parametrize("privacy", ["full", "FULL", "uri"])
async def test_a_private_number_is_used_but_masked(trunks: Server, caller: Caller, phone: Phone, privacy: str) -> None:
    """R1-03: privacy=full is decoded but masked, in the record and in everything else that people see."""
    token = await furnish(trunks, phone.uri)
    listener = await trunks.listen()
    number = token["original_called_number"]
    call = await served(
        trunks, caller, phone, headers=[("Diversion", f"<sip:{number}@trunk.example>;privacy={privacy};reason=away")]
    )
    assert (call.cdr["correlation"], call.cdr["original_called"]) == ("correlated", "x" * len(number))
    assert (call.cdr["access_id"], call.cdr["sequence"]) == (None, None)
    assert (await listener.expect("screen.pop"))["data"]["data"] == {"order": "A-1"}
    assert await trunks.api.token_state(token) == "consumed"
    await listener.expect("call.ended")
    for told in (listener.describe(), trunks.log(), call.ring.text):
        assert number not in told


async def test_a_prefix_and_a_check_digit_belong_to_a_trunk(trunks: Server, phone: Phone) -> None:
    """R1-03, R1-04: 9 + access ID + sequence + Luhn digit; a wrong check digit is malformed, not another number."""
    await trunks.api.add_agent(phone.uri)
    await trunks.api.add_tenant("zeta", "88", trunks=["checked"])
    await trunks.api.add_access_number()
    token = await trunks.api.issue_token("zeta")
    number = token["original_called_number"]
    assert (number[:3], len(number)) == ("988", 10)
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    async with await Caller.open("trunk", host=CHECKED) as caller:
        await caller.invite(trunks.outside, ACCESS_NUMBER, caller="02088880000", headers=diverted_by(wrong))
        await caller.expect(400)
        call = await served(trunks, caller, phone, headers=diverted_by(number))
    assert pair(call.cdr)[:2] == ("88", token["sequence"])


def pair(cdr: Json) -> tuple[str | None, ...]:
    """What correlation found, and where."""
    return cdr["access_id"], cdr["sequence"], cdr["source"], cdr["correlation"]
