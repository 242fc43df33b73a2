"""A PJSIP end point with our C in front, in its own process: commands as JSON on stdin, facts as JSON on stdout.

Calls to the user `ring` stay ringing, all others are answered. Started by `stack.py` only.
"""

import base64
import ctypes
import json
import os
import select
import sys
from collections.abc import Callable
from typing import Any

import pjsua2 as pj

from b2bua.sip.gate import Asked, Gate


def tell(fact: str, **details: object) -> None:
    sys.stdout.write(json.dumps({"fact": fact, **details}) + "\n")
    sys.stdout.flush()


def mistake(asked: Asked) -> None:
    raise ZeroDivisionError(asked.method)


def readable(result: Any) -> Any:
    """Octets as text, which is what facts can carry."""
    if isinstance(result, tuple):
        return [base64.b64encode(one).decode() if isinstance(one, bytes) else one for one in result]
    return result


class Leg(pj.Call):
    """Tells its state and its digits; its sound comes and goes over our own sockets' threads."""

    def onCreateMediaTransport(self, prm: Any) -> None:
        if status := pj.tandem_guard(int(prm.mediaTp), stack.rule, "127.0.0.1"):
            tell("unguarded", status=status)

    def onCallState(self, prm: Any) -> None:
        info = self.getInfo()
        tell("state", sip_call_id=info.callIdString, state=info.stateText, status=info.lastStatusCode)
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            stack.dead.append(stack.legs.pop(info.id))  # not freed inside its own call-back

    def onDtmfDigit(self, prm: Any) -> None:
        tell("digit", digit=prm.digit)


class Listener(pj.Account):
    """Answers, or rings for ever."""

    def onIncomingCall(self, prm: Any) -> None:
        stack.legs[prm.callId] = leg = Leg(self, prm.callId)
        ring = prm.rdata.wholeMsg.startswith("INVITE sip:ring@")
        stack.later.append((leg, 180 if ring else 200))


class Stack:
    """One thread polls PJSIP and obeys, as in the server."""

    def __init__(self) -> None:
        self.legs: dict[int, Leg] = {}
        self.dead: list[Leg] = []
        self.later: list[tuple[Leg, int]] = []
        self.draining = True
        self.gate: Gate | None = None
        "What waits for a decision goes to it, and so into a mistake of ours."
        self.running = True
        self.rule = pj.tandem_source_rule((), 1, 1, 0, 500)

    def start(self) -> None:
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.maxCalls = 64
        config.logConfig.level = config.logConfig.consoleLevel = int(os.environ.get("TANDEM_TEST_LOG", "0"))
        config.medConfig.ecTailLen = 0
        config.medConfig.maxMediaPorts = 4000  # tables of several pages, as in the server
        self.endpoint = pj.Endpoint()
        self.endpoint.libCreate()
        self.endpoint.libInit(config)
        before = pj.tandem_native_start()
        again = pj.tandem_native_start()
        transport = pj.TransportConfig()
        transport.boundAddress = "127.0.0.1"
        udp = self.endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        tcp = self.endpoint.transportCreate(pj.PJSIP_TRANSPORT_TCP, transport)
        self.endpoint.libStart()
        self.endpoint.audDevManager().setNullDev()
        account = pj.AccountConfig()
        account.idUri = "sip:stack@127.0.0.1"
        account.sipConfig.transportId = udp
        account.callConfig.prackUse = 2
        account.mediaConfig.ipv6Use = pj.PJSUA_IPV6_DISABLED  # else each call looks the machine's own name up
        account.mediaConfig.srtpUse = pj.PJMEDIA_SRTP_OPTIONAL
        account.mediaConfig.srtpSecureSignaling = 0
        self.account = Listener()
        self.account.create(account)
        ports = [int(self.endpoint.transportGetInfo(t).localName.rpartition(":")[2]) for t in (udp, tcp)]
        tell(
            "ready",
            ports=ports,
            started=[before, again],
            fd=pj.tandem_ioqueue_fd(),
            build=json.loads(pj.tandem_build()),
        )

    def run(self) -> None:
        fd = pj.tandem_ioqueue_fd()
        pending = b""
        while self.running:
            readable = select.select([fd, 0], [], [], 0.01)[0]
            self.endpoint.libHandleEvents(0)
            pj.tandem_gate_tick()
            self.dead.clear()
            while self.later:
                self.answer(*self.later.pop(0))
            while self.draining and pj.tandem_pending():
                call_id, uas, method, message = pj.tandem_next_request()
                tell(
                    "passed up", sip_call_id=call_id, uas=uas, method=method, message=base64.b64encode(message).decode()
                )
            if self.gate is not None:
                self.serve(self.gate)
            while (asked := pj.tandem_asked_next()) is not None:
                handle, method, listener, source, port, kind, message = asked
                told = base64.b64encode(message).decode()
                tell(
                    "asked",
                    handle=handle,
                    method=method,
                    listener=listener,
                    source=source,
                    port=port,
                    kind=kind,
                    message=told,
                )
            if 0 in readable:
                data = os.read(0, 65536)
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    self.obey(json.loads(line))
                if not data:
                    break
        self.endpoint.hangupAllCalls()
        for _ in range(300):
            if self.legs:
                self.endpoint.libHandleEvents(10)
        self.legs.clear()  # no Call may outlive its slot
        self.dead.clear()
        self.endpoint.libDestroy()

    def answer(self, leg: Leg, status: int) -> None:
        answer = pj.CallOpParam(True)
        answer.statusCode = status
        try:
            leg.answer(answer)
        except pj.Error as error:
            tell("not answered", reason=error.reason)  # its CANCEL or a media error came first

    def serve(self, gate: Gate) -> None:
        try:
            gate.serve()
        except ZeroDivisionError:
            tell("mistake")

    def decide(self, command: dict[str, Any]) -> int:
        handle = command["handle"]
        match command["how"]:
            case "admit":
                return pj.tandem_asked_admit(handle)
            case "drop":
                return pj.tandem_asked_drop(handle)
        headers = tuple((name, value) for name, value in command.get("headers", ()))
        return pj.tandem_asked_answer(handle, command["code"], command.get("reason", ""), headers)

    def decider(self, answer: list[Any]) -> Callable[[str, bool, str, bytes], Any]:
        """What is asked about each REFER; an answer that is no (status, news) is a mistake of ours."""

        def decide(call_id: str, we_are_uas: bool, source: str, raw: bytes) -> Any:
            tell("refer", call_id=call_id, uas=we_are_uas, source=source, message=base64.b64encode(raw).decode())
            return tuple(answer)

        return decide

    def traced(self, call_ids: list[bytes]) -> list[dict[str, Any]]:
        """What the trace has of these calls."""
        found: list[dict[str, Any]] = []
        place, more = 0, 1
        while more:
            rows, place, more = pj.tandem_trace_read(tuple(call_ids), place)
            for time, sent, transport, local, here, remote, there, message in rows:
                told = base64.b64encode(message).decode()
                ends = [list(local), here, list(remote), there]
                found.append({"time": time, "sent": sent, "transport": transport, "ends": ends, "message": told})
        return found

    def obey(self, command: dict[str, Any]) -> None:
        match command["do"]:
            case "trace":
                tell("done", result=[pj.tandem_trace(command["octets"], command["seconds"]), *pj.tandem_trace_state()])
            case "refusal_cost":
                tell("done", result=pj.tandem_refusal_cost())
            case "rate":
                pj.tandem_admission_rate(command["rate"], command["burst"])
                tell("done", result=None)
            case "emergency":
                tell("done", result=pj.tandem_emergency(tuple(command["numbers"])))
            case "traced":
                tell("done", result=self.traced([one.encode() for one in command["call_ids"]]))
            case "counters":
                tell("done", result=pj.tandem_counters())
            case "legs":
                tell("done", result=len(self.legs))
            case "admit":
                pj.tandem_admission(command["legs"], command["retry_after"])
                tell("done", result=None)
            case "drain":
                self.draining = command["on"]
                tell("done", result=pj.tandem_pending())
            case "dial":
                leg = Leg(self.account)
                leg.makeCall(command["uri"], pj.CallOpParam(True))
                self.legs[leg.getId()] = leg
                tell("done", result=leg.getInfo().callIdString)
            case "listener":
                place = pj.tandem_gate_listener(
                    command["transport"], "127.0.0.1", command["port"], command["strangers"]
                )
                added = [pj.tandem_gate_network(place, *network) for network in command.get("networks", ())]
                tell("done", result=[place, *added])
            case "gate":  # any of the gate's functions, by name
                given = [tuple(v) if isinstance(v, list) else v for v in command["arguments"]]
                tell("done", result=getattr(pj, f"tandem_gate_{command['call']}")(*given))
            case "mistake":
                self.gate = Gate() if command["on"] else None
                if self.gate is not None:
                    self.gate.decide = mistake
                tell("done", result=None)
            case "decide":
                tell("done", result=self.decide(command))
            case "refer":
                pj.tandem_on_refer(self.decider(command["answer"]) if command["answer"] is not None else None)
                tell("done", result=None)
            case "leg":
                ids = [number for number, leg in self.legs.items() if leg.getInfo().callIdString == command["call_id"]]
                tell("done", result=ids[0] if ids else -1)
            case "dial_key":
                self.legs[command["leg"]].dialDtmf(command["key"])
                tell("done", result=None)
            case "mix":  # through the conference, from one leg to another
                source, sink = (self.legs[n].getAudioMedia(-1) for n in command["legs"])
                source.startTransmit(sink)
                tell("done", result=None)
            case "sound":  # any of the functions about legs' sound, by name
                given = [[tuple(one) for one in v] if isinstance(v, list) else v for v in command["arguments"]]
                result = getattr(pj, f"tandem_{command['call']}")(*given)
                tell("done", result=readable(result))
            case "oldest":  # age of its last packet in so many looks at a leg, as fast as can be
                looks = (pj.tandem_leg_sound(command["leg"]) for _ in range(command["looks"]))
                tell("done", result=max(look[13] for look in looks if look is not None))
            case "asked_of_srtp":  # how often it was, where a test has put a counter in front of it
                tell("done", result=ctypes.c_int.in_dll(ctypes.CDLL(None), "asked_of_srtp").value)
            case "descriptors":
                tell("done", result=len(os.listdir("/proc/self/fd")))
            case "role":
                tell("done", result=pj.tandem_dialog_role(*command["names"]))
            case "restart":
                tell("done", result=[pj.tandem_native_stop(), pj.tandem_native_stop(), pj.tandem_native_start()])
            case "quit":
                self.running = False


if __name__ == "__main__":
    stack = Stack()
    stack.start()
    stack.run()
    os._exit(0)  # the wrapper's own clean-up after libDestroy is not what is tested
