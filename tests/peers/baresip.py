"""baresip as an agent's phone: a third SIP stack, with a configuration folder and a control socket of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import struct
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from tests.peers import sound
from tests.peers.ports import PORTS
from tests.peers.process import Child
from tests.peers.rtp import CLEAR, TONES, WINDOW
from tests.peers.waiting import deadline, eventually
from tests.peers.wire import Address

MODULES = Path("/usr/lib/baresip/modules")
LONGEST = 120
"Seconds of tone in the file it plays."

OTHER_CODECS = {"g722": 16000, "opus": 48000, "gsm": 8000}
"Codecs beside G.711, and the samples a second that they take."

CONFIGURATION = """\
sip_listen {host}:{port}
module_path {modules}
module g711.so
{codecs}module aufile.so
module aubridge.so
module sndfile.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
rtp_ports {rtp}-{rtp_last}
audio_source aufile,{tone}
audio_player aubridge,sink
audio_alert aubridge,alert
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels 1
auplay_channels 1
snd_path {folder}
"""


class Baresip:
    """`async with await Baresip.open(folder) as phone`: it answers every call unless `answer=False`."""

    def __init__(self, child: Child, folder: Path, name: str, address: Address, tone: float) -> None:
        self.child, self.folder, self.name, self.address, self.tone = child, folder, name, address, tone
        self.events: list[dict[str, Any]] = []
        "What its control socket told: types such as CALL_INCOMING, CALL_ESTABLISHED, CALL_CLOSED."
        self._taken: set[int] = set()
        self._rate = sound.RATE
        "Samples a second of what it decodes."
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        folder: Path,
        name: str = "baresip",
        *,
        host: str = "127.0.0.1",
        answer: bool = True,
        codecs: Sequence[str] = ("PCMA", "PCMU"),
        tone: float | None = None,
        registrar: str = "",
        password: str = "",
        srtp: str = "",
    ) -> Self:
        """Write its configuration, start it, and wait until it listens and can be controlled.

        `registrar` (host:port): where it registers, as its name. `srtp`: how it encrypts sound: `srtp` (SDES where the
        other one has it), `srtp-mand` (SDES or nothing), `dtls_srtp`; else not at all.
        """
        program = shutil.which("baresip")
        assert program, "baresip is missing: package baresip-core"
        folder = folder / name
        folder.mkdir(parents=True)
        tone = next(TONES) if tone is None else tone
        port = PORTS.take(2)  # it takes the one above for TLS, asked or not
        control, rtp = PORTS.take(), PORTS.take(20, even=True)
        names = [c.lower() for c in codecs]
        # at the codec's own rate: a source that baresip has to resample may stay silent for good on a busy machine
        rate = OTHER_CODECS.get(names[0], sound.RATE)
        write_tone(folder / "tone.wav", tone, rate=rate)
        modules = "".join(f"module {n}.so\n" for n in OTHER_CODECS if n in names)
        modules += f"module {srtp.removesuffix('-mand')}.so\n" if srtp else ""
        text = CONFIGURATION.format(
            host=host, port=port, control=control, rtp=rtp, rtp_last=rtp + 19, folder=folder, modules=MODULES,
            codecs=modules, tone=folder / "tone.wav", rate=rate,
        )  # fmt: skip
        (folder / "config").write_text(text)
        mode = "auto" if answer else "manual"
        where = f"{registrar}>;auth_pass={password};regint=60" if registrar else f"{host}:{port}>;regint=0"
        account = f"<sip:{name}@{where};answermode={mode};audio_codecs={','.join(names)}"
        account += f";mediaenc={srtp}\n" if srtp else "\n"
        (folder / "accounts").write_text(account)
        (folder / "contacts").write_text("")
        child = Child([program, "-f", str(folder), "-s", "-4"], folder=folder, log="baresip.log")
        phone = cls(child, folder, name, (host, port), tone)
        try:
            await eventually(
                lambda: child.bound(port) and child.bound(control, "tcp"), f"baresip listens\n{child.log()}"
            )
            reader, phone._writer = await asyncio.open_connection("127.0.0.1", control)
            phone._task = asyncio.create_task(phone._read(reader))
        except BaseException:
            await phone.close()
            raise
        return phone

    @property
    def uri(self) -> str:
        """The contact to configure for it."""
        return f"sip:{self.name}@{self.address[0]}:{self.address[1]}"

    async def expect(self, kind: str, within: float | None = None) -> dict[str, Any]:
        """Wait for an event of this type that nobody has taken yet."""

        def found() -> int | None:
            fits = (n for n, event in enumerate(self.events) if event.get("type") == kind and n not in self._taken)
            return next((n + 1 for n in fits), None)

        number = await eventually(found, f"{kind} at {self.describe()}", within)
        assert number
        self._taken.add(number - 1)
        return self.events[number - 1]

    def command(self, command: str, parameters: str = "") -> None:
        """A command of baresip's menu (accept, hangup, dial, hold, resume, sndcode ...)."""
        assert self._writer
        text = json.dumps({"command": command, "params": parameters}).encode()
        self._writer.write(b"%d:%s," % (len(text), text))

    async def hears(self, tone: float, within: float | None = None) -> None:
        """Wait until it clearly hears a tone."""
        end = deadline(within)
        while (found := sound.share(heard := self.samples(), tone, self._rate)) < CLEAR:
            loudest = sound.strongest(heard, self._rate)
            assert asyncio.get_running_loop().time() < end, f"{tone:g} Hz not heard ({found:.2f}), but {loudest:.0f} Hz"
            await asyncio.sleep(0.05)

    def samples(self, last: float = WINDOW) -> sound.Pcm:
        """The last seconds of what it decoded, from the file its sndfile module is writing."""
        files = sorted(self.folder.glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime)
        whole = files[-1].read_bytes() if files else b""
        data = whole[44:]  # the header is completed at the end of the call only, but for rate and channels
        channels, self._rate = struct.unpack_from("<HI", whole, 22) if data else (1, sound.RATE)
        pcm = np.frombuffer(data[: len(data) // (2 * channels) * 2 * channels], np.int16)[::channels]
        return pcm[-int(last * self._rate) :]

    async def close(self) -> None:
        """End it; calls that are up get a BYE."""
        if self._writer:
            self._writer.close()
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.child.aclose(3)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def describe(self) -> str:
        """What a failed test should print: its events and its log with all SIP messages."""
        return f"{self.name} {self.address}\n{self.events}\n{self.child.log()[-4000:]}"

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                length = int((await reader.readuntil(b":"))[:-1])
                event = json.loads(await reader.readexactly(length))
                await reader.readexactly(1)
                if event.get("event"):
                    self.events.append(event)


def write_tone(path: Path, frequency: float, seconds: float = LONGEST, *, rate: int = sound.RATE) -> Path:
    """A WAV file (16 bit, mono) with a sine."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(sound.tone(frequency, 0, int(seconds * rate), rate=rate).astype("<i2").tobytes())
    return path
