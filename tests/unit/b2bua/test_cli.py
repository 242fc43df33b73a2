"""The commands that need no server, and what the others say when there is none."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from b2bua.cli import make_app
from b2bua.cli.cdrs import moment
from b2bua.cli.client import local_url, problem
from b2bua.cli.events import as_line
from b2bua.cli.output import text
from b2bua.settings import Settings

Tandem = Callable[..., Result]


@pytest.fixture
def started() -> list[Settings]:
    """The settings of every server that was started."""
    return []


@pytest.fixture
def tandem(started: list[Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tandem:
    """Runs `tandem` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for variable in ("TANDEM_CONFIG", "TANDEM_API_TOKEN", "TANDEM_URL"):
        monkeypatch.delenv(variable, raising=False)
    app = make_app(started.append)

    def run(*arguments: str, **environ: str) -> Result:
        return CliRunner().invoke(app, arguments, env=environ)

    return run


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_serve_starts_the_server_with_the_configuration(tandem: Tandem, started: list[Settings]) -> None:
    Path("tandem.toml").write_text('[node]\nname = "sbc1"\n')
    assert tandem("serve").exit_code == 0
    assert [settings.node.name for settings in started] == ["sbc1"]


def test_serve_without_a_file_starts_on_the_embedded_defaults(tandem: Tandem, started: list[Settings]) -> None:
    assert tandem("serve").exit_code == 0
    assert [settings.file for settings in started] == [None]


def test_serve_does_not_start_with_mistakes_and_tells_all(tandem: Tandem, started: list[Settings]) -> None:
    Path("tandem.toml").write_text("[api]\nport = 0\n[nodes]\n")
    result = tandem("serve")
    assert result.exit_code == 1
    assert started == []
    assert "tandem.toml: api.port: must be at least 1, not 0" in result.stderr
    assert 'tandem.toml: nodes: is not a known section (did you mean "node"?)' in result.stderr
    assert "2 mistakes" in result.stderr


def test_check_config_shows_how_far_the_numbers_of_each_trunk_reach(tandem: Tandem) -> None:
    """R1-04: the capacity against the TTL is shown."""
    result = tandem("check-config")
    assert result.exit_code == 0
    assert "embedded defaults: no mistakes" in result.stderr
    assert "note: calls.default_route" in result.stderr
    assert "100,000,000" in result.stdout
    assert "333,333.3 a second" in result.stdout


def test_check_config_shows_the_configuration_without_secrets(tandem: Tandem) -> None:
    Path("tandem.toml").write_text('[storage]\nurl = "postgresql://tandem:hunter2@db/tandem"\n')
    result = tandem("check-config", "--show")
    assert result.exit_code == 0
    assert 'url = "postgresql://tandem:***@db/tandem"' in result.stdout
    assert "hunter2" not in result.output


def test_a_named_file_wins_and_a_missing_one_is_told(tandem: Tandem) -> None:
    result = tandem("check-config", "--config", "other.toml")
    assert result.exit_code == 1
    assert "other.toml: cannot be read (No such file or directory)" in result.stderr


def test_an_api_key_is_made_listed_and_revoked_without_a_server(tandem: Tandem) -> None:
    made = tandem("api-key", "create", "first", "--days", "30")
    assert made.exit_code == 0
    secret = made.stdout.strip()
    assert secret.startswith("tdm_")
    assert "this is the only time it is shown" in made.stderr
    (key,) = json.loads(tandem("api-key", "list", "--json").stdout)
    assert (key["name"], key["role"], key["state"]) == ("first", "admin", "valid")
    assert key["expires_at"] - key["created_at"] == 30 * 86400
    assert tandem("api-key", "revoke", key["id"]).exit_code == 0
    listed = tandem("api-key", "list")
    assert "revoked" in listed.stdout
    assert secret not in listed.stdout


def test_a_key_for_nobody_is_refused_in_one_sentence(tandem: Tandem) -> None:
    assert "needs a tenant" in tandem("api-key", "create", "x", "--role", "tenant").stderr
    assert "there is no tenant acme" in tandem("api-key", "create", "x", "--role", "tenant", "--tenant", "acme").stderr
    assert "there is no API key 123" in tandem("api-key", "revoke", "123").stderr


def test_the_schema_is_made_by_db_upgrade(tandem: Tandem) -> None:
    result = tandem("db", "upgrade")
    assert result.exit_code == 0
    assert result.stdout.startswith("the schema of sqlite")
    assert " is at revision " in result.stdout
    assert Path("data/tandem.db").is_file()


def test_a_data_folder_that_cannot_be_made_is_told(tandem: Tandem) -> None:
    Path("data").write_text("in the way")
    result = tandem("db", "upgrade")
    assert result.exit_code == 1
    assert "node.data_dir: data cannot be made (File exists)" in result.stderr


def test_a_command_without_an_api_key_says_how_to_get_one(tandem: Tandem) -> None:
    result = tandem("tenants", "list")
    assert result.exit_code == 1
    assert "TANDEM_API_TOKEN is not set" in result.stderr
    assert "tandem api-key create" in result.stderr


@pytest.mark.parametrize(
    "command", [("tenants", "list"), ("events", "follow"), ("calls", "hangup", "x"), ("cdrs", "list", "--csv")]
)
def test_a_server_that_is_not_there_is_told_with_its_address(tandem: Tandem, command: tuple[str, ...]) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    result = tandem(*command, "--url", url, TANDEM_API_TOKEN="tdm_x")
    assert result.exit_code == 1
    assert f"no server answers at {url}" in result.stderr


def test_the_servers_address_comes_from_the_local_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TANDEM_CONFIG", raising=False)
    assert local_url() == "http://127.0.0.1:8080"
    Path("tandem.toml").write_text('[api]\naddress = "::"\nport = 99\n')
    assert local_url() == "http://[::1]:99"
    Path("tandem.toml").write_text("[api]\nport = none\n")
    assert local_url() == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("answer", "lines"),
    [
        (httpx.Response(409, json={"detail": "access ID 70 begins 7001"}), ["access ID 70 begins 7001"]),
        (
            httpx.Response(422, json={"detail": "x", "errors": [{"field": "name", "message": "is missing"}]}),
            ["name: is missing"],
        ),
        (httpx.Response(502, text="<html>"), ["the server answered 502 Bad Gateway"]),
        (httpx.Response(500, json=[1]), ["the server answered 500 Internal Server Error"]),
        (
            httpx.Response(401, json={"detail": "no such key"}),
            ["no such key", "The API key in TANDEM_API_TOKEN is not valid on this server."],
        ),
    ],
)
def test_a_refusal_of_the_server_becomes_plain_lines(answer: httpx.Response, lines: list[str]) -> None:
    assert problem(answer) == lines


@pytest.mark.parametrize(("word", "ago"), [("15m", 900), ("2h", 7200), ("3d", 259200)])
def test_a_moment_may_be_so_long_ago(word: str, ago: int) -> None:
    assert moment(word, 1e9) == 1e9 - ago


def test_a_moment_may_be_a_date_and_nothing_else() -> None:
    earlier, later = moment("2026-11-21", 0), moment("2026-11-21T14:30", 0)
    assert earlier is not None
    assert later is not None
    assert later - earlier == 14.5 * 3600
    assert moment(None, 0) is None


def test_a_moment_that_is_none_is_told(tandem: Tandem) -> None:
    result = tandem("cdrs", "list", "--since", "yesterday", TANDEM_API_TOKEN="tdm_x")
    assert result.exit_code == 1
    assert '"yesterday" is no moment. As 2026-11-21' in result.stderr


@pytest.mark.parametrize(
    ("key", "value", "want"),
    [
        ("x", None, ""),
        ("x", True, "yes"),
        ("x", 0.25, "0.25"),
        ("x", 333333.33, "333,333"),
        ("x", ["a", 1], "a, 1"),
        ("data", {"vip": False, "order": "A-1"}, "vip: no, order: A-1"),
    ],
)
def test_values_are_written_as_people_read_them(key: str, value: object, want: str) -> None:
    assert text(key, value) == want


def test_an_event_is_one_line() -> None:
    event = {
        "node": "a", "number": 12, "time": 0.0, "call": "c1", "type": "call.ended",
        "data": {"cause": "normal", "trunk": None},
    }  # fmt: skip
    line = as_line(event)
    assert line.startswith("      12  ")
    assert line.endswith("call.ended         c1  cause=normal")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("caller,extension\n1,2,3\n", "row 1 has more fields than the heading"),
        ('{"caller": "1"}\nnonsense\n', "line 2 is no JSON object"),
    ],
)
def test_a_file_of_tokens_that_is_broken_is_told_before_anything_is_sent(
    tandem: Tandem, content: str, complaint: str
) -> None:
    Path("tokens.csv").write_text(content)
    result = tandem("tokens", "bulk", "tokens.csv", TANDEM_API_TOKEN="tdm_x")
    assert result.exit_code == 1
    assert complaint in result.stderr


def test_words_that_are_no_pairs_and_no_parties_are_told(tandem: Tandem) -> None:
    assert '"vip" is not KEY=VALUE' in tandem("tokens", "issue", "-d", "vip", TANDEM_API_TOKEN="x").stderr
    assert '"@north" is neither' in tandem("calls", "start", "8001", "@north", TANDEM_API_TOKEN="x").stderr
    assert "nothing to change" in tandem("agents", "change", "8001", TANDEM_API_TOKEN="x").stderr
    assert "needs --contact" in tandem("agents", "add", "8001", TANDEM_API_TOKEN="x").stderr
    assert "needs --access-id" in tandem("tenants", "add", "acme", TANDEM_API_TOKEN="x").stderr


def test_what_callers_send_is_no_command_to_the_terminal() -> None:
    """A caller's name may clear an operator's screen, set its title, or turn the line round."""
    assert text("caller", "\x1b]0;x\x07\x9b2J\u202e1") == "\ufffd]0;x\ufffd\ufffd2J\ufffd1"
    assert text("data", {"\x1b[2J": "Zoë\u00a0李\n"}) == "\ufffd[2J: Zoë\u00a0李\n"
