"""Whoever looks at a leg's sound does not touch its SRTP contexts, which a worker may be making anew at that moment."""

import subprocess
from pathlib import Path

import pytest

from tests.unit.native.stack import Stack
from tests.unit.native.talker import Talker, eventually

COUNTER = """
#include <stdint.h>
int asked_of_srtp;
int srtp_get_stream_roc(void *session, uint32_t ssrc, uint32_t *roc)
{
    (void)session, (void)ssrc;
    *roc = 0;
    __atomic_fetch_add(&asked_of_srtp, 1, __ATOMIC_RELAXED);
    return 0;
}
"""
"In the place of libsrtp's own: what PJSIP's SRTP reads of its contexts when it is asked about itself."
CRYPTO = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5\r\n"


@pytest.fixture
def counter(tmp_path: Path) -> Path:
    """A library that counts."""
    made = tmp_path / "counter.so"
    command = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(made)]
    subprocess.run(command, input=COUNTER, text=True, check=True)
    return made


def test_looks_at_a_leg_ask_nothing_of_srtp(counter: Path) -> None:
    """Its figures, its refused packets and its tap, while SRTP has keys and has sent."""
    stack = Stack(counter)
    with Talker(stack, lines=CRYPTO) as talker:
        assert talker.secured
        eventually(lambda: talker.sound.sent > 5)
        before = stack.do("asked_of_srtp")
        for tag in range(3):
            assert talker.sound.sent
            assert talker.refused() == {}
            assert stack.do("sound", call="tap_open", arguments=[talker.leg, tag]) == 0
            stack.do("sound", call="tap_close", arguments=[tag])
        assert stack.do("asked_of_srtp") == before
    assert stack.close() == 0
