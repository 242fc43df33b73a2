"""Attacks that are end-to-end tests already: run as they are, each case a line of the table."""

import importlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import parse

from benching.console import headline, note
from benching.machine import ROOT

from .verdict import Verdict

ALLOWED = sorted(os.sched_getaffinity(0))
"Cores that we might use before anybody was bound to one."
WITHIN = 1200.0
"Seconds all cases of an attack may take."


def run(
    attack: str, files: Sequence[str], names: str = "", *, more: Mapping[str, str] = MappingProxyType({})
) -> list[Verdict]:
    """The cases of these test files; `names`: those that pytest's -k chooses; `more`: variables of the environment.

    AssertionError where there are none."""
    headline(f"{attack}: {', '.join(files)}")
    with tempfile.TemporaryDirectory(prefix="tandem-attack-") as folder:
        report = Path(folder) / "report.xml"
        chosen = ["-k", names] if names else []
        anywhere = ["taskset", "-c", ",".join(map(str, ALLOWED))]
        command = [*anywhere, sys.executable, "-m", "pytest", "-q", "-n0", *chosen, f"--junit-xml={report}", *files]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=WITHIN, env={**os.environ, **more}
        )
        if done.returncode:
            note(done.stdout[-4000:])
        cases = list(parse(report).iter("testcase")) if report.exists() else []
    assert cases, f"no case of {attack} has run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return [_verdict(attack, case) for case in cases]


def _verdict(attack: str, case: Element) -> Verdict:
    module, name = case.get("classname", ""), case.get("name", "")
    function, _, parameters = name.partition("[")
    said = getattr(importlib.import_module(module), function).__doc__ or function
    what = " ".join(said.split("\n\n")[0].split())
    if parameters:
        what = f"{what} ({parameters.rstrip(']')})"
    bad = [kind for kind in ("failure", "error", "skipped") if case.find(kind) is not None]
    return Verdict(attack, what, bad[0] if bad else "so it is", "so it is", not bad)
