"""Compiles pjproject's libraries, the SWIG wrapper and our C, and links them into one extension module."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import source as sources
from .progress import BuildFailed, Progress
from .recipe import CONFIGURE, LIBRARIES, NATIVE, WHOLE, Flavour, Target

SHARES = {"source": 4, "configure": 8, "libraries": 40, "wrapper": 45, "whole": 25, "native": 4, "wheel": 2}
"Rough seconds on two cores; what the progress display needs."

SWIG_FOLDER = Path("pjsip-apps/src/swig")
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers")
COMPILED = re.compile(r"^\s.*/([\w-]+\.(?:cpp|c))\s*$")
"The line of a compiler call that names the source file: the makefiles break these calls up."


def _object_count(tree: Path) -> int:
    """How many files make would compile: the dry run prints each."""
    total = 0
    for library in LIBRARIES:
        command = ["make", "--dry-run", "-C", str(tree / library / "build"), "lib"]
        done = subprocess.run(command, text=True, capture_output=True, check=False, errors="replace")
        total += sum(1 for line in done.stdout.splitlines() if COMPILED.search(line))
    return max(total, 1)


class Tree:
    """One pjproject tree in the cache: configured and compiled once, then only linked against."""

    def __init__(self, folder: Path, flavour: Flavour, progress: Progress, jobs: int) -> None:
        self.folder = folder
        self.flavour = flavour
        self._progress = progress
        self._jobs = jobs
        self._marker = folder / "tandem-libraries.json"
        self._whole = folder / "tandem-whole.o"

    def prepare(self, source: sources.Source, target: Target, wrapper_key: str) -> str:
        """Makes libraries and wrapper object if they are not there; returns pjproject's version."""
        wrapper = self.wrapper(wrapper_key)
        steps: list[Callable[[], None]] = []
        if not self._marker.exists():
            self._unpack_and_configure(source)
            steps.append(self._compile_libraries)
        if not wrapper.exists():
            steps.append(lambda: self._compile_wrapper(target, wrapper))
        with ThreadPoolExecutor(max_workers=2) as pool:
            for running in [pool.submit(step) for step in steps]:
                running.result()
        version = sources.version(self.folder)
        if not self._marker.exists():
            self._prune()
            self._marker.write_text(json.dumps({"version": version}), encoding="utf-8")
        return version

    def wrapper(self, key: str) -> Path:
        """The wrapper's object file; its Python half lies beside it."""
        return self.folder / "tandem-wrapper" / key / "pjsua2_wrap.o"

    def _unpack_and_configure(self, source: sources.Source) -> None:
        self._progress.step("source", "unpacking", 0.6)
        shutil.rmtree(self.folder, ignore_errors=True)
        sources.unpack(source, self.folder)
        sources.version(self.folder)
        self._progress.step("source", source.origin, 1.0)
        shutil.copy(NATIVE / "config_site.h", self.folder / "pjlib/include/pj/config_site.h")
        stripped = self.folder / "pjmedia/src/pjmedia-audiodev/bdimad_dev.c"
        if not stripped.exists():  # Debian takes this driver out, the makefile still names it
            stripped.touch()
        for library in (*LIBRARIES, "third_party"):
            (self.folder / library / "lib").mkdir(exist_ok=True)
        self._progress.step("configure")
        flags = " ".join((*self.flavour.cflags, *(WHOLE if self.flavour.whole else ())))
        command = ["./aconfigure", *CONFIGURE, f"CFLAGS={flags}", f"CXXFLAGS={flags}"]
        if "-fsanitize=address" in self.flavour.cflags:
            command.append("LDFLAGS=-fsanitize=address")
        self._progress.run(command, cwd=self.folder)
        self._progress.step("configure", "", 1.0)

    def _compile_libraries(self) -> None:
        total, done = _object_count(self.folder), 0

        def seen(line: str) -> None:
            nonlocal done
            if found := COMPILED.search(line):
                done += 1
                self._progress.step("libraries", found[1], done / total)

        for library in LIBRARIES:
            self._progress.run(["make", f"-j{self._jobs}", "-C", self.folder / library / "build", "lib"], each=seen)
        self._progress.step("libraries", "", 1.0)
        if self.flavour.whole:
            self._optimise_whole()

    def _archives(self) -> list[Path]:
        return [path for library in LIBRARIES for path in sorted((self.folder / library / "lib").glob("*.a"))]

    def _optimise_whole(self) -> None:
        """All C of pjproject in one object, optimised across its files; if that fails, the archives do as they are."""
        self._progress.step("whole", "all libraries as one")
        # libpjsdp holds a part of libpjmedia; C++ templates would stand twice.
        archives = [path for path in self._archives() if not path.name.startswith(("libpjsdp-", "libpjsua2-"))]
        flags = [*self.flavour.cflags, f"-flto={self._jobs}", "-flinker-output=nolto-rel", "-r", "-nostdlib"]
        try:
            self._progress.run(
                ["gcc", *flags, "-o", self._whole, "-Wl,--whole-archive", *archives, "-Wl,--no-whole-archive"]
            )
        except BuildFailed as failed:
            self._whole.unlink(missing_ok=True)
            self._progress.say(f"linking the libraries without optimising them as a whole: {failed}")
        self._progress.step("whole", "", 1.0)

    def _libraries(self) -> list[str | Path]:
        """What to link against, in order: ours in one object if there is one, then the system's."""
        words = [word if word.startswith("-") else f"-l{word}" for word in self._asked("libs")]
        if not self._whole.exists():
            return list(words)
        ours = {f"-l{path.stem.removeprefix('lib')}" for path in self._archives()}
        cpp = [path for path in self._archives() if path.name.startswith("libpjsua2-")]
        return [*cpp, self._whole, *(word for word in words if word not in ours)]

    def _compile_wrapper(self, target: Target, wrapper: Path) -> None:
        work = wrapper.parent
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        includes = [f"-I{self.folder / library / 'include'}" for library in LIBRARIES]
        self._progress.step("wrapper", "swig")
        swig = ["swig", "-c++", "-python", "-threads", "-w312", f"-I{NATIVE}", f"-I{self.folder / SWIG_FOLDER}"]
        generated = work / "pjsua2_wrap.cpp"
        self._progress.run([*swig, *includes, "-outdir", work, "-o", generated, NATIVE / "tandem.i"])
        self._progress.step("wrapper", "compiling", 0.1)
        unfinished = work / "unfinished.o"
        self._progress.run(
            ["g++", *self._flags(target), *self.flavour.wrapper, "-fno-lto", "-w", "-c", generated, "-o", unfinished]
        )
        generated.unlink()
        unfinished.rename(wrapper)
        self._progress.step("wrapper", "", 1.0)

    def _asked(self, what: str) -> list[str]:
        """Flags as pjproject's own makefiles print them for its Python binding."""
        command = ["make", "--no-print-directory", "-f", "helper.mak", what]
        folder = self.folder / SWIG_FOLDER / "python"
        done = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=True)
        return done.stdout.split()

    def _flags(self, target: Target) -> list[str]:
        return [*self._asked("cflags"), f"-I{target.include}", f"-I{NATIVE}"]

    def link(self, target: Target, wrapper_key: str, build_info: str, module: Path) -> None:
        """Compiles our C with `build_info` (JSON) in it and links everything into `module`."""
        work = module.parent
        info = work / "build_info.c"
        text = json.dumps(build_info)  # a JSON string is a C string here: ASCII only, no trigraphs
        info.write_text(f'#include "tandem.h"\n\nconst char *tandem_build(void)\n{{\n    return {text};\n}}\n')
        functions = work / "functions_wrap.c"
        self._progress.run(["swig", "-python", f"-I{NATIVE}", "-outdir", work, "-o", functions, NATIVE / "functions.i"])
        objects: list[Path] = []
        ours = [*sorted(NATIVE.glob("*.c")), info, functions]
        flags = [flag for flag in self._flags(target) if not flag.startswith("-std=")]
        for number, file in enumerate(ours):
            self._progress.step("native", file.name, number / len(ours))
            objects.append(work / f"{file.stem}.o")
            warnings = WARNINGS if file is not functions else ["-w"]
            language = ["-std=gnu11", "-D_GNU_SOURCE", "-fno-lto"]
            self._progress.run(["gcc", *flags, *language, *warnings, "-c", file, "-o", objects[-1]])
        self._progress.step("native", "linking", 0.9)
        linker = ["g++", "-shared", "-fno-lto", *self.flavour.link, *self._asked("ldflags")]
        self._progress.run([*linker, *objects, self.wrapper(wrapper_key), *self._libraries(), "-o", module])
        self._progress.step("native", "", 1.0)

    def _prune(self) -> None:
        """Throws away what no link needs: a tree shrinks to the libraries and headers."""
        for folder in (*LIBRARIES, "third_party"):
            shutil.rmtree(self.folder / folder / "build" / "output", ignore_errors=True)
        for folder in ("tests", "pjsip-apps/bin", "pjsip-apps/build", "third_party/webrtc_aec3"):
            shutil.rmtree(self.folder / folder, ignore_errors=True)
        for library in LIBRARIES:
            shutil.rmtree(self.folder / library / "src", ignore_errors=True)


def default_jobs() -> int:
    return max(len(os.sched_getaffinity(0)), 1)
