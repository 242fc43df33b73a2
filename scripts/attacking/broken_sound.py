"""Broken RTP and RTCP and floods of sound, against a server whose native part is built with the address sanitizer."""

import subprocess
from pathlib import Path

from benching.console import headline
from benching.machine import ROOT

from . import cases
from .verdict import Verdict

FILES = ("tests/e2e/test_broken_sound.py",)
NATIVE = Path("build") / "pjsua2-asan"
"Where scripts/check_native keeps it too."


def measure(times: int) -> list[Verdict]:
    """The end-to-end tests of broken sound, `times` as long as usual; any report of the sanitizer fails them."""
    headline("building pjsua2 with the address sanitizer: a minute, where that was not done yet")
    build = ["scripts/build_pjsua2", "--asan", "--python", ".venv/bin/python", "--target", str(NATIVE)]
    subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    more = {"TANDEM_PJSUA2": str(ROOT / NATIVE), "TANDEM_ATTACK_TIMES": str(times)}
    return cases.run("broken sound, address sanitizer", FILES, more=more)
