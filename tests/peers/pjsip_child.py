"""The PJSIP phone's own process: JSON commands on stdin, JSON facts on stdout. Started by `pjsip_phone.py` only.

A process of its own, because PJSIP knows one endpoint a process and the test's event loop must not share it.
"""

import json
import os
import select
import sys
import time
from typing import Any

import numpy as np
import pjsua2 as pj

from tests.peers import sound

RATE = 8000
KEEP = 100
"Frames (20 ms) remembered to tell what is heard."


FACTS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # PJSIP writes its first log lines to stdout, whatever it is told later


def tell(fact: str, **details: object) -> None:
    """One fact for the test, at once."""
    FACTS.write(json.dumps({"fact": fact, **details}) + "\n")
    FACTS.flush()


class Ear(pj.AudioMediaPort):
    """Keeps the last two seconds of what the phone hears; its frames come on a thread of PJMEDIA."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[bytes] = []
        form = pj.MediaFormatAudio()
        form.init(pj.PJMEDIA_FORMAT_PCM, RATE, 1, 20000, 16)
        self.createPort("ear", form)

    def onFrameReceived(self, frame: Any) -> None:
        self.frames.append(bytes(frame.buf))
        del self.frames[:-KEEP]

    def samples(self, last: float) -> sound.Pcm:
        """The last seconds as one array."""
        frames = self.frames[-int(last / 0.02) :]
        return np.frombuffer(b"".join(frames), np.int16) if frames else np.zeros(0, np.int16)


class Line(pj.Call):
    """One call of the phone."""

    phone: "Phone"

    def onCallState(self, prm: Any) -> None:
        info = self.getInfo()
        event = prm.e.body.tsxState if prm.e.type == pj.PJSIP_EVENT_TSX_STATE else None
        # Only of a received message; reading rdata of any other event is a crash.
        message = event.src.rdata.wholeMsg if event and event.type == pj.PJSIP_EVENT_RX_MSG else ""
        tell(
            "state",
            call=info.id,
            state=info.stateText.lower(),
            status=info.lastStatusCode,
            reason=info.lastReason,
            message=message,
        )
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.phone.gone(self)

    def onCallMediaState(self, prm: Any) -> None:
        info = self.getInfo()
        for index, media in enumerate(info.media):
            if media.type != pj.PJMEDIA_TYPE_AUDIO:
                continue
            tell("media", call=info.id, status=MEDIA.get(media.status, str(media.status)), direction=media.dir)
            if media.status in (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD):
                port = self.getAudioMedia(index)
                port.startTransmit(self.phone.ear)
                self.phone.voice.startTransmit(port)

    def onCallTransferStatus(self, prm: Any) -> None:
        tell("transfer", call=self.getId(), status=prm.statusCode, reason=prm.reason, final=bool(prm.finalNotify))

    def onDtmfDigit(self, prm: Any) -> None:
        tell("digit", digit=prm.digit, method="rfc4733" if prm.method == pj.PJSUA_DTMF_METHOD_RFC2833 else "info")

    def onStreamDestroyed(self, prm: Any) -> None:
        statistics = self.getStreamStat(prm.streamIdx).rtcp
        tell("stream", received=statistics.rxStat.pkt, lost=statistics.rxStat.loss, sent=statistics.txStat.pkt)


MEDIA = {
    pj.PJSUA_CALL_MEDIA_NONE: "none",
    pj.PJSUA_CALL_MEDIA_ACTIVE: "active",
    pj.PJSUA_CALL_MEDIA_LOCAL_HOLD: "local hold",
    pj.PJSUA_CALL_MEDIA_REMOTE_HOLD: "remote hold",
    pj.PJSUA_CALL_MEDIA_ERROR: "error",
}


class Identity(pj.Account):
    """The phone's one account."""

    phone: "Phone"

    def onRegState(self, prm: Any) -> None:
        tell("registration", status=prm.code, expires=prm.expiration)

    def onIncomingCall(self, prm: Any) -> None:
        line = Line(self, prm.callId)
        line.phone = self.phone
        self.phone.lines[prm.callId] = line
        tell("incoming", call=prm.callId, message=prm.rdata.wholeMsg)
        if self.phone.options["answer"]:
            self.phone.reply(line, int(self.phone.options["answer"]))


class Phone:
    """Reads commands, runs PJSIP, tells facts; everything but the ear is on this one thread."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.lines: dict[int, Line] = {}
        self.dead: list[Line] = []
        self.running = True
        self.endpoint = pj.Endpoint()
        self.endpoint.libCreate()
        self.endpoint.libInit(self._configuration())
        transport = pj.TransportConfig()
        transport.port, transport.boundAddress = options["port"], options["host"]
        if options["certificate"]:
            transport.tlsConfig.certFile = options["certificate"]
            transport.tlsConfig.privKeyFile = options["key"]
            transport.tlsConfig.CaListFile = options["ca"]
            transport.tlsConfig.verifyServer = bool(options["ca"])
        self.transport = self.endpoint.transportCreate(
            TRANSPORTS[options["transport"], ":" in options["host"]], transport
        )
        self.endpoint.libStart()
        self.endpoint.audDevManager().setNullDev()
        for codec in self.endpoint.codecEnum2():
            name = codec.codecId.partition("/")[0].upper()
            wanted = options["codecs"].index(name) if name in options["codecs"] else None
            self.endpoint.codecSetPriority(codec.codecId, 0 if wanted is None else 250 - wanted)
        self.ear = Ear()
        self.voice = pj.ToneGenerator()
        self.voice.createToneGenerator(RATE, 1)
        self.sing(options["tone"])
        self.account = Identity()
        self.account.phone = self
        self.account.create(self._account())
        tell("ready", pid=os.getpid())

    def _configuration(self) -> Any:
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.maxCalls = 64
        config.uaConfig.userAgent = "pjsip-phone"
        config.medConfig.clockRate = config.medConfig.sndClockRate = RATE
        config.medConfig.noVad = not self.options["vad"]
        config.medConfig.ecTailLen = 0
        config.logConfig.level, config.logConfig.consoleLevel = 4, 0
        config.logConfig.filename = self.options["log"]
        return config

    def _account(self) -> Any:
        options, config = self.options, pj.AccountConfig()
        host = f"[{options['host']}]" if ":" in options["host"] else options["host"]
        config.idUri = f"sip:{options['name']}@{host}:{options['port']}"
        config.sipConfig.transportId = self.transport
        config.callConfig.prackUse = {"off": 0, "required": 1, "optional": 2}[options["rel100"]]
        config.callConfig.timerUse = {"off": 0, "optional": 1, "required": 2, "always": 3}[options["timer"]]
        config.callConfig.timerMinSESec = options["min_se"]
        config.callConfig.timerSessExpiresSec = options["session_expires"]
        config.mediaConfig.srtpUse = {"off": 0, "optional": 1, "required": 2}[options["srtp"]]
        config.mediaConfig.srtpSecureSignaling = 0
        keyings = pj.IntVector()
        for keying in options["keys"]:
            keyings.push_back({"sdes": pj.PJMEDIA_SRTP_KEYING_SDES, "dtls": pj.PJMEDIA_SRTP_KEYING_DTLS_SRTP}[keying])
        config.mediaConfig.srtpOpt.keyings = keyings
        config.mediaConfig.lockCodecEnabled = False
        config.mediaConfig.transportConfig.port = options["rtp_port"]
        config.mediaConfig.transportConfig.portRange = options["rtp_range"]
        config.mediaConfig.transportConfig.boundAddress = options["host"]
        if ":" in options["host"]:
            config.mediaConfig.ipv6Use = pj.PJSUA_IPV6_ENABLED_USE_IPV6_ONLY
        config.natConfig.contactRewriteUse = 0
        return config

    # --- commands ---

    def obey(self, command: dict[str, Any]) -> object:
        """Do one command; what it returns is told to the test."""
        verb = command.pop("do")
        call = command.pop("call", None)
        if call is not None:
            command["line"] = self.lines[call]
        result: object = getattr(self, verb)(**command)
        return result

    def reply(self, line: Line, status: int, headers: dict[str, str] | None = None) -> None:
        prm = pj.CallOpParam(True)
        prm.statusCode = status
        prm.opt.videoCount, prm.opt.textCount = 0, 0
        add_headers(prm, headers)
        line.answer(prm) if status < 300 else line.hangup(prm)

    def dial(self, uri: str, headers: dict[str, str] | None = None) -> int:
        prm = pj.CallOpParam(True)
        prm.opt.videoCount, prm.opt.textCount = 0, 0
        add_headers(prm, headers)
        line = Line(self.account)
        line.phone = self
        line.makeCall(uri, prm)
        number = int(line.getId())
        self.lines[number] = line
        return number

    def hang_up(self, line: Line, status: int = 0) -> None:
        prm = pj.CallOpParam()
        prm.statusCode = status
        line.hangup(prm)

    def hold(self, line: Line) -> None:
        line.setHold(pj.CallOpParam(True))

    def resume(self, line: Line) -> None:
        prm = pj.CallOpParam(True)
        prm.opt.flag = pj.PJSUA_CALL_UNHOLD
        prm.opt.videoCount, prm.opt.textCount = 0, 0
        line.reinvite(prm)

    def refer(self, line: Line, to: str, headers: dict[str, str] | None = None) -> None:
        """Ask the other side to call `to`."""
        prm = pj.CallOpParam()
        add_headers(prm, headers)
        line.xfer(to, prm)

    def join(self, line: Line, other: int) -> None:
        """Ask the other side to call whoever is at the far end of another call of ours."""
        line.xferReplaces(self.lines[other], pj.CallOpParam())

    def press(self, line: Line, digits: str, method: str = "rfc4733") -> None:
        prm = pj.CallSendDtmfParam()
        prm.digits = digits
        prm.duration = 160
        prm.method = pj.PJSUA_DTMF_METHOD_RFC2833 if method == "rfc4733" else pj.PJSUA_DTMF_METHOD_SIP_INFO
        line.sendDtmf(prm)

    def sing(self, tone: float | None) -> None:
        """Send this frequency for ever; None is silence."""
        self.voice.stop()
        if tone:
            description = pj.ToneDesc()
            description.freq1, description.freq2 = int(tone), 0
            description.on_msec, description.off_msec, description.volume = 1000, 0, 8000
            tones = pj.ToneDescVector()
            tones.append(description)
            self.voice.play(tones, True)

    def play(self, file: str) -> None:
        """Send a WAV file (8 kHz, 16 bit, mono) for ever instead of the tone."""
        self.voice.stop()
        self.player = pj.AudioMediaPlayer()
        self.player.createPlayer(file)
        for line in self.lines.values():
            self.player.startTransmit(line.getAudioMedia(-1))

    def heard(self, frequency: float, last: float = 0.48) -> dict[str, float]:
        samples = self.ear.samples(last)
        return {
            "share": sound.share(samples, frequency),
            "strongest": sound.strongest(samples),
            "loudness": sound.loudness(samples),
        }

    def media(self, line: Line) -> dict[str, object]:
        """Codec, other end and SRTP of the audio."""
        stream, transport = line.getStreamInfo(0), line.getMedTransportInfo(0)
        return {
            "codec": stream.codecName,
            "remote": stream.remoteRtpAddress,
            "local": transport.localRtpName,
            "source": transport.srcRtpName,
            "protocol": stream.proto,
        }

    def dump(self, line: Line) -> str:
        """PJSIP's own description of the call, SRTP included."""
        return str(line.dump(True, "  "))

    def register(self, registrar: str, user: str, password: str, expires: int, realm: str = "*") -> None:
        """Register from now on, and show credentials whenever they are asked for; expires 0: no longer."""
        if not expires:
            self.account.setRegistration(False)
            return
        config = self._account()
        config.idUri = f"sip:{user}@{registrar.partition(':')[2].partition(';')[0]}"
        config.regConfig.registrarUri = registrar
        config.regConfig.timeoutSec = expires
        config.regConfig.dropCallsOnFail = False
        config.regConfig.retryIntervalSec = 0
        config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", realm, user, 0, password))
        self.account.modify(config)  # which registers

    def quit(self) -> None:
        self.running = False

    def gone(self, line: Line) -> None:
        """The call is over: its object must outlive the call-back that says so."""
        for number, other in list(self.lines.items()):
            if other is line:
                self.dead.append(self.lines.pop(number))

    # --- the loop ---

    def run(self) -> None:
        pending = b""
        while self.running:
            self.endpoint.libHandleEvents(5)
            self.dead.clear()
            while self.running and select.select([0], [], [], 0)[0]:
                data = os.read(0, 65536)
                if not data:
                    self.running = False
                    break
                *lines, pending = (pending + data).split(b"\n")
                for text in lines:
                    self._one(json.loads(text))
        self.endpoint.hangupAllCalls()
        end = time.monotonic() + 1
        while self.lines and time.monotonic() < end:
            self.endpoint.libHandleEvents(10)

    def _one(self, command: dict[str, Any]) -> None:
        number = command.pop("number")
        try:
            tell("done", number=number, result=self.obey(command))
        except KeyError as error:
            tell("failed", number=number, why=f"no call {error}")
        except pj.Error as error:
            tell("failed", number=number, why=error.info())


TRANSPORTS = {
    ("udp", False): pj.PJSIP_TRANSPORT_UDP,
    ("tcp", False): pj.PJSIP_TRANSPORT_TCP,
    ("tls", False): pj.PJSIP_TRANSPORT_TLS,
    ("udp", True): pj.PJSIP_TRANSPORT_UDP6,
    ("tcp", True): pj.PJSIP_TRANSPORT_TCP6,
    ("tls", True): pj.PJSIP_TRANSPORT_TLS6,
}


def add_headers(prm: Any, headers: dict[str, str] | None) -> None:
    """Extra headers of a request or reply."""
    for name, value in (headers or {}).items():
        header = pj.SipHeader()
        header.hName, header.hValue = name, value
        prm.txOption.headers.append(header)


if __name__ == "__main__":
    try:
        Phone(json.loads(sys.argv[1])).run()
    except pj.Error as error:
        sys.exit(str(error.info()))
    os._exit(0)  # libDestroy takes a second, and its clean-up is not what is tested
