"""The command `tandem`; `python -m b2bua` is the same."""

import gc
import signal
import sys
import traceback
from collections.abc import Iterator

# Importing makes hundreds of thousands of objects that stay: looking through them for garbage costs a third of a start.
gc.disable()

from b2bua import cli  # noqa: E402
from b2bua.settings import Settings  # noqa: E402


def serve(settings: Settings) -> None:
    """Run the server until it is told to stop; what ends it otherwise is told on standard error, with status 1."""
    # Until the server can load its settings anew, whoever asks for it must not end it.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # Only here: the SIP stack and the web framework take a second to import, and no other command needs them.
    gc.disable()
    from b2bua.process import run

    gc.enable()

    try:
        run(settings)
    except Exception as error:
        for fault in _faults(error):
            _tell(fault)
        sys.exit(1)


def _faults(error: Exception) -> Iterator[Exception]:
    if isinstance(error, ExceptionGroup):
        for inner in error.exceptions:
            yield from _faults(inner)
    else:
        yield error


def _tell(fault: Exception) -> None:
    """One line for what an operator can mend (a port in use, a database that is away), else the trace: our mistake."""
    from b2bua.sip.engine.listeners import CannotListen
    from b2bua.storage import StorageError

    if isinstance(fault, OSError | CannotListen | StorageError):
        text = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
        named = f": {fault.filename}" if isinstance(fault, OSError) and fault.filename else ""
        print(f"tandem: {text}{named}", file=sys.stderr)
    else:
        traceback.print_exception(fault)


def main() -> None:
    """Entry point of the installed command."""
    gc.enable()
    cli.main(serve)


if __name__ == "__main__":
    main()
