"""Which build of pjsua2 the processes of a test run on: the installed one, or another that looks closer."""

import json
import os
import subprocess
from pathlib import Path

BUILD = os.environ.get("TANDEM_PJSUA2", "")
"Folder of another build to test (scripts/build_pjsua2 --asserts --target DIR); empty: the installed one."


def environment(*path: Path) -> dict[str, str]:
    """Variables for a child process, which also imports from `path`; empty without either."""
    folders = [folder for folder in (BUILD, *map(str, path)) if folder]
    found = {"PYTHONPATH": os.pathsep.join(folders)} if folders else {}
    if BUILD:
        described = next(Path(BUILD).glob("pjsua2-*.dist-info/tandem.json")).read_text()
        if json.loads(described)["flavour"] == "asan":
            libraries = [
                subprocess.run(
                    ["gcc", f"-print-file-name={name}"], text=True, capture_output=True, check=True
                ).stdout.strip()
                for name in ("libasan.so", "libstdc++.so")  # the second so that C++ exceptions are found
            ]
            found |= {"LD_PRELOAD": " ".join(libraries), "ASAN_OPTIONS": "detect_leaks=0"}
    return found
