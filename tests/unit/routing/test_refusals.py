"""Every refusal says what the trunk, the CDR and the graph will see."""

import re
from collections.abc import Iterator

import pytest

from routing.outcome import Outcome
from routing.refusals import NoDestination, Refused, refusal


def leaves(kind: type[Refused]) -> Iterator[type[Refused]]:
    for sub in kind.__subclasses__():
        if sub.__module__ == Refused.__module__:
            yield from leaves(sub)
            if not sub.__subclasses__():
                yield sub


def test_every_refusal_has_a_code_a_cause_and_a_label() -> None:
    """R1-05"""
    kinds = list(leaves(Refused))
    assert len(kinds) > 10
    assert all(400 <= kind.sip_code < 700 for kind in kinds)
    assert all(re.fullmatch("[a-z-]+", kind.cause) and kind.label for kind in kinds)
    assert len({kind.cause for kind in kinds}) == len(kinds)


def test_no_refusal_takes_the_server_out_of_the_trunks_service() -> None:
    """A 503 or a redirection would; 401 and 407 would ask a carrier for a password."""
    assert not {kind.sip_code for kind in leaves(Refused)} & {401, 407, 503}


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_failure_has_its_refusal_with_the_same_word(outcome: Outcome) -> None:
    """R1-05: a reason in the CDR for each case."""
    found = refusal(outcome)
    assert found.cause == outcome if outcome.failed else isinstance(found, NoDestination)
    assert str(outcome) in str(found)
