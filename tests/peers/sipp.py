"""SIPp as a peer: its exit code and counters are the verdict, its traces what a test asserts on and a failure shows.

Debian's SIPp 3.6.1 speaks UDP and TCP; it is built without TLS, so TLS is for the raw peers and the PJSIP phone.
"""

import csv
import datetime
import re
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

from tests.peers.message import Message
from tests.peers.ports import PORTS
from tests.peers.process import Child
from tests.peers.rtp import Rtp
from tests.peers.waiting import PATIENCE, eventually
from tests.peers.wire import Address

SCENARIOS = Path(__file__).parents[2] / "sipp-scenarios"

PORT_IS_TAKEN = 254
"SIPp's exit code -2."

TRANSPORTS = {"udp": "u1", "tcp": "t1"}

RULE = re.compile(
    rb"^-{40,} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+)\r?\n(?:UDP|TCP) message (sent|received) .*:\r?\n\r?\n",
    re.MULTILINE,
)
"What stands before each message of a trace."


@dataclass(kw_only=True, eq=False, repr=False)
class Traced(Message):
    """A message of SIPp's trace. A NUL byte in a body ends it there: SIPp writes its trace as text."""

    sent: bool


class Run:
    """One SIPp process, started by `Sipp.calls` or `Sipp.answers`."""

    def __init__(self, child: Child, folder: Path, name: str) -> None:
        self.child, self.folder, self.name = child, folder, name

    async def done(self, within: float | None = None) -> None:
        """Wait for its end; AssertionError with its errors and last messages unless every call was as it should be."""
        code = await self.child.ended(within)
        assert code == 0, f"{self.name}: SIPp's exit code is {code}\n{self.describe()}"

    async def stop(self, within: float = 3.0) -> None:
        """Let the calls that are up end, then end it; a call that does not end by itself is cut."""
        self.child.signal(signal.SIGUSR1)
        try:
            await self.child.ended(within)
        except AssertionError:
            await self.child.aclose()

    def count(self, column: str) -> int:
        """A counter of the statistics (while SIPp runs a second old at most), such as SuccessfulCall(C)."""
        path = self.folder / f"{self.name}.csv"
        lines = list(csv.DictReader(path.read_text().splitlines(), delimiter=";")) if path.exists() else []
        return int(lines[-1][column]) if lines else 0

    @property
    def succeeded(self) -> int:
        return self.count("SuccessfulCall(C)")

    @property
    def failed(self) -> int:
        return self.count("FailedCall(C)")

    @property
    def retransmissions(self) -> int:
        return self.count("Retransmissions(C)")

    def messages(self) -> list[Traced]:
        """All messages in order (sent ones have `sent` true), broken ones left out."""
        path = self.folder / f"{self.name}.messages"
        pieces = RULE.split(path.read_bytes()) if path.exists() else [b""]
        found = []
        for at, direction, text in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            raw = b"\r\n".join(text.replace(b"\r\n", b"\n").split(b"\n"))
            try:
                m = Message.parse(raw)
            except ValueError:
                continue
            time = datetime.datetime.fromisoformat(at.decode()).timestamp()
            sent = direction == b"sent"
            found.append(Traced(start=m.start, headers=m.headers, body=m.body, raw=raw, time=time, sent=sent))
        return found

    def received(self, what: int | str | None = None) -> list[Traced]:
        """The messages received: all, the requests of a method, or the responses with a status."""
        return [m for m in self.messages() if not m.sent and (what is None or what == (m.status or m.method))]

    def statuses(self) -> list[int]:
        """The status codes received, in order."""
        return [m.status for m in self.messages() if not m.sent and m.status]

    def errors(self) -> str:
        """What SIPp found wrong."""
        path = self.folder / f"{self.name}.errors"
        return path.read_text(errors="replace") if path.exists() else ""

    def response_times(self, timer: str) -> list[float]:
        """Milliseconds of every stop of a named timer (runs started with `times=True`)."""
        found: list[float] = []
        for path in self.folder.glob(f"*_{self.child.pid}_rtt.csv"):
            lines = csv.DictReader(path.read_text().splitlines(), delimiter=";")
            found += [float(line["response_time_ms"]) for line in lines if line["rtd_no"] == timer]
        return found

    def delays(self, status: int) -> list[float]:
        """Milliseconds from each call's first INVITE to its first response with this status, from the trace's clock.

        SIPp's own timers (`response_times`) know whole milliseconds only.
        """
        asked: dict[str, float] = {}
        found: dict[str, float] = {}
        for m in self.messages():
            if m.sent and m.method == "INVITE":
                asked.setdefault(m.call_id, m.time)
            elif not m.sent and m.status == status and m.cseq[1] == "INVITE":
                found.setdefault(m.call_id, 1000 * (m.time - asked[m.call_id]))
        return list(found.values())

    def describe(self) -> str:
        """Everything a failed test should print."""
        messages = "\n".join(f"  {'->' if m.sent else '<-'} {m.start} ({m.get('CSeq')})" for m in self.messages()[-40:])
        return f"{self.errors()[-3000:]}\n{messages}\n{self.child.log()[-1500:]}"


class Sipp:
    """One SIP address played by SIPp. The port is known and kept from the beginning: a server can be told it first."""

    def __init__(
        self,
        folder: Path,
        name: str = "sipp",
        *,
        host: str = "127.0.0.1",
        transport: str = "udp",
        rtp: Rtp | None = None,
        port: int | None = None,
    ) -> None:
        """`rtp` is where its descriptions send the sound: a real end point of the test; without one nobody listens.

        `port`: this one, which was kept for it.
        """
        self.folder = folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name, self.host, self.transport, self.rtp = name, host, transport, rtp
        self.port = PORTS.take() if port is None else port
        self._silent_port = PORTS.take(2, even=True)
        self.runs: list[Run] = []

    @property
    def address(self) -> Address:
        return self.host, self.port

    @property
    def uri(self) -> str:
        """The contact to configure for it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        tail = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"sip:{self.name}@{host}:{self.port}{tail}"

    @property
    def run(self) -> Run:
        """The newest run."""
        return self.runs[-1]

    async def answers(
        self,
        scenario: str = "agent-answers",
        n: int | None = None,
        *,
        hold: int = 0,
        messages: bool = True,
        extra: tuple[str, ...] = (),
        **keys: object,
    ) -> Run:
        """Take calls from now on (it is bound when this returns); with `n` it ends after so many.

        `hold` is the length of the scenario's pauses in ms; further arguments are keys of the scenario.
        """
        return await self._start([], scenario, n, hold, messages, keys, [*extra])

    async def start_calls(
        self,
        target: Address,
        scenario: str = "trunk-diverted",
        n: int = 1,
        *,
        rate: float = 20,
        limit: int | None = None,
        hold: int = 100,
        messages: bool = True,
        times: bool = False,
        inject: Path | None = None,
        within: float | None = None,
        extra: tuple[str, ...] = (),
        **keys: object,
    ) -> Run:
        """Place `n` calls at `rate` a second, not more than `limit` at once, and return while they run.

        `inject` is a file for [field0] and the like; a key that is a Path becomes its text; `within` ends it by force.
        """
        host = f"[{target[0]}]" if ":" in target[0] else target[0]
        options = ["-r", f"{rate:g}" if rate >= 1 else "1", *(() if rate >= 1 else ("-rp", str(int(1000 / rate))))]
        options += ["-timeout", str(int(within or n / rate + hold / 1000 + PATIENCE)), "-timeout_error", *extra]
        if limit:
            options += ["-l", str(limit)]
        if inject:
            options += ["-inf", str(inject)]
        if times:
            options += ["-trace_rtt", "-rtt_freq", "1"]
        return await self._start([f"{host}:{target[1]}"], scenario, n, hold, messages, keys, options)

    async def calls(
        self,
        target: Address,
        scenario: str = "trunk-diverted",
        n: int = 1,
        *,
        rate: float = 20,
        hold: int = 100,
        **keys: object,
    ) -> Run:
        """Place calls and wait until all are over; AssertionError unless every one went as the scenario says."""
        run = await self.start_calls(target, scenario, n, rate=rate, hold=hold, **keys)  # type: ignore[arg-type]
        await run.done(n / rate + hold / 1000 + 2 * PATIENCE)
        return run

    async def close(self) -> None:
        """End what still runs."""
        for run in self.runs:
            await run.child.aclose(0.5)

    async def __aenter__(self) -> "Sipp":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def describe(self) -> str:
        """What a failed test should print."""
        return "\n".join(f"--- {run.name}\n{run.describe()}" for run in self.runs)

    async def _start(
        self,
        target: list[str],
        scenario: str,
        n: int | None,
        hold: int,
        messages: bool,
        keys: dict[str, object],
        options: list[str],
    ) -> Run:
        for _ in range(5):
            run = self._spawn([*options, *target], scenario, n, hold, messages, keys)
            if self.transport == "udp" or not target:  # a TCP caller listens nowhere
                await self._bound(run.child)
            if run.child.exit_code != PORT_IS_TAKEN:
                assert target or run.child.alive, f"{run.name} did not start\n{run.describe()}"
                return run
            assert target, f"somebody took port {self.port} of {self.name}"
            self.runs.pop()
            self.port = PORTS.take()  # a caller may have any port
        raise AssertionError(f"no port for {self.name}")

    async def _bound(self, child: Child) -> None:
        def bound_or_ended() -> bool:
            return child.bound(self.port, self.transport) or not child.alive

        await eventually(bound_or_ended, f"SIPp bound to port {self.port} of {self.name}")

    def _spawn(
        self, tail: list[str], scenario: str, n: int | None, hold: int, messages: bool, keys: dict[str, object]
    ) -> Run:
        sipp = shutil.which("sipp")
        assert sipp, "sipp is missing: package sip-tester"
        name = f"{len(self.runs) + 1}-{scenario}"
        point = self.rtp.address if self.rtp else (self.host, self._silent_port)
        family = "IP6" if ":" in point[0] else "IP4"
        given = {"called": "4008100001", "caller": "02088880000", "diverted": "0", "forwarder": "4008100001"}
        given |= {"reason": "Refused", "header": "X-Nothing: here"}
        given |= {"rtp_c": f"IN {family} {point[0]}", "rtp_port": str(point[1])} | {k: str(v) for k, v in keys.items()}
        command = [
            sipp,
            "-sf",
            str(SCENARIOS / f"{scenario}.xml"),
            "-i",
            self.host,
            "-p",
            str(self.port),
            "-bind_local",
        ]
        command += ["-t", TRANSPORTS[self.transport], "-nostdin", "-aa", "-d", str(hold), "-cp", str(PORTS.take())]
        command += [
            "-mi",
            self.host,
            "-mp",
            str(PORTS.take(4, even=True)),
            "-trace_err",
            "-error_file",
            f"{name}.errors",
        ]
        command += ["-trace_stat", "-stf", f"{name}.csv", "-fd", "1"]
        if messages:
            command += ["-trace_msg", "-message_file", f"{name}.messages"]
        if n is not None:
            command += ["-m", str(n)]
        for key, value in given.items():
            command += ["-key", key, value]
        run = Run(Child([*command, *tail], folder=self.folder, log=f"{name}.out"), self.folder, name)
        self.runs.append(run)
        return run
