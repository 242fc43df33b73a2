"""The examples of docs/trunks.md are a configuration without mistakes."""

import re
from pathlib import Path

from b2bua.settings import load

PAGE = Path(__file__).parents[3] / "docs" / "trunks.md"


def test_the_blocks_make_one_configuration(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "tandem.toml"
    file.write_text("\n".join(blocks), encoding="utf-8")
    settings = load(file, {})
    assert [member.name for member in settings.trunk_groups["germany"].parsed] == ["north", "south"]
    assert settings.trunks["south"].hosts == ["sip.south.example"]
    assert settings.trunks["cloud"].registers
    assert settings.trunks["partner"].answer_to(503) == 500
    assert settings.trunks["partner"].incoming_headers.passed_on([("x-customer", "1"), ("x-internal-id", "2")]) == (
        ("X-Account", "1"),
    )
