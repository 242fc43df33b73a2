"""Packs, installs and unpacks the wheel (PEP 427), so that neither setuptools nor wheel is needed."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import zipfile
from pathlib import Path

from .progress import BuildFailed, Progress
from .recipe import Target


def local_version(pjproject: str, flavour: str, key: str) -> str:
    """PEP 440: pjproject's version and, as the local part, what is ours: `2.17+tandem.1a2b3c4d`."""
    release = re.match(r"\d+(?:\.\d+)*", pjproject)
    number = release[0] if release else "0"
    suffix = re.sub(r"[^a-z0-9]+", ".", pjproject[len(number) :].lower()).strip(".")
    parts = [suffix, "tandem", "" if flavour == "release" else flavour, key[:8]]
    return f"{number}+{'.'.join(part for part in parts if part)}"


def _record(name: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


def pack(folder: Path, version: str, target: Target, files: dict[str, Path], texts: dict[str, str]) -> Path:
    """Writes the wheel with `files` at its top and `texts` in its dist-info folder; its path."""
    info = f"pjsua2-{version}.dist-info"
    contents = {name: path.read_bytes() for name, path in files.items()}
    contents[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: pjsua2\nVersion: {version}\n"
        "Summary: PJSIP's high-level API, built for Tandem with its own C beside it\n"
        "License: GPL-3.0-or-later\nRequires-Python: >=3.11\n"
    ).encode()
    contents[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: tandem\nRoot-Is-Purelib: false\nTag: {target.tag}-{target.platform}\n"
    ).encode()
    contents[f"{info}/top_level.txt"] = b"_pjsua2\npjsua2\n"
    contents.update({f"{info}/{name}": text.encode() for name, text in texts.items()})
    record = "".join(_record(name, data) for name, data in contents.items()) + f"{info}/RECORD,,\n"
    contents[f"{info}/RECORD"] = record.encode()

    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"pjsua2-{version}-{target.tag}-{target.platform}.whl"
    unfinished = wheel.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            entry = zipfile.ZipInfo(name)  # a fixed date: the same contents make the same wheel
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if name.endswith(".so") else 0o644) << 16
            archive.writestr(entry, data)
    unfinished.rename(wheel)
    return wheel


def unpack(wheel: Path, target: Path) -> None:
    """Unpacks into a folder to be put into PYTHONPATH."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)


def install(wheel: Path, python: Path, progress: Progress) -> None:
    """Installs with the interpreter's pip, unless this very build is there already."""
    wanted = wheel.name.split("-")[1]
    code = "import importlib.metadata as m\ntry: print(m.version('pjsua2'))\nexcept m.PackageNotFoundError: pass"
    has = subprocess.run([python, "-c", code], text=True, capture_output=True, check=False)
    if has.stdout.strip() == wanted:
        return
    if subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode != 0:
        raise BuildFailed(f"{python} has no pip: install {wheel} yourself, or use --target")
    options = ["--quiet", "--no-index", "--no-deps", "--force-reinstall", "--disable-pip-version-check"]
    progress.run([python, "-m", "pip", "install", *options, wheel])
