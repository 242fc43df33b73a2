"""What the trunk is told when the phone failed."""

import pytest

from b2bua.calls import refusals
from b2bua.calls.failure import phrase, towards_trunk
from b2bua.calls.refusals import agent_failed, failure_of
from routing.refusals import Refused


@pytest.mark.parametrize(
    ("code", "sent"),
    [
        (486, 486),
        (404, 404),
        (603, 603),
        (488, 488),
        (480, 480),
        (503, 500),
        (401, 500),
        (407, 500),
        *((code, 500) for code in (405, 413, 416, 420, 421, 422, 423, 482, 483, 493, 494)),
        (487, 480),
        (491, 480),
        (302, 480),
        (408, 480),
    ],
)
def test_a_status_that_would_harm_the_trunk_becomes_another(code: int, sent: int) -> None:
    failure = towards_trunk(code)
    assert failure.code == sent
    assert failure.reason.startswith(f'SIP;cause={code};text="{phrase(code)}"')


@pytest.mark.parametrize("code", range(300, 700))
def test_no_status_of_a_phone_takes_the_server_out_of_the_trunks_route(code: int) -> None:
    assert towards_trunk(code).code not in {401, 407, 503, *range(300, 400)}
    assert 400 <= towards_trunk(code).code < 700


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("Q.850;cause=34;text=secret", 34),
        ('SIP;cause=486, Q.850 ;cause= 21 ;text="x"', 21),
        ("Q.850;cause=999", 17),
        ("Q.850;cause=abc", 17),
        ("", 17),
        ("Q.850;cause=" + "9" * 5000, 17),
    ],
)
def test_the_phones_q850_cause_is_kept_its_words_are_not(reason: str, cause: int) -> None:
    assert towards_trunk(486, reason).reason == f'SIP;cause=486;text="Busy Here", Q.850;cause={cause}'


def kinds(of: type[Refused] = Refused) -> list[type[Refused]]:
    return [k for sub in of.__subclasses__() for k in (sub, *kinds(sub))]


def test_every_refusal_has_a_status_a_cause_of_its_own_and_a_label() -> None:
    assert refusals.NoAnswer in kinds()
    whole = [k for k in kinds() if hasattr(k, "sip_code")]
    assert all(400 <= k.sip_code < 700 and k.sip_code not in {401, 407, 503} for k in whole)
    assert all(k.label for k in whole)
    assert len({k.cause for k in whole}) == len(whole)


@pytest.mark.parametrize(
    ("code", "cause"), [(486, "agent-busy"), (603, "agent-declined"), (503, "agent-failed"), (408, "agent-unreachable")]
)
def test_the_cdr_tells_how_the_phone_failed(code: int, cause: str) -> None:
    refusal = agent_failed("2001", code, towards_trunk(code))
    assert refusal.cause == cause
    assert failure_of(refusal).code == towards_trunk(code).code
