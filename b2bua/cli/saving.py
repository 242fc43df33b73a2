"""A file that a command writes: it is there whole, or as it was before."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from b2bua.cli.output import fail


@contextmanager
def saved_as(path: Path) -> Iterator[BinaryIO]:
    """Written beside `path` and put in its place at the end; `-` is standard output, as is anything that is no file.

    Ends the command where the file cannot be written, and leaves nothing where the block does not come to its end.
    """
    try:
        if str(path) == "-" or (path.exists() and not path.is_file()):
            with os.fdopen(os.dup(1), "wb") if str(path) == "-" else path.open("wb") as to:
                yield to
            return
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with draft.open("xb") as to:
                yield to
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror or error}")
