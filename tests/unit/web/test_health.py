"""What machines that watch us may see."""

from pathlib import Path

from starlette.requests import Request

from b2bua.web.health import is_local
from tests.unit.web.server import Api, api


async def test_health_needs_no_key(web: Api) -> None:
    for path in ("/healthz", "/readyz"):
        assert (await web.ask("GET", path, key=None)).status_code == 200


async def test_a_node_that_should_get_no_calls_is_not_ready_and_says_which_part(tmp_path: Path) -> None:
    checks = {"calls": lambda: None, "spool": lambda: "the disk of /var/lib/tandem refuses lines"}
    async with api(tmp_path, checks=checks) as web:
        answer = await web.ask("GET", "/readyz", key=None)
        assert answer.status_code == 503
        assert answer.json() == {"ready": False, "checks": {"calls": "ok", "spool": "failed", "storage": "ok"}}


async def test_metrics_are_for_this_machine_and_for_keys_with_that_right(web: Api) -> None:
    assert "tandem_calls_active" in (await web.ask("GET", "/metrics", key=None)).text
    for name, status in (("metrics", 200), ("operator", 200), ("admin", 200), ("acme", 403), ("listener", 403)):
        assert (await web.ask("GET", "/metrics", key=name)).status_code == status, name
    passed_on = await web.ask("GET", "/metrics", key=None, headers={"X-Forwarded-For": "198.51.100.7"})
    assert passed_on.status_code == 401


def request(address: str | None, *headers: str) -> Request:
    client = None if address is None else (address, 40000)
    return Request({"type": "http", "client": client, "headers": [(name.encode(), b"x") for name in headers]})


def test_only_a_loopback_peer_without_a_proxy_in_front_is_local() -> None:
    assert all(is_local(request(address)) for address in ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"))
    assert not any(is_local(request(address)) for address in ("192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", None, ""))
    assert not any(is_local(request("127.0.0.1", header)) for header in ("forwarded", "x-forwarded-for", "via"))
