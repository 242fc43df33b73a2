"""Whose codecs a leg has, and what reaches PJSIP of the configuration."""

import json
import subprocess
import sys
from pathlib import Path

CHILD = """
import json, sys
from pathlib import Path
import pjsua2 as pj
from b2bua.settings import load
from b2bua.sip.engine.codecs import Codecs

endpoint = pj.Endpoint()
pj.tandem_log_level(0)
endpoint.libCreate()
config = pj.EpConfig()
config.logConfig.level = config.logConfig.consoleLevel = 0
endpoint.libInit(config)
first, second = (load(Path(path), {}) for path in sys.argv[1:3])
codecs = Codecs(endpoint, first)

def enabled():
    found = [(c.priority, c.codecId) for c in endpoint.codecEnum2() if c.priority]
    return [name.partition("/")[0] for _, name in sorted(found, reverse=True)]

def told():
    return [codecs.of("north", "out"), codecs.of("south", "out"), codecs.of(None, "in"), codecs.of("gone", "out")]

before = [enabled(), told()]
codecs.renew(second)
after = [enabled(), told()]
opus = endpoint.getCodecOpusConfig()
print(json.dumps([before, after, [opus.sample_rate, opus.channel_cnt, opus.bit_rate, opus.packet_loss]]), flush=True)
import os
os._exit(0)
"""

FILE = """
[media]
codecs = ["PCMA", "PCMU"]
clock_rate = 16000
[listeners.out]
side = "outside"
address = "127.0.0.1"
[listeners.in]
side = "inside"
address = "127.0.0.1"
port = 5070
{inside}
[trunks.north]
listener = "out"
addresses = ["192.0.2.1"]
{north}
[trunks.south]
listener = "out"
addresses = ["192.0.2.2"]
dtmf = "info"
"""


def test_lists_are_the_trunks_the_listeners_or_those_of_all(tmp_path: Path) -> None:
    """A leg without a list of its own goes by what all have (-1) until somebody else's makes that longer; without
    telephone-event it needs a list; Opus has the conference's rate, is mono and prepared for loss."""
    files = [tmp_path / "first.toml", tmp_path / "second.toml"]
    files[0].write_text(FILE.format(inside="", north=""))
    files[1].write_text(FILE.format(inside='codecs = ["opus", "G722"]\ndtmf = "auto-info"', north='codecs = ["PCMA"]'))
    done = subprocess.run([sys.executable, "-c", CHILD, *map(str, files)], capture_output=True, text=True, check=True)
    before, after, opus = json.loads(done.stdout.splitlines()[-1])
    assert before[0] == ["PCMA", "PCMU"]
    assert before[1] == [[-1, "auto"], [0, "info"], [-1, "auto"], [-1, "auto"]]
    assert after[0] == ["PCMA", "PCMU", "opus", "G722"]
    north, south, phones, gone = after[1]
    assert [north[1], south, phones[1], gone[1]] == ["auto", [0, "info"], "auto-info", "auto"]
    assert len({north[0], south[0], phones[0], gone[0]}) == 4
    assert min(north[0], south[0], phones[0], gone[0]) >= 0
    assert opus == [16000, 1, 24000, 5]
