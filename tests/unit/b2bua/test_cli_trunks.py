"""`tandem trunks` beside a server's real API."""

import json

from tests.unit.b2bua.conftest import Tandem
from tests.unit.web.server import Api


async def test_trunks_are_shown_and_taken_out_of_service(tandem: Tandem, server: Api) -> None:
    listed = (await tandem("trunks", "list")).stdout
    assert "carrier" in listed
    assert "inbound" in listed
    assert "no new calls" in (await tandem("trunks", "maintenance", "carrier", "on")).stdout
    shown = json.loads((await tandem("trunks", "list", "--json")).stdout)["trunks"]
    assert {trunk["name"]: trunk["maintenance"] for trunk in shown} == {"carrier": True, "other": False, "wide": False}
    assert server.node.trunks.lines["carrier"].maintenance
    assert "maintenance" in (await tandem("trunks", "show", "carrier")).stdout
    assert json.loads((await tandem("trunks", "show", "carrier", "--json")).stdout)["state"] == "inbound"
    assert "as usual" in (await tandem("trunks", "maintenance", "carrier", "off")).stdout
    assert "neither on nor off" in (await tandem("trunks", "maintenance", "carrier", "maybe", fails=True)).output
    assert "nowhere" in (await tandem("trunks", "maintenance", "nowhere", "on", fails=True)).output
    assert (await tandem("trunks", "list", key="acme", fails=True)).exit_code == 1
