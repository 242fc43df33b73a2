"""The end point that `gate` floods: PJSIP with our C in front, in a process of its own, told on stdin what to do."""

import json
import os
import resource
import select
import sys
from typing import Any

import pjsua2 as pj


def main() -> None:
    """Serve until stdin ends; each line is {"call": function, "arguments": [...]}, and is answered by its result."""
    endpoint = pj.Endpoint()
    pj.tandem_log_level(0)
    endpoint.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt = 0
    config.logConfig.level = config.logConfig.consoleLevel = 0
    endpoint.libInit(config)
    pj.tandem_native_start()
    transport = pj.TransportConfig()
    transport.boundAddress = "127.0.0.1"
    udp = endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    endpoint.libStart()
    port = int(endpoint.transportGetInfo(udp).localName.rpartition(":")[2])
    tell(port)
    fd = pj.tandem_ioqueue_fd()
    while True:
        readable = select.select([fd, 0], [], [], 0.01)[0]
        endpoint.libHandleEvents(0)
        if 0 in readable:
            line = sys.stdin.readline()
            if not line:
                break
            obey(json.loads(line))
    os._exit(0)


def obey(command: dict[str, Any]) -> None:
    """Call what is asked for."""
    if command["call"] == "used":
        used = resource.getrusage(resource.RUSAGE_SELF)
        tell([used.ru_utime + used.ru_stime, pj.tandem_counters()["requests"], pj.tandem_gate_kernel_drops()])
    else:
        tell(getattr(pj, f"tandem_gate_{command['call']}")(*command["arguments"]))


def tell(value: object) -> None:
    """One line."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
