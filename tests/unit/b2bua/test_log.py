"""Log lines are cheap for the caller, whole for the reader, and free of secrets."""

import io
import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest

from b2bua import log
from b2bua.settings import Log

Lines = Callable[[], list[dict[str, Any]]]


class Gated(io.StringIO):
    """A stream that takes nothing until its gate opens, as a stopped terminal does."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.reached = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        self.gate.wait(10)
        return super().write(text)


class Broken(io.StringIO):
    """A stream on a full disk, until it is mended."""

    mended = False

    def write(self, text: str) -> int:
        if not self.mended:
            raise OSError(28, "No space left on device")
        return super().write(text)


@pytest.fixture
def lines() -> Iterator[Lines]:
    """All lines written so far, parsed; ends the writer."""
    stream = io.StringIO()
    writer = log.start(Log(level="debug"), stream)

    def read() -> list[dict[str, Any]]:
        writer.close()
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    yield read
    writer.close()


def test_a_line_is_one_json_object_with_time_level_logger_and_fields(lines: Lines) -> None:
    log.logger("tandem.calls").info("call answered", agent="2001", ring_s=1.5, tried=["2001", "2002"])
    (line,) = lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "tandem.calls",
        "event": "call answered",
        "agent": "2001",
        "ring_s": 1.5,
        "tried": ["2001", "2002"],
    }


def test_lines_of_a_call_carry_its_id_and_others_do_not(lines: Lines) -> None:
    with log.in_call("0190-call"):
        log.logger("tandem.calls").info("ringing")
        logging.getLogger("library").warning("also inside")
    log.logger("tandem.calls").info("idle")
    assert [line.get("call") for line in lines()] == ["0190-call", "0190-call", None]


def test_lines_below_the_level_are_not_written() -> None:
    stream = io.StringIO()
    writer = log.start(Log(level="warning"), stream)
    quiet = log.logger("tandem.levels")
    quiet.info("unheard")
    logging.getLogger("library").info("unheard too")
    quiet.warning("heard", do="nothing")
    writer.close()
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["heard"]


def test_a_logger_that_has_spoken_follows_a_new_level(lines: Lines) -> None:
    kept = log.logger("tandem.kept")
    kept.debug("first")
    stream = io.StringIO()
    writer = log.start(Log(level="error"), stream)
    kept.info("too quiet")
    kept.exception("loud")
    log.start(Log(level="debug"), stream)
    writer.close()
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]
    assert [line["event"] for line in lines()] == ["first"]


@pytest.mark.parametrize("key", ["password", "secret", "Authorization", "api-token", "cookie"])
def test_a_secret_is_masked_by_the_name_of_its_field(lines: Lines, key: str) -> None:
    log.logger("tandem.outside").info("asked", **{key: "hunter2"}, nested={key: "hunter2"})
    text = json.dumps(lines())
    assert "hunter2" not in text
    assert text.count("***") == 2


def test_the_password_of_a_url_is_masked_wherever_it_stands(lines: Lines) -> None:
    log.logger("tandem.storage").error(
        "cannot reach postgresql://tandem:hunter2@db/tandem", url="http://u:hunter2@crm/"
    )
    text = json.dumps(lines())
    assert "hunter2" not in text
    assert "postgresql://tandem:***@db/tandem" in text


def test_live_objects_are_turned_into_text_at_once(lines: Lines) -> None:
    """A leg that waits in the queue would be alive when its slot is given to the next call."""

    class Leg:
        state = "ringing"

        def __str__(self) -> str:
            return f"leg {self.state}"

    class Shy:
        def __str__(self) -> str:
            raise RuntimeError("gone")

    leg = Leg()
    log.logger("tandem.sip").info("seen", leg=leg, shy=Shy())
    leg.state = "gone"
    (line,) = lines()
    assert line["leg"] == "leg ringing"
    assert line["shy"] == "<Shy that cannot be shown: RuntimeError>"


def test_an_exception_is_written_with_its_trace(lines: Lines) -> None:
    try:
        raise ValueError("broken header")
    except ValueError as error:
        log.logger("tandem.sip").exception("our mistake")
        log.logger("tandem.sip").warning("theirs", exc_info=error)
        logging.getLogger("library").exception("library")
    written = lines()
    assert [line["level"] for line in written] == ["error", "warning", "error"]
    assert all("ValueError: broken header" in line["exception"] for line in written)


def test_warnings_of_python_come_as_lines(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("old api", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(False)
    assert ["old api" in line["event"] for line in lines()] == [True]


def test_a_full_queue_drops_and_says_so_and_the_caller_never_waits() -> None:
    stream = Gated()
    writer = log.start(Log(), stream, limit=10)
    source = log.logger("tandem.flood")
    source.info("first")
    assert stream.reached.wait(5)
    for number in range(25):
        source.info(f"line {number}")
    assert writer.dropped == log.dropped() == 15
    stream.gate.set()
    writer.close()
    written = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in written[:3]] == ["first", "line 0", "line 1"]
    assert written[-1]["event"] == "15 log lines were dropped: they came faster than they could be written"
    assert "log.level" in written[-1]["do"]


def test_a_full_disk_loses_lines_but_not_the_writer() -> None:
    stream = Broken()
    writer = log.start(Log(), stream)
    source = log.logger("tandem.disk")
    source.info("lost")
    while writer.dropped == 0:
        threading.Event().wait(0.005)
    stream.mended = True
    source.info("kept")
    writer.close()
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["kept"]


@pytest.mark.parametrize(("form", "sign"), [("json", '"event": "hello"'), ("console", "hello")])
def test_both_formats_end_every_line(form: Literal["json", "console"], sign: str) -> None:
    stream = io.StringIO()
    writer = log.start(Log(format=form), stream)
    log.logger("tandem.form").info("hello", n=1)
    writer.close()
    assert sign in stream.getvalue()
    assert stream.getvalue().endswith("\n")
    assert stream.getvalue().count("\n") == 1


def test_nothing_fails_before_the_log_is_started() -> None:
    log._Sink.writer = None
    logging.getLogger("library").warning("unheard")
    log._FromLogging().emit(logging.makeLogRecord({"msg": "unheard"}))
    assert log.dropped() == 0
