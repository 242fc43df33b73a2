"""Feature codes: what is dialled, what is pressed in a call, and where a transfer leads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.directory import Agent, Directory
from routing.feature_codes import BETWEEN, CodeKeys, Feature, FeatureCodes, Heard, clashes, feature_of, transfer_goal
from routing.goal import Goal
from routing.plan import Plan
from routing.queue import Queue
from routing.vdn import Vdn

CODES = FeatureCodes(pause_reasons=("break", "lunch"), outside="9")


@pytest.mark.parametrize(
    ("user", "found"),
    [
        ("*411234", (Feature.LOG_IN, "1234")),
        ("*41*1234#", (Feature.LOG_IN, "1234")),
        ("*42", (Feature.LOG_OUT, "")),
        ("*432", (Feature.PAUSE, "2")),
        ("*45", (Feature.WRAP_UP_OVER, "")),
        ("*4", None),
        ("1001", None),
        ("*2", None),
        ("", None),
    ],
)
def test_a_dialled_code_is_known_with_what_follows_it(user: str, found: object) -> None:
    """Log in and out, pause and resume by phone."""
    assert feature_of(user, CODES) == found


def test_a_reason_has_a_number() -> None:
    """Pause with reason."""
    assert [CODES.reason(word) for word in ("1", "2", "3", "", "0")] == ["break", "lunch", "3", "pause", "0"]


def test_a_code_that_is_switched_off_is_no_code() -> None:
    """An empty code."""
    assert feature_of("*42", FeatureCodes(log_out="")) is None
    assert CodeKeys(FeatureCodes(release="")).press("*", 0.0) == Heard()
    assert clashes({Feature.LOG_IN: "*4", Feature.LOG_OUT: "*42"}) == [(Feature.LOG_IN, Feature.LOG_OUT)]


def press(keys: CodeKeys, text: str, now: float = 0.0) -> list[Heard]:
    return [keys.press(key, now) for key in text]


def test_a_transfer_is_dialled_behind_its_code() -> None:
    """Transfer by feature code: the caller hears none of its keys."""
    keys = CodeKeys(CODES)
    heard = press(keys, "*21002#")
    assert heard[:-1] == [Heard()] * 6
    assert heard[-1] == Heard(feature=Feature.TRANSFER, target="1002")
    assert keys.due is None


def test_without_the_end_key_a_pause_ends_it_and_no_digits_end_nothing() -> None:
    """Transfer by feature code."""
    keys = CodeKeys(CODES)
    press(keys, "*21002", 10.0)
    assert keys.due == 10.0 + BETWEEN
    assert keys.wait(12.0) == Heard()
    assert keys.wait(13.0) == Heard(feature=Feature.TRANSFER, target="1002")
    press(keys, "*2", 20.0)
    assert keys.wait(23.0) == Heard()
    assert keys.due is None


def test_keys_that_are_no_code_reach_the_caller() -> None:
    """A key that may begin a code is passed on as soon as it does not."""
    keys = CodeKeys(CODES)
    assert press(keys, "5*6") == [Heard("5"), Heard(), Heard("*6")]
    assert press(keys, "**0") == [Heard(), Heard("*"), Heard(feature=Feature.RELEASE)]
    assert press(keys, "*", 30.0) == [Heard()]
    assert keys.press("0", 40.0) == Heard("*0"), "too late for a code"


@given(st.text("0123456789*#", max_size=40))
def test_no_key_is_lost_or_doubled_where_no_code_is_pressed(text: str) -> None:
    """All keys come through in their order."""
    keys = CodeKeys(FeatureCodes(transfer="*2", release="*0"))
    if any(code in text for code in ("*2", "*0", "*7")):
        return
    passed = "".join(heard.passed for heard in press(keys, text))
    assert passed + keys.wait(BETWEEN).passed == text


def test_a_colleague_is_asked_by_a_code_of_its_own() -> None:
    """While he is asked other codes count, and the usual ones are keys again."""
    assert press(CodeKeys(CODES), "*71002#")[-1] == Heard(feature=Feature.CONSULT, target="1002")
    keys = CodeKeys(CODES, CODES.consulting())
    assert [press(keys, code)[-1].feature for code in ("*3", "*4", "*1", "*0")] == [
        Feature.JOIN,
        Feature.COMPLETE,
        Feature.BACK,
        Feature.RELEASE,
    ]
    assert press(keys, "*2") == [Heard(), Heard("*2")]
    assert feature_of("*51001", CODES) == (Feature.MONITOR, "1001")
    assert clashes(CODES.consulting()) == clashes(CODES.dialled()) == []


def test_digits_lead_to_a_vdn_an_agent_a_queue_or_outside() -> None:
    """Transfer to agent, queue, VDN, IVR (behind a VDN) or outside."""
    directory = Directory(agents=[Agent("1002", "agent 1002", "sip:1002@192.0.2.1", "inside")])
    plan = Plan.of(
        Vdn("5001", "repairs", Goal("menu", "m")), Vdn("5002", "x", Goal("hangup"), "beta"), Queue("77", "q")
    )
    where = {"5001": Goal("vdn", "5001"), "1002": Goal("agent", "1002"), "77": Goal("queue", "77")}
    where |= {"913800000001": Goal("number", "13800000001")}
    for digits, goal in where.items():
        assert transfer_goal(digits, plan, directory, "acme", "9") == goal
    for digits in ("5002", "1003", "9", "13800000001", ""):
        assert transfer_goal(digits, plan, directory, "acme", "9") is None
    assert transfer_goal("913800000001", plan, directory, "acme", "") is None
