"""The pjproject component of Debian's asterisk source package, fetched with apt's own signed lists.

The package is in the suite `sid` only. apt runs with a private state folder and one deb-src entry that takes mirror
and keyring from the machine's own configuration, so the machine's lists stay untouched and apt checks the signatures.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from .progress import BuildFailed, Progress

T = TypeVar("T")

PACKAGE = "asterisk"
SUITE = "sid"
COMPONENT_FILE = re.compile(r"^[\w.+~-]+\.orig-Xpjproject\.tar\.\w+$")


@dataclass(frozen=True, slots=True)
class Mirror:
    uri: str
    signed_by: str
    "Keyring path or inline key as the machine's configuration has it; empty: apt's trusted keys."


def _codename() -> str:
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(r'^VERSION_CODENAME="?([\w-]+)', text, re.MULTILINE)
    return found.group(1) if found else ""


def _stanzas(text: str) -> Iterator[dict[str, str]]:
    """The stanzas of a deb822 file: field names lower-case, continuation lines joined, comments dropped."""
    for block in re.split(r"\n[ \t]*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in (" ", "\t") and name:
                fields[name] += "\n" + line.rstrip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields:
            yield fields


def mirrors_in(text: str, deb822: bool, suites: set[str]) -> list[Mirror]:
    """The Debian mirrors that one apt sources file names: entries of the running suite with component main."""
    found = []
    if deb822:
        for fields in _stanzas(text):
            if fields.get("enabled", "yes").lower() in ("no", "false", "0"):
                continue
            if suites & set(fields.get("suites", "").split()) and "main" in fields.get("components", "").split():
                found += [Mirror(uri, fields.get("signed-by", "")) for uri in fields.get("uris", "").split()]
        return found
    for line in text.splitlines():
        entry = re.match(r"^\s*deb(?:-src)?\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)$", line)
        if entry and entry[3] in suites and "main" in entry[4].split("#")[0].split():
            signed = re.search(r"signed-by=(\S+)", entry[1] or "")
            found.append(Mirror(entry[2], signed[1] if signed else ""))
    return found


def machine_mirrors(etc: Path = Path("/etc/apt")) -> list[Mirror]:
    """Mirrors of the machine's apt configuration, each once, in its order."""
    suites = {_codename(), "stable", "testing", "unstable", SUITE} - {""}
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    found: list[Mirror] = []
    for file in files:
        if file.suffix in (".list", ".sources"):
            try:
                found += mirrors_in(file.read_text(encoding="utf-8"), file.suffix == ".sources", suites)
            except OSError:
                continue
    return list(dict.fromkeys(found))


class _PrivateApt:
    """apt with its own lists and cache below `folder` and one deb-src entry."""

    def __init__(self, folder: Path, mirror: Mirror) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        for part in ("lists/partial", "cache/archives/partial", "files"):
            (folder / part).mkdir(parents=True)
        signed = f"Signed-By: {mirror.signed_by}\n" if mirror.signed_by else ""
        (folder / "sid.sources").write_text(
            f"Types: deb-src\nURIs: {mirror.uri}\nSuites: {SUITE}\nComponents: main\n{signed}", encoding="utf-8"
        )
        (folder / "apt.conf").write_text(
            f'Dir::Etc::sourcelist "{folder}/sid.sources";\n'
            'Dir::Etc::sourceparts "-";\n'
            f'Dir::State::lists "{folder}/lists";\n'
            f'Dir::Cache "{folder}/cache";\n'
            'Acquire::Languages "none";\n'
            'Acquire::Retries "2";\n'
            'APT::Update::Error-Mode "any";\n' + ('APT::Sandbox::User "root";\n' if os.geteuid() == 0 else ""),
            encoding="utf-8",
        )
        self.folder = folder
        self.env = {"APT_CONFIG": str(folder / "apt.conf")}

    def download(self, progress: Progress) -> list[dict[str, str]]:
        """All files of the source package into `files`, checked by apt; what the signed index says of it."""
        progress.step("source", "package index of Debian's source archive")
        progress.run(["apt-get", "--quiet", "update"], env=self.env)
        listing = subprocess.run(
            ["apt-cache", "showsrc", "--only-source", PACKAGE],
            env={**os.environ, **self.env},
            text=True,
            capture_output=True,
            check=False,
        ).stdout
        records = [stanza for stanza in _stanzas(listing) if stanza.get("package") == PACKAGE]
        if not records:
            raise BuildFailed(f"no source package {PACKAGE} in {SUITE}")
        progress.step("source", f"{PACKAGE} {records[-1].get('version', '')}", 0.4)
        command = ["apt-get", "--quiet", "source", "--download-only", "--only-source", PACKAGE]
        progress.run(command, cwd=self.folder / "files", env=self.env)
        return records

    def fetch(self, progress: Progress) -> tuple[Path, str]:
        """The component file, checked against the signed index, and the version of the package."""
        records = self.download(progress)
        for record in records:
            for line in record.get("checksums-sha256", "").splitlines():
                words = line.split()
                if len(words) == 3 and COMPONENT_FILE.match(words[2]) and (self.folder / "files" / words[2]).exists():
                    file = self.folder / "files" / words[2]
                    if hashlib.sha256(file.read_bytes()).hexdigest() != words[0]:
                        raise BuildFailed(f"{file.name}: not the checksum of the package index")
                    return file, record.get("version", "")
        raise BuildFailed(f"the source package {PACKAGE} has no pjproject component any more")


def fetch(folder: Path, progress: Progress) -> tuple[Path, str]:
    """Downloads below `folder`; (tarball, package version). Raises BuildFailed when no mirror has it."""
    return _from_a_mirror(lambda mirror: _PrivateApt(folder, mirror).fetch(progress))


def fetch_package(folder: Path, progress: Progress) -> Path:
    """Downloads the whole source package below `folder`; its .dsc file. Raises BuildFailed when no mirror has it."""
    _from_a_mirror(lambda mirror: _PrivateApt(folder, mirror).download(progress))
    found = sorted((folder / "files").glob("*.dsc"))
    if not found:
        raise BuildFailed(f"the source package {PACKAGE} came without its description")
    return found[0]


def _from_a_mirror(get: Callable[[Mirror], T]) -> T:
    if not shutil.which("apt-get"):
        raise BuildFailed("this machine has no apt")
    mirrors = machine_mirrors()
    if not mirrors:
        raise BuildFailed("no Debian mirror in the apt configuration")
    reasons = []
    for mirror in mirrors:
        try:
            return get(mirror)
        except BuildFailed as failed:
            reasons.append(str(failed))
    raise BuildFailed("\n".join(reasons))
