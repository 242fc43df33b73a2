"""Asterisk from Debian's source package (bookworm has no binary of it): the modules that two SIP legs need, no more.

Source and program are kept in the user's cache folder; the first use takes minutes, the next ones none.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from pjsua2_build import debian
from pjsua2_build.progress import Progress

PACKAGES = ("libedit-dev", "libjansson-dev", "libsqlite3-dev", "libssl-dev", "libxml2-dev", "uuid-dev", "dpkg-dev")
CONFIGURE = ("--disable-asteriskssl", "--with-pjproject-bundled", "--disable-xmldoc")
MODULES = (
    "app_dial",
    "bridge_builtin_features",
    "bridge_native_rtp",
    "bridge_simple",
    "chan_pjsip",
    "codec_alaw",
    "format_pcm",
    "func_channel",
    "pbx_config",
    "res_geolocation",
    "res_pjproject",
    "res_pjsip",
    "res_pjsip_caller_id",
    "res_pjsip_endpoint_identifier_ip",
    "res_pjsip_sdp_rtp",
    "res_pjsip_session",
    "res_rtp_asterisk",
    "res_sorcery_config",
    "res_sorcery_memory",
    "res_statsd",
    "res_timing_timerfd",
)
"What is built and loaded."


def install() -> Path:
    """The folder that has sbin/asterisk and its modules. AssertionError where it cannot be built."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tandem"
    recipe = hashlib.sha256(" ".join([*CONFIGURE, *MODULES]).encode()).hexdigest()[:12]
    home = cache / f"asterisk-{recipe}"
    if not (home / "complete").exists():
        print(f"building Asterisk in {home}", file=sys.stderr)
        work = home.with_suffix(".work")
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)
        work.mkdir(parents=True)
        progress = Progress(cache / "asterisk-build.log")
        package = debian.fetch_package(work / "apt", progress)
        _Build(work / "source", home, cache / "asterisk-build.log").make(package)
        (home / "complete").write_text(f"{package.stem}\n", encoding="ascii")
        shutil.rmtree(work)
    return home


class _Build:
    def __init__(self, tree: Path, home: Path, log: Path) -> None:
        self.tree, self.home, self.log = tree, home, log

    def make(self, package: Path) -> None:
        """Unpack, configure, choose modules, compile, install."""
        self._run("dpkg-source", "--no-check", "-x", str(package), str(self.tree), within=self.tree.parent)
        externals = self._pjproject()
        self._run("./configure", f"--prefix={self.home}", f"--with-externals-cache={externals}", *CONFIGURE)
        self._run("make", "menuselect.makeopts")
        select = ["menuselect/menuselect", "--disable-all", "--disable", "BUILD_NATIVE"]
        self._run(*select, *(word for name in MODULES for word in ("--enable", name)), "menuselect.makeopts")
        self._run("make", f"-j{len(os.sched_getaffinity(0))}")
        self._run("make", "install")

    def _pjproject(self) -> Path:
        """Debian has pjproject as a folder beside; Asterisk's own build wants it as a tarball that has its checksum."""
        source, beside = self.tree / "Xpjproject", self.tree.parent / "externals"
        text = (source / "version.mak").read_text(encoding="utf-8")
        parts = dict(re.findall(r"^export PJ_VERSION_(MAJOR|MINOR|REV)\s*:=[ \t]*(\S*)", text, re.MULTILINE))
        name = "pjproject-" + ".".join(parts[part] for part in ("MAJOR", "MINOR", "REV") if parts.get(part))
        beside.mkdir()
        tarball = beside / f"{name}.tar.bz2"
        self._run("tar", "-cjf", str(tarball), f"--transform=s,^Xpjproject,{name},", "Xpjproject")
        checksum = f"{hashlib.md5(tarball.read_bytes(), usedforsecurity=False).hexdigest()}  {tarball.name}\n"
        for folder in (beside, self.tree / "third-party" / "pjproject"):
            (folder / f"{tarball.name}.md5").write_text(checksum, encoding="ascii")
        return beside

    def _run(self, *command: str, within: Path | None = None) -> None:
        with self.log.open("ab") as log:
            done = subprocess.run(command, cwd=within or self.tree, stdout=log, stderr=log, check=False)
        if done.returncode:
            end = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
            needed = " ".join(PACKAGES)
            raise AssertionError(f"{' '.join(command[:3])} failed; Debian packages {needed} are needed:\n{end}")


def loaded(home: Path) -> list[str]:
    """Names of the modules that were built; what each needs comes with it."""
    return sorted(file.stem for file in (home / "lib" / "asterisk" / "modules").glob("*.so"))
