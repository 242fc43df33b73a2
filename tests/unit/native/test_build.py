"""The pure parts of scripts/build_pjsua2: where the source comes from, what is missing, what a wheel is called."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from pjsua2_build import cache, debian, recipe, source, tools, wheel
from pjsua2_build.progress import BuildFailed, Progress

DEB822 = """\
# a comment
Types: deb
URIs: http://mirror.example/debian http://second.example/debian/
Suites: trixie trixie-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/security
Suites: trixie-security
Components: main

Types: deb
URIs: http://vendor.example/apt
Suites: trixie
Components: stable

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: trixie
Components: main
"""

ONE_LINE = """\
# deb http://off.example/debian trixie main
deb [arch=amd64 signed-by=/etc/key.gpg] http://mirror.example/debian trixie main # ours
deb http://vendor.example/apt trixie stable
deb http://mirror.example/debian trixie-updates main
"""


def test_the_mirror_of_the_running_suite_is_found_in_both_formats() -> None:
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    assert debian.mirrors_in(DEB822, True, {"trixie"}) == [
        debian.Mirror("http://mirror.example/debian", keyring),
        debian.Mirror("http://second.example/debian/", keyring),
    ]
    assert debian.mirrors_in(ONE_LINE, False, {"trixie"}) == [
        debian.Mirror("http://mirror.example/debian", "/etc/key.gpg")
    ]


def test_an_inline_key_keeps_its_lines() -> None:
    text = "Types: deb\nURIs: http://m/debian\nSuites: sid\nComponents: main\nSigned-By:\n -----BEGIN\n .\n abc\n"
    assert debian.mirrors_in(text, True, {"sid"})[0].signed_by == "\n -----BEGIN\n .\n abc"


def test_a_folder_of_sources_is_read_in_order_and_each_mirror_named_once(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text("deb http://one.example/debian stable main\n")
    (parts / "b.list").write_text("deb http://one.example/debian stable main\n")
    (parts / "a.sources").write_text("Types: deb\nURIs: http://two.example/debian\nSuites: stable\nComponents: main\n")
    (parts / "c.list.save").write_text("deb http://three.example/debian stable main\n")
    assert [mirror.uri for mirror in debian.machine_mirrors(tmp_path)] == [
        "http://one.example/debian",
        "http://two.example/debian",
    ]


def tarball(folder: Path, members: dict[str, bytes], link: str = "") -> Path:
    path = folder / "pjproject.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755 if name.endswith("aconfigure") else 0o644
            archive.addfile(entry, io.BytesIO(data))
        if link:
            entry = tarfile.TarInfo(link)
            entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(entry)
    return path


VERSION = b"export PJ_VERSION_MAJOR  := 2\nexport PJ_VERSION_MINOR  := %d\nexport PJ_VERSION_REV    :=\n"


def test_a_tarball_is_unpacked_without_its_top_folder_and_without_traps(tmp_path: Path) -> None:
    members = {"p/version.mak": VERSION % 17, "p/aconfigure": b"#!/bin/sh\n", "p/../evil": b"x", "top": b"x"}
    path = tarball(tmp_path, members, link="p/link")
    given = source.given(path)
    assert given.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    source.unpack(given, tmp_path / "tree")
    assert sorted(p.name for p in (tmp_path / "tree").iterdir()) == ["aconfigure", "version.mak"]
    assert (tmp_path / "tree" / "aconfigure").stat().st_mode & 0o100
    assert not (tmp_path / "evil").exists()
    assert source.version(tmp_path / "tree") == "2.17"


def test_a_folder_is_known_by_what_is_in_it_not_by_what_was_built_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "pjproject"
    (folder / "pjlib" / "output").mkdir(parents=True)
    (folder / "version.mak").write_bytes(VERSION % 18)
    before = source.given(folder).sha256
    (folder / "pjlib" / "output" / "x").write_text("built")
    (folder / "pjlib" / "x.o").write_text("built")
    assert source.given(folder).sha256 == before
    (folder / "pjlib" / "x.c").write_text("new")
    assert source.given(folder).sha256 != before


@pytest.mark.parametrize("text", [VERSION % 16, b"nothing\n"])
def test_an_old_pjproject_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "version.mak").write_bytes(text)
    with pytest.raises(BuildFailed, match=r"2\.17 or newer"):
        source.version(tmp_path)


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("hello")
    for path in (tmp_path / "file", tmp_path / "nowhere"):
        with pytest.raises(BuildFailed, match="neither a folder nor a tarball"):
            source.given(path)
    with pytest.raises(BuildFailed, match="not pjproject"):
        source.version(tmp_path)


def test_the_shelf_knows_its_newest_source_until_the_file_changes(tmp_path: Path) -> None:
    shelf = source.Shelf(tmp_path)
    assert shelf.current() is None
    path = tarball(tmp_path, {"p/version.mak": VERSION % 17})
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    record = {"file": path.name, "origin": "a test", "sha256": sha256}
    (tmp_path / "current.json").write_text(json.dumps(record))
    assert shelf.current() == source.Source(path, "a test", sha256)
    path.write_bytes(path.read_bytes() + b"\0")
    assert shelf.current() is None


@pytest.mark.parametrize(
    ("pjproject", "flavour", "version"),
    [
        ("2.17", "release", "2.17+tandem.01234567"),
        ("2.17.1", "asserts", "2.17.1+tandem.asserts.01234567"),
        ("2.18-dev", "release", "2.18+dev.tandem.01234567"),
    ],
)
def test_the_version_says_what_is_ours(pjproject: str, flavour: str, version: str) -> None:
    assert wheel.local_version(pjproject, flavour, "0123456789abcdef") == version


def test_a_wheel_installs_where_pip_would_put_it(tmp_path: Path) -> None:
    target = recipe.Target.of(Path(sys.executable))
    module = tmp_path / "pjsua2.py"
    module.write_text("x = 1\n")
    made = wheel.pack(tmp_path / "w", "2.17+tandem.1", target, {"pjsua2.py": module}, {"tandem.json": "{}"})
    assert made == wheel.pack(tmp_path / "w", "2.17+tandem.1", target, {"pjsua2.py": module}, {"tandem.json": "{}"})
    with zipfile.ZipFile(made) as archive:
        assert archive.testzip() is None
        assert "pjsua2-2.17+tandem.1.dist-info/RECORD" in archive.namelist()
    folder = tmp_path / "site"
    options = ["-q", "--no-index", "--no-deps", "--target", str(folder)]
    command = [sys.executable, "-m", "pip", "install", *options, str(made)]
    subprocess.run(command, check=True)
    assert (folder / "pjsua2.py").read_text() == "x = 1\n"


def test_every_key_changes_with_what_it_stands_for() -> None:
    target = recipe.Target.of(Path(sys.executable))
    keys = recipe.Keys.of("a" * 64, recipe.FLAVOURS["release"], target)
    assert recipe.Keys.of("a" * 64, recipe.FLAVOURS["release"], target) == keys
    assert recipe.Keys.of("b" * 64, recipe.FLAVOURS["release"], target).tree != keys.tree
    assert recipe.Keys.of("a" * 64, recipe.FLAVOURS["asserts"], target).tree != keys.tree
    other = recipe.Target(target.include, target.suffix, "cp399-cp399", target.platform)
    assert recipe.Keys.of("a" * 64, recipe.FLAVOURS["release"], other).tree == keys.tree
    assert recipe.Keys.of("a" * 64, recipe.FLAVOURS["release"], other).wrapper != keys.wrapper


def test_a_missing_tool_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    lacking = tools.missing(tmp_path)
    assert lacking["swig"] == "swig"
    assert lacking["g++"] == "build-essential"
    assert lacking["Python.h"] == "python3-dev"
    with pytest.raises(BuildFailed, match=r"apt-get install build-essential python3-dev swig"):
        tools.require(tmp_path)


def test_a_command_that_fails_shows_its_last_lines_and_the_log(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "log", io.StringIO())
    script = "for i in $(seq 40); do echo line $i; done; exit 3"
    with pytest.raises(BuildFailed, match=r"sh failed \(3\)(.|\n)*line 40\n") as failed:
        progress.run(["sh", "-c", script])
    progress.close()
    assert "line 15\n" not in str(failed.value)
    assert str(tmp_path / "log") in str(failed.value)
    assert "line 1\n" in (tmp_path / "log").read_text()


def test_progress_without_a_terminal_is_a_line_per_step(tmp_path: Path) -> None:
    out = io.StringIO()
    progress = Progress(tmp_path / "log", out)
    progress.plan({"one": 50.0, "two": 50.0})
    for n in range(101):
        progress.step("one", f"file{n}.c", n / 100)
    progress.step("two", "", 1.0)
    progress.close()
    lines = out.getvalue().splitlines()
    assert len(lines) < 10
    assert lines[0].startswith("[  0 %] 0:00  one")
    assert lines[-1].startswith("[100 %]")


def test_what_nobody_used_for_longest_leaves_the_cache(tmp_path: Path) -> None:
    for n in range(5):
        (tmp_path / str(n)).mkdir()
        cache.touch(tmp_path / str(n), now=1000.0 + n)
    cache.touch(tmp_path / "0", now=2000.0)
    cache.prune(tmp_path, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "4"]
