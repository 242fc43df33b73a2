"""What must be installed to compile, and the Debian package that has it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from .progress import BuildFailed

TOOLS = {"gcc": "build-essential", "g++": "build-essential", "make": "build-essential", "swig": "swig"}

HEADERS = {
    "openssl/ssl.h": "libssl-dev",
    "srtp2/srtp.h": "libsrtp2-dev",
    "opus/opus.h": "libopus-dev",
    "gsm/gsm.h": "libgsm1-dev",
    "speex/speex.h": "libspeex-dev",
    "speex/speex_echo.h": "libspeexdsp-dev",
    "samplerate.h": "libsamplerate0-dev",
    "bcg729/decoder.h": "libbcg729-dev",
    "uuid/uuid.h": "uuid-dev",
}

# Debian keeps gsm.h in gsm/, other systems beside the rest.
ELSEWHERE = {"gsm/gsm.h": "gsm.h"}


def packages() -> list[str]:
    """Every Debian package that building and running the wheel needs."""
    return sorted({*TOOLS.values(), *HEADERS.values(), "python3-dev"})


def _has_header(header: str) -> bool:
    found = subprocess.run(
        ["gcc", "-E", "-x", "c", "-o", "/dev/null", "-"],
        input=f"#include <{header}>\n",
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return found.returncode == 0


def _found(header: str) -> bool:
    return _has_header(header) or (header in ELSEWHERE and _has_header(ELSEWHERE[header]))


def _all_headers(headers: Iterable[str]) -> bool:
    return _has_header(">\n#include <".join(headers))  # one compiler run for the usual case


def missing(python_include: Path) -> dict[str, str]:
    """What is not there, each with the package that has it."""
    lacking = {tool: package for tool, package in TOOLS.items() if shutil.which(tool) is None}
    if "gcc" not in lacking and not _all_headers(HEADERS):
        lacking |= {header: package for header, package in HEADERS.items() if not _found(header)}
    if not (python_include / "Python.h").exists():
        lacking["Python.h"] = "python3-dev"
    return lacking


def require(python_include: Path) -> None:
    """Raises BuildFailed that names everything missing at once."""
    lacking = missing(python_include)
    if lacking:
        names = "".join(f"  {what:20} is in {package}\n" for what, package in lacking.items())
        install = " ".join(sorted(set(lacking.values())))
        raise BuildFailed(f"These are missing:\n{names}On Debian: apt-get install {install}")
