"""Operators' own recordings: DIR/human/* and DIR/machine/*, anything sox can read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt

LABELS = ("human", "machine")


class Unreadable(Exception):
    """A folder or a file that cannot be used; says why."""


def files(folder: Path) -> list[tuple[str, Path]]:
    """Each with its label."""
    found = [(label, path) for label in LABELS for path in sorted((folder / label).glob("*")) if path.is_file()]
    if not found:
        raise Unreadable(f"{folder}: no recordings in human/ or machine/")
    return found


def read(path: Path) -> npt.NDArray[np.int16]:
    """The file's first channel as 16-bit sound of 8000 samples a second."""
    command = ["sox", "-D", "-V1", str(path), "-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-c", "1", "-"]
    try:
        done = subprocess.run([*command, "remix", "1"], capture_output=True, check=True, timeout=120)
    except FileNotFoundError:
        raise Unreadable("sox is not installed: run scripts/setup") from None
    except subprocess.CalledProcessError as error:
        raise Unreadable(f"{path}: {error.stderr.decode(errors='replace').strip()}") from None
    return np.frombuffer(done.stdout[: len(done.stdout) & ~1], dtype="<i2")
