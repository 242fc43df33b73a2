"""A phone made of PJSIP, in a process of its own: a second, complete SIP stack with real media, SRTP and TLS."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from tests.peers.message import Message
from tests.peers.ports import PORTS
from tests.peers.process import Child
from tests.peers.rtp import CLEAR, TONES
from tests.peers.waiting import PATIENCE, deadline
from tests.peers.wire import Address

ROOT = Path(__file__).parents[2]
Wish = Literal["off", "optional", "required"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened at the phone: incoming, state, media, digit, request, stream."""

    name: str
    details: dict[str, Any]

    def __getattr__(self, key: str) -> Any:
        try:
            return self.details[key]
        except KeyError:
            raise AttributeError(key) from None

    @property
    def sip(self) -> Message:
        """The SIP message behind it."""
        return Message.parse(self.details["message"].encode("utf-8", "surrogateescape"))


class PjsipPhone:
    """Open it with `await PjsipPhone.open(folder, ...)`; it answers by itself when `answer` is a status (180, 200)."""

    def __init__(self, child: Child, name: str, host: str, port: int, transport: str, tone: float) -> None:
        self.child, self.name, self.host, self.port, self.transport = child, name, host, port, transport
        self.tone = tone
        "The frequency it sends."
        self.facts: list[Fact] = []
        "Everything it told, in order."
        self._taken = 0
        self._used: set[int] = set()
        self._news = asyncio.Event()
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._reader: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        folder: Path,
        name: str = "pjsip",
        *,
        host: str = "127.0.0.1",
        transport: str = "udp",
        answer: int = 0,
        tone: float | None = None,
        codecs: Sequence[str] = ("PCMA", "PCMU"),
        rel100: Wish = "optional",
        timer: Wish | Literal["always"] = "optional",
        session_expires: int = 1800,
        min_se: int = 90,
        srtp: Wish = "off",
        keys: Sequence[str] = ("sdes",),
        vad: bool = False,
        certificate: Path | None = None,
        ca: Path | None = None,
    ) -> Self:
        """Start it and wait until it listens. `certificate` is a PEM file with its .key beside it (transport tls)."""
        port, tone = PORTS.take(), next(TONES) if tone is None else tone
        options = {
            "name": name, "host": host, "port": port, "transport": transport, "answer": answer, "tone": tone,
            "codecs": [c.upper() for c in codecs], "rel100": rel100, "timer": timer, "session_expires": session_expires,
            "min_se": min_se, "srtp": srtp, "keys": [*keys], "vad": vad,
            "rtp_port": PORTS.take(20, even=True), "rtp_range": 20,
            "certificate": str(certificate or ""), "ca": str(ca or ""), "log": str(folder / f"{name}.log"),
            "key": str(certificate.with_suffix(".key")) if certificate else "",
        }  # fmt: skip
        command = [sys.executable, "-m", "tests.peers.pjsip_child", json.dumps(options)]
        child = Child(command, folder=folder, log=f"{name}.err", env={"PYTHONPATH": str(ROOT)}, pipes=True)
        phone = cls(child, name, host, port, transport, tone)
        phone._reader = asyncio.create_task(phone._read())
        try:
            await phone.expect("ready")
        except BaseException:
            await phone.close()
            raise
        return phone

    @property
    def address(self) -> Address:
        return self.host, self.port

    @property
    def uri(self) -> str:
        """The contact to configure for it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        tail = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"sip:{self.name}@{host}:{self.port}{tail}"

    # --- facts ---

    async def expect(self, name: str, within: float | None = None, **details: object) -> Fact:
        """Wait for a fact nobody has taken yet whose details are these."""
        end = deadline(within)
        while True:
            for number, fact in enumerate(self.facts):
                fits = fact.name == name and all(fact.details.get(k) == v for k, v in details.items())
                if fits and number not in self._used:
                    self._used.add(number)
                    return fact
            self._news.clear()
            try:
                async with asyncio.timeout(max(0.0, end - asyncio.get_running_loop().time())):
                    await self._news.wait()
            except TimeoutError:
                limit = PATIENCE if within is None else within
                raise AssertionError(
                    f"{self.name}: no {name} {details} within {limit:g} s\n{self.describe()}"
                ) from None

    async def rings(self, within: float | None = None) -> Fact:
        """Wait for a call; the fact has `call` and `sip`, the INVITE."""
        return await self.expect("incoming", within)

    async def state(self, state: str, within: float | None = None) -> Fact:
        """Wait for a call state: calling, incoming, early, connecting, confirmed, disconnected."""
        return await self.expect("state", within, state=state)

    async def ended(self, within: float | None = None) -> Fact:
        """Wait for the end of a call; the fact has `status` and `reason`."""
        return await self.state("disconnected", within)

    @property
    def digits(self) -> str:
        """Keys received, by whatever method."""
        return "".join(f.digit for f in self.facts if f.name == "digit")

    async def hears(self, tone: float, within: float | None = None) -> None:
        """Wait until it clearly hears a tone."""
        end = deadline(within)
        while (heard := await self.do("heard", frequency=tone))["share"] < CLEAR:
            assert asyncio.get_running_loop().time() < end, f"{self.name} hears {heard}, not {tone:g} Hz"
            await asyncio.sleep(0.05)

    async def hears_nothing(self, within: float | None = None) -> None:
        """Wait until it hears silence."""
        end = deadline(within)
        while (heard := await self.do("heard", frequency=1000))["loudness"] > 60:
            assert asyncio.get_running_loop().time() < end, f"{self.name} hears {heard}, not silence"
            await asyncio.sleep(0.05)

    # --- commands ---

    async def do(self, verb: str, **details: object) -> Any:
        """Any command of the child (see `Phone` there); returns its result. AssertionError when PJSIP refuses."""
        number = next(self._numbers)
        future = self._answers[number] = asyncio.get_running_loop().create_future()
        pipe = self.child.process.stdin
        assert pipe
        pipe.write(json.dumps({"do": verb, "number": number, **details}).encode() + b"\n")
        pipe.flush()
        return await asyncio.wait_for(future, PATIENCE)

    @property
    def call(self) -> int:
        """The newest call."""
        return next(int(f.call) for f in reversed(self.facts) if f.name in ("incoming", "state"))

    async def register(
        self, registrar: str, user: str = "", password: str = "", *, expires: int = 300, status: int = 200
    ) -> None:
        """Register at a URI, or leave (`expires` 0), and wait for the answer."""
        await self.do("register", registrar=registrar, user=user or self.name, password=password, expires=expires)
        await self.expect("registration", status=status)

    async def reply(self, status: int, call: int | None = None, headers: dict[str, str] | None = None) -> None:
        """Answer the newest call (180, 183, 200, 486 ...)."""
        await self.do("reply", call=self.call if call is None else call, status=status, headers=headers)

    async def dial(self, uri: str, headers: dict[str, str] | None = None) -> int:
        """Place a call; returns its number."""
        return int(await self.do("dial", uri=uri, headers=headers))

    async def hang_up(self, call: int | None = None, status: int = 0) -> None:
        await self.do("hang_up", call=self.call if call is None else call, status=status)

    async def hold(self, call: int | None = None) -> None:
        await self.do("hold", call=self.call if call is None else call)

    async def resume(self, call: int | None = None) -> None:
        await self.do("resume", call=self.call if call is None else call)

    async def refer(self, to: str, call: int | None = None, headers: dict[str, str] | None = None) -> None:
        """Transfer a call to a URI; what comes of it are facts `transfer` with `status` and `final`."""
        await self.do("refer", call=self.call if call is None else call, to=to, headers=headers)

    async def join(self, call: int, other: int) -> None:
        """Transfer a call to the far end of another one (attended)."""
        await self.do("join", call=call, other=other)

    async def press(self, digits: str, method: Literal["rfc4733", "info"] = "rfc4733") -> None:
        """Send keys in the newest call."""
        await self.do("press", call=self.call, digits=digits, method=method)

    async def sing(self, tone: float | None) -> None:
        """Change the frequency it sends; None is silence."""
        await self.do("sing", tone=tone)
        self.tone = tone or 0.0

    async def play(self, file: Path) -> None:
        """Send a WAV file (8 kHz, 16 bit, mono) instead of the tone."""
        await self.do("play", file=str(file))

    async def media(self) -> dict[str, Any]:
        """Codec and addresses of the newest call's audio."""
        return dict(await self.do("media", call=self.call))

    async def close(self) -> None:
        """End its calls and the process."""
        if self.child.alive and self.child.process.stdin:
            self.child.process.stdin.close()  # the child takes the end of its input as "quit"
            try:
                await self.child.ended(5)
            except AssertionError:
                self.child.kill()
        await self.child.aclose()
        if self._reader:
            await self._reader

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def describe(self) -> str:
        """What a failed test should print."""
        facts = "\n".join(f"  {f.name} { {k: v for k, v in f.details.items() if k != 'message'} }" for f in self.facts)
        return f"{self.name} {self.transport} {self.host}:{self.port}\n{facts}\n{self.child.log()[-2000:]}"

    async def _read(self) -> None:
        pipe = self.child.process.stdout
        assert pipe
        while line := await asyncio.to_thread(pipe.readline):
            details = json.loads(line)
            name = details.pop("fact")
            if name in ("done", "failed"):
                future = self._answers.pop(details["number"])
                if name == "done" and not future.done():
                    future.set_result(details["result"])
                elif not future.done():
                    future.set_exception(AssertionError(f"{self.name}: {details['why']}"))
                continue
            self.facts.append(Fact(name, details))
            self._news.set()
        for future in self._answers.values():
            if not future.done():
                future.set_exception(AssertionError(f"{self.name} ended\n{self.describe()}"))
