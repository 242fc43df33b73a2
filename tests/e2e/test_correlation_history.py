"""The original called number out of History-Info headers, in the forms of RFC 4244 and RFC 7044."""

import pytest

from tests.e2e.several_trunks import Way, diverted_by, furnish, served
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone

ACCESS = "<sip:4008100001@trunk.example>"


def history(*values: str) -> Way:
    """History-Info headers in which N stands for the number."""
    return lambda number: [("History-Info", value.replace("NUMBER", number)) for value in values]


WAYS: dict[str, Way] = {
    "RFC 7044, mapped": history("<sip:NUMBER@h>;index=1", "<sip:4008100001@h>;index=1.1;mp=1"),
    "RFC 7044, recursed to the same user": history("<sip:NUMBER@h>;index=1, <sip:4008100001@h>;index=1.1;rc=1"),
    "RFC 7044, retargeted before": history(
        "<sip:02166660000@h>;index=1, <sip:NUMBER@h>;index=1.1;np=1, <sip:4008100001@h>;index=1.2;mp=1.1"
    ),
    "indices compared as numbers": history(
        "<sip:4008100001@h>;index=1.10;mp=1.2", "<sip:02166660000@h>;index=1", "<sip:NUMBER@h>;index=1.2;np=1"
    ),
    "RFC 4244 with a cause": history(
        "<sip:NUMBER@h?Reason=SIP%3Bcause%3D302>;index=1", "<sip:4008100001@h;cause=302>;index=1.1"
    ),
    "RFC 4244 without a mark": history("<sip:4008100001@h>;index=1.1", "<sip:NUMBER@h>;index=1"),
    "percent-encoded": lambda n: [("History-Info", f"<sip:%{ord(n[0]):02x}{n[1:]}@h>;index=1")],
    "an anonymous entry is skipped": history(
        "<sip:anonymous@anonymous.invalid>;index=1", "<sip:NUMBER@h>;index=1.1", "<sip:4008100001@h>;index=1.1.1;mp=1.1"
    ),
    "one broken entry": history("<sip:unclosed;index=1", "<sip:NUMBER@h>;index=1", "<sip:4008100001@h>;index=1.1;rc=1"),
}


@pytest.mark.parametrize("way", WAYS)
async def test_the_pair_of_access_id_and_sequence_is_found_in(
    trunks: Server, caller: Caller, phone: Phone, way: str
) -> None:
    """R1-03: the same pair as from Diversion; the record says that History-Info told it."""
    token = await furnish(trunks, phone.uri)
    call = await served(trunks, caller, phone, headers=WAYS[way](token["original_called_number"]))
    cdr = call.cdr
    assert (cdr["access_id"], cdr["sequence"]) == (token["access_id"], token["sequence"])
    assert (cdr["source"], cdr["correlation"]) == ("history-info", "correlated")
    assert not call.ring.has("History-Info")
    assert await trunks.api.counted("tandem_correlation_total", outcome="correlated", source="history-info") == 1


@pytest.mark.parametrize(
    ("entry", "privacy"), [("<sip:NUMBER@h?Privacy=history>;index=1", ""), ("<sip:NUMBER@h>;index=1", "history")]
)
async def test_a_private_history_is_used_but_masked(
    trunks: Server, caller: Caller, phone: Phone, entry: str, privacy: str
) -> None:
    """R1-03: an escaped Privacy, or one for the whole message, hides the number from people, not from the look-up."""
    token = await furnish(trunks, phone.uri)
    headers = [*history(entry)(token["original_called_number"]), ("Privacy", privacy)]
    call = await served(trunks, caller, phone, headers=headers)
    assert (call.cdr["correlation"], call.cdr["original_called"], call.cdr["sequence"]) == (
        "correlated",
        "x" * 12,
        None,
    )
    assert token["original_called_number"] not in trunks.log() + call.ring.text


async def test_a_diversion_that_leads_nowhere_leaves_the_word_to_the_history(
    trunks: Server, caller: Caller, phone: Phone
) -> None:
    """R1-03: all entries of all sources are tried in order; the first that splits to a known access ID wins."""
    token = await furnish(trunks, phone.uri)
    strangers = [*diverted_by("02166660000"), *diverted_by("999912345678")]
    told = history("<sip:NUMBER@h>;index=1", "<sip:4008100001@h>;index=1.1;rc=1")(token["original_called_number"])
    call = await served(trunks, caller, phone, headers=[*strangers, *told])
    assert (call.cdr["source"], call.cdr["sequence"]) == ("history-info", token["sequence"])
