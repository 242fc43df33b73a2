"""Where pjproject comes from: the user's path, Debian's signed source archive, or the pinned upstream tag."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tarfile
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from . import debian
from .progress import BuildFailed, Progress

OLDEST = (2, 17)

# The upstream tag, used when the Debian archive cannot be reached. The archive of a tag is bound by its checksum.
TAG = "2.17"
TAG_URL = f"https://github.com/pjsip/pjproject/archive/refs/tags/{TAG}.tar.gz"
TAG_SHA256 = "065fe06c06788d97c35f563796d59f00ce52fe9558a52d7b490a042a966facce"

BUILT = ("*.o", "*.a", "*.so", "*.depend", ".git", "__pycache__", "output", "pjsua2_wrap.*")


@dataclass(frozen=True, slots=True)
class Source:
    path: Path
    "Tarball or folder."
    origin: str
    "In words, for the record: which package or tag or file."
    sha256: str
    "Of the tarball, or of names and contents of the folder."


def _tarball_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folder_sha256(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not any(part.match(pattern) for pattern in BUILT for part in map(Path, relative.parts)):
            digest.update(f"{relative}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def given(path: Path) -> Source:
    """A tarball or unpacked folder that the user names."""
    path = path.expanduser().resolve()
    if path.is_dir():
        return Source(path, f"folder {path.name}", _folder_sha256(path))
    if not tarfile.is_tarfile(path) if path.exists() else True:
        raise BuildFailed(f"{path} is neither a folder nor a tarball")
    return Source(path, f"file {path.name}", _tarball_sha256(path))


class Shelf:
    """The tarballs kept in the cache; the newest fetched one is remembered, so that set-ups need no network."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._record = folder / "current.json"

    def current(self) -> Source | None:
        """What was fetched last, if it is still there and whole."""
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
            source = Source(self.folder / record["file"], record["origin"], record["sha256"])
            return source if _tarball_sha256(source.path) == source.sha256 else None
        except (OSError, ValueError, KeyError):
            return None

    def fetch(self, progress: Progress) -> Source:
        """Debian's archive first, then the upstream tag. Raises BuildFailed with every reason."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            file, version = debian.fetch(self.folder / "apt", progress)
            return self._keep(file, f"Debian source package {debian.PACKAGE} {version}, {file.name}")
        except BuildFailed as no_debian:
            try:
                return self._fetch_tag(progress)
            except (BuildFailed, OSError) as no_tag:
                raise BuildFailed(
                    "pjproject's source cannot be fetched:\n"
                    f"  Debian: {no_debian}\n  upstream tag {TAG}: {no_tag}\n"
                    "Give a pjproject folder or tarball (2.17 or newer) with --source."
                ) from no_tag
        finally:
            shutil.rmtree(self.folder / "apt", ignore_errors=True)

    def _fetch_tag(self, progress: Progress) -> Source:
        progress.step("source", f"upstream tag {TAG}")
        target = self.folder / f"pjproject-{TAG}.tar.gz"
        with urllib.request.urlopen(TAG_URL, timeout=30) as answer, target.open("wb") as file:
            shutil.copyfileobj(answer, file)
        if _tarball_sha256(target) != TAG_SHA256:
            target.unlink()
            raise BuildFailed("not the pinned checksum")
        return self._keep(target, f"upstream tag {TAG}")

    def _keep(self, file: Path, origin: str) -> Source:
        sha256 = _tarball_sha256(file)
        target = self.folder / file.name
        if file != target:
            shutil.move(file, target)
        source = Source(target, origin, sha256)
        record = {**asdict(source), "path": None, "file": target.name}
        self._record.write_text(json.dumps(record, indent=1), encoding="utf-8")
        return source


def unpack(source: Source, target: Path) -> None:
    """Copies the source to `target`, without the tarball's top folder, links out of it, or anything built before."""
    if source.path.is_dir():
        shutil.copytree(source.path, target, symlinks=True, ignore=shutil.ignore_patterns(*BUILT))
        return
    with tarfile.open(source.path) as archive:
        for member in archive:
            parts = PurePosixPath(member.name).parts[1:]
            if not parts or ".." in parts or not (member.isfile() or member.isdir()):
                continue
            path = target.joinpath(*parts)
            if member.isdir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            content = archive.extractfile(member)
            assert content is not None
            with content, path.open("wb") as file:
                shutil.copyfileobj(content, file)
            path.chmod(0o755 if member.mode & 0o100 else 0o644)


def version(tree: Path) -> str:
    """pjproject's own version, such as `2.17` or `2.18-dev`. Raises BuildFailed for one that is too old."""
    try:
        text = (tree / "version.mak").read_text(encoding="utf-8")
    except OSError as error:
        raise BuildFailed(f"this is not pjproject: {error}") from error
    parts = dict(re.findall(r"^export PJ_VERSION_(MAJOR|MINOR|REV|SUFFIX)\s*:=[ \t]*(\S*)", text, re.MULTILINE))
    number = (int(parts.get("MAJOR") or 0), int(parts.get("MINOR") or 0))
    if number < OLDEST:
        raise BuildFailed(f"pjproject {number[0]}.{number[1]} is too old: {OLDEST[0]}.{OLDEST[1]} or newer is needed")
    revision = f".{parts['REV']}" if parts.get("REV") else ""
    return f"{number[0]}.{number[1]}{revision}{parts.get('SUFFIX', '')}"
