"""A random walk over the real engine leaves nothing behind, and model and native part agree all the way."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.peers.native_build import environment

TRANSITIONS = int(os.environ.get("TANDEM_WALK", "1500"))
"`TANDEM_WALK=100000` walks for some minutes."
ROOT = Path(__file__).resolve().parents[3]


def test_random_transitions_leave_no_port_descriptor_or_leg() -> None:
    """No conference port, RTP port, descriptor, dialog, pair, recording or reader is left; no leg is joined by the
    relay that the model has in the conference, or the other way round."""
    walk = [sys.executable, "-m", "tests.unit.media.walk", str(TRANSITIONS), "--seed", "1"]
    done = subprocess.run(walk, cwd=ROOT, env={**os.environ, **environment()}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["faults"] == []
    assert found["relayed"] > 5
    for reason in ("alike and alone", "different codecs", "something is played", "more than two", "on hold"):
        assert found["reasons"][reason] > 5, reason
