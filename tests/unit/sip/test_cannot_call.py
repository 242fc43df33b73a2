"""Whose fault it is that an INVITE could not be sent."""

import errno

import pytest

from b2bua.sip.engine.cannot_call import FROM_OS, CannotCall

INVALID_URI = 171039


@pytest.mark.parametrize(
    ("status", "ours", "unreachable"),
    [
        (FROM_OS + errno.ENETUNREACH, False, True),
        (FROM_OS + errno.EPERM, False, True),
        (FROM_OS + errno.EMFILE, True, False),
        (FROM_OS + errno.ENOBUFS, True, False),
        (70007, True, False),  # PJ_ENOMEM
        (INVALID_URI, False, False),  # which says nothing about the trunk
    ],
)
def test_what_a_status_says_of_the_address(status: int, ours: bool, unreachable: bool) -> None:
    error = CannotCall.by_status(status, "sip:1@192.0.2.1", "no")
    assert (error.ours, error.unreachable) == (ours, unreachable)
    assert str(error) == "no INVITE to sip:1@192.0.2.1: no"
