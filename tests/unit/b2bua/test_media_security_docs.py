"""The examples of docs/media-security.md are a configuration without mistakes, and say what the page says of them."""

import re
from pathlib import Path

from b2bua.settings import load
from b2bua.sip.engine.profiles import trunk_profiles
from tests.peers.certificates import Authority

PAGE = Path(__file__).parents[3] / "docs" / "media-security.md"
OUTSIDE = '[listeners.outside]\nside = "outside"\naddress = "192.0.2.10"\n'
"The listener that the page's trunks are behind."


def test_the_blocks_make_one_configuration(tmp_path: Path) -> None:
    certificate = Authority(tmp_path / "tls").issue("sip")
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    text = "\n".join([OUTSIDE, *blocks]).replace("/etc/tandem", str(certificate.parent))
    file = tmp_path / "tandem.toml"
    file.write_text(text, encoding="utf-8")
    settings = load(file, {})
    assert settings.listeners["phones"].srtp == "required"
    assert settings.trunks["carrier-a"].media_networks == ["198.51.100.64/27", "203.0.113.0/28"]
    profiles = trunk_profiles(settings)
    assert (profiles["carrier-b"].srtp, tuple(profiles["carrier-b"].srtp_keys)) == ("required", ("dtls",))
    assert profiles["carrier-a"].srtp == "off"
