"""Log lines: made where something happens, written by a thread of their own.

The caller pays for a small dictionary and a queue entry; rendering and writing happen on the thread "log".  When its
queue is full, lines are dropped and counted: a full disk or a stopped terminal never holds up a call.

Every line says what happened in plain words; lines at `warning` and above also say what to do, in the field `do`.
"""

import atexit
import json
import logging
import queue
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, Protocol, TextIO, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from .masks import masked

LIMIT = 10_000
"Lines that may wait for the writer."
GATHER = 0.02
"Seconds the writer lets lines gather, so that a busy server wakes it 50 times a second and not with every line."

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}

_PLAIN = frozenset({str, int, float, bool, type(None)})

call_id: ContextVar[str] = ContextVar("call_id", default="")
"The call that the running task belongs to; it is added to its log lines."

Line = tuple[float, str, dict[str, Any]]
"Time (epoch seconds), level, fields; the text is the field `event`."


class LogSettings(Protocol):
    """What of the configuration matters here."""

    @property
    def format(self) -> Literal["json", "console"]: ...
    @property
    def level(self) -> Literal["debug", "info", "warning", "error"]: ...


class Writer:
    """The thread "log" and the bounded queue in front of it."""

    def __init__(self, stream: TextIO, form: Literal["json", "console"], limit: int = LIMIT) -> None:
        self.dropped = 0
        "Lines that found the queue full, since the start."
        self._stream, self._limit = stream, limit
        self.render_as(form)
        self._lines: queue.SimpleQueue[Line | None] = queue.SimpleQueue()
        self._told = 0
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"<log writer: {self._lines.qsize()} waiting, {self.dropped} dropped>"

    def render_as(self, form: str) -> None:
        """`json` or `console`."""
        self._render = as_json if form == "json" else _Console(self._stream.isatty())

    def put(self, line: Line) -> None:
        """Never waits; from any thread."""
        if self._lines.qsize() >= self._limit:
            self.dropped += 1
        else:
            self._lines.put(line)

    def close(self, within: float = 2.0) -> None:
        """Write what is waiting, for at most `within` seconds."""
        if self._thread.is_alive():
            self._lines.put(None)
            self._thread.join(within)

    def _write_all(self) -> None:
        ended = False
        while not ended:
            lines = [self._lines.get()]
            if lines[0] is not None:
                time.sleep(GATHER)
            while not self._lines.empty():
                lines.append(self._lines.get())
            ended = None in lines
            if self.dropped != self._told:
                lost, self._told = self.dropped - self._told, self.dropped
                text = f"{lost} log lines were dropped: they came faster than they could be written"
                do = "look at what floods the log, or raise log.level"
                lines.append((time.time(), "warning", {"event": text, "do": do, "logger": "tandem.log"}))
            try:
                self._stream.write("".join([self._render(line) for line in lines if line is not None]))
                self._stream.flush()
            except (OSError, ValueError):
                # Nowhere to say it: the terminal or the disk is gone. Count, and try again with the next lines.
                self.dropped += len(lines)
                self._told = self.dropped


def as_json(line: Line) -> str:
    """One object: time, level, logger, event, call, then the other fields."""
    at, level, fields = line
    shown: dict[str, Any] = {"time": datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds"), "level": level}
    # The keys that every reader looks for stand in front; a key keeps the place of its first mention.
    shown |= {"logger": "", "event": ""} | ({"call": ""} if "call" in fields else {})
    shown |= {key: masked(key, value) for key, value in fields.items()}
    return json.dumps(shown, ensure_ascii=False) + "\n"


class _Console:
    """One line for people, coloured on a terminal."""

    def __init__(self, colours: bool) -> None:
        self._renderer = structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=0, sort_keys=False)

    def __call__(self, line: Line) -> str:
        at, level, fields = line
        event: dict[str, Any] = {"timestamp": datetime.fromtimestamp(at).strftime("%H:%M:%S.%f")[:-3], "level": level}
        event |= {key: masked(key, value) for key, value in fields.items()}
        return str(self._renderer(None, level, event)) + "\n"


class _Sink:
    """What structlog takes for a logger: hands every line to the writer of the moment."""

    __slots__ = ("name",)
    writer: Writer | None = None
    threshold = LEVELS["info"]
    "Lines below are dropped as soon as they are made. Here and not in the loggers, which last longer than a setting."

    def __init__(self, name: str = "tandem") -> None:
        self.name = name

    def take(self, line: Line) -> None:
        if _Sink.writer is not None:
            line[2]["logger"] = self.name
            _Sink.writer.put(line)

    debug = info = warning = error = critical = take


def _as_line(_: Any, level: str, event: EventDict) -> tuple[tuple[Line], dict[str, Any]]:
    if LEVELS.get(level, LEVELS["error"]) < _Sink.threshold:
        raise structlog.DropEvent
    fields = cast(dict[str, Any], event)
    call = call_id.get()
    if call and "call" not in fields:
        fields["call"] = call
    fault = fields.pop("exc_info", None)
    if fault:
        fields["exception"] = _traceback(fault)
    for key, value in fields.items():
        # Text now: a live object that waited in the queue would keep a call leg alive, whose slot is then taken twice.
        if type(value) not in _PLAIN:
            fields[key] = _text(value)
    return ((time.time(), "error" if level == "exception" else level, fields),), {}


def _text(value: Any) -> Any:
    if isinstance(value, list | tuple) and all(type(item) in _PLAIN for item in value):
        return list(value)
    if isinstance(value, dict) and all(type(item) in _PLAIN for item in value.values()):
        return {str(key): masked(str(key), item) for key, item in value.items()}
    try:
        return str(value)
    except Exception as error:
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"


def _traceback(fault: Any) -> str:
    if isinstance(fault, BaseException):
        return "".join(traceback.format_exception(fault))
    kinds = fault if isinstance(fault, tuple) else sys.exc_info()
    kind, value, trace = cast(tuple[type[BaseException] | None, BaseException | None, TracebackType | None], kinds)
    return "".join(traceback.format_exception(kind, value, trace)) if kind is not None else ""


class _FromLogging(logging.Handler):
    """Lines of libraries that use Python's logging go the same way."""

    def emit(self, record: logging.LogRecord) -> None:
        writer = _Sink.writer
        if writer is None:
            return
        try:
            fields: dict[str, Any] = {"event": record.getMessage(), "logger": record.name}
        except Exception:
            fields = {"event": str(record.msg), "logger": record.name}
        if call_id.get():
            fields["call"] = call_id.get()
        if record.exc_info:
            fields["exception"] = _traceback(record.exc_info)
        writer.put((record.created, record.levelname.lower(), fields))


_PROCESSORS: list[Processor] = [cast(Processor, _as_line)]


def logger(name: str) -> FilteringBoundLogger:
    """The logger of one module: `log = logger("tandem.calls")`, then `log.info("call answered", agent="2001")`.

    Values that are not plain are turned into text at once.
    """
    return cast(FilteringBoundLogger, structlog.get_logger(name))


def change(settings: LogSettings) -> None:
    """Other settings for the lines from now on."""
    _Sink.threshold = LEVELS[settings.level]
    logging.getLogger().setLevel(max(LEVELS[settings.level], logging.INFO))
    if _Sink.writer is not None:
        _Sink.writer.render_as(settings.format)


def dropped() -> int:
    """Lines that could not be written since the start."""
    return 0 if _Sink.writer is None else _Sink.writer.dropped


@contextmanager
def in_call(call: str) -> Iterator[None]:
    """Log lines inside carry this call's id."""
    before = call_id.set(call)
    try:
        yield
    finally:
        call_id.reset(before)


def start(settings: LogSettings, stream: TextIO | None = None, limit: int = LIMIT) -> Writer:
    """Send all log lines of the process to `stream` (standard error); the writer before this one is closed."""
    if _Sink.writer is not None:
        _Sink.writer.close()
    _Sink.threshold = LEVELS[settings.level]
    writer = _Sink.writer = Writer(stream or sys.stderr, settings.format, limit)
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=_Sink,
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    for handler in [known for known in root.handlers if isinstance(known, _FromLogging)]:
        root.removeHandler(handler)
    root.addHandler(_FromLogging())
    root.setLevel(max(LEVELS[settings.level], logging.INFO))
    logging.captureWarnings(True)
    for chatty in ("uvicorn.access", "httpx", "httpcore", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    atexit.register(writer.close)
    return writer
