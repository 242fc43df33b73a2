"""`tandem trace`: the ladder of a call."""

from typing import Any

from b2bua.cli.trace import WIDTH, ladder

LEGS = [
    {"n": 0, "role": "caller", "party": "198.51.100.7", "sip_call_id": "a"},
    {"n": 1, "role": "agent", "party": "1001", "sip_call_id": "b"},
]


def message(time: float, leg: int, sent: bool, start: str, more: str = "") -> dict[str, Any]:
    return {"time": time, "leg": leg, "sent": sent, "start_line": start, "text": f"{start}\r\n{more}\r\n\r\n"}


CALL = [
    message(10.0, 0, False, "INVITE sip:4008@tandem SIP/2.0", "Content-Type: application/sdp"),
    message(10.002, 0, True, "SIP/2.0 100 Trying", "CSeq: 1 INVITE"),
    message(10.004, 1, True, "INVITE sip:1001@10.0.0.9 SIP/2.0", "Content-Type: application/sdp"),
    message(10.05, 1, False, "SIP/2.0 180 Ringing", "CSeq: 1 INVITE"),
    message(10.051, 0, True, "SIP/2.0 180 Ringing", "CSeq: 1 INVITE"),
]


def test_the_caller_stands_on_the_left_the_agent_on_the_right() -> None:
    lines = [line.plain for line in ladder(LEGS, CALL)]
    assert lines[0].split() == ["caller", "198.51.100.7", "tandem", "agent", "1001"]
    invite, trying, out, ringing, on = lines[1:]
    assert invite.startswith("     0.000  |")
    assert "INVITE (SDP)" in invite
    assert invite[12 + WIDTH - 1] == ">"
    assert trying[13] == "<"
    assert "100 Trying (INVITE)" in trying
    assert out[12 : 12 + WIDTH].strip() == "|"
    assert out[12 + 2 * WIDTH - 1] == ">"
    assert ringing[12 + WIDTH + 1] == "<"
    assert on.startswith("     0.051  |<")
    bars = {12, 12 + WIDTH, 12 + 2 * WIDTH}
    assert all(line[at] == "|" for line in lines[1:] for at in bars)


def test_a_call_to_agents_only_and_a_message_of_no_leg() -> None:
    messages = [message(1.0, 1, True, "INVITE sip:x SIP/2.0"), message(1.5, 7, False, "BYE sip:x SIP/2.0")]
    lines = [line.plain for line in ladder(LEGS, messages)]
    assert lines[0].split() == ["tandem", "agent", "1001", "?"]
    assert "BYE" in lines[2]


def test_what_peers_write_is_no_command_to_the_terminal() -> None:
    lines = ladder(LEGS, [message(1.0, 0, False, "SIP/2.0 486 \x1b[2JBusy", "CSeq: 1 INVITE")])
    assert "\x1b" not in lines[1].plain
