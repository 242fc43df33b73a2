"""The configuration is read whole, and its mistakes are told at once with file and key."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from b2bua.settings import Settings, SettingsError, Trunk, find, load, shown
from b2bua.settings.document import EXAMPLE, configuration_page
from b2bua.settings.model import EMBEDDED_LISTENERS
from b2bua.settings.sip import SourceName
from routing.correlation import Pick, Source
from routing.digits import DigitPlan

Load = Callable[..., Settings]

LISTENERS = """
[listeners.carrier]
side = "outside"
address = "127.0.0.1"
[listeners.office]
side = "inside"
address = "127.0.0.1"
port = 5070
"""


@pytest.fixture
def load_text(tmp_path: Path) -> Load:
    """Loads a configuration from text, with an environment."""

    def read(text: str, environ: Mapping[str, str] | None = None) -> Settings:
        file = tmp_path / "tandem.toml"
        file.write_text(text)
        return load(file, environ or {})

    return read


def mistakes(load_text: Load, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """The mistakes in `text`, without the folder of the file."""
    with pytest.raises(SettingsError) as caught:
        load_text(text, environ)
    return [str(mistake).replace(str(Path(mistake.where).parent) + "/", "") for mistake in caught.value.mistakes]


def test_without_a_file_the_server_speaks_on_loopback_only() -> None:
    settings = load(None, {})
    assert {(name, at.side, at.address, at.port) for name, at in settings.listeners.items()} == {
        ("outside", "outside", "127.0.0.1", 5060),
        ("inside", "inside", "127.0.0.1", 5070),
    }
    assert settings.trunks["local"].addresses == ["127.0.0.0/8"]
    assert (settings.api.address, settings.api.port) == ("127.0.0.1", 8080)
    assert (settings.events.address, settings.events.port) == ("127.0.0.1", 5039)
    assert settings.database_url == "sqlite:///data/tandem.db"


def test_a_file_without_listeners_keeps_the_embedded_ones(load_text: Load) -> None:
    settings = load_text('[node]\nname = "a"')
    assert set(settings.listeners) == set(EMBEDDED_LISTENERS)
    assert set(settings.trunks) == {"local"}


def test_a_file_with_listeners_has_only_its_own_trunks(load_text: Load) -> None:
    settings = load_text(LISTENERS)
    assert set(settings.listeners) == {"carrier", "office"}
    assert settings.trunks == {}


def test_the_example_of_the_documentation_has_no_mistakes(load_text: Load) -> None:
    settings = load_text(EXAMPLE)
    assert settings.calls.default_route == "reception"
    assert set(settings.profiles()) == {"north", "old_exchange"}


def test_the_documentation_is_up_to_date() -> None:
    """docs/configuration.md is made by scripts/gen_config_docs."""
    page = Path(__file__).parents[3] / "docs" / "configuration.md"
    assert page.read_text(encoding="utf-8") == configuration_page()


@pytest.mark.parametrize(
    ("variable", "value", "read", "want"),
    [
        ("TANDEM_API__PORT", "9090", lambda s: s.api.port, 9090),
        ("TANDEM_NODE__NAME", "sbc2", lambda s: s.node.name, "sbc2"),
        ("TANDEM_MEDIA__CODECS", "pcmu, g722", lambda s: s.media.codecs, ["PCMU", "G722"]),
        ("TANDEM_MEDIA__CODECS", '["PCMA"]', lambda s: s.media.codecs, ["PCMA"]),
        ("TANDEM_MEDIA__CLOCK_RATE", "16000", lambda s: s.media.clock_rate, 16000),
        ("TANDEM_LISTENERS__OUTSIDE__PORT", "5080", lambda s: s.listeners["outside"].port, 5080),
        (
            "TANDEM_LISTENERS__OUTSIDE__TLS_VERIFY_CLIENT",
            "no",
            lambda s: s.listeners["outside"].tls_verify_client,
            False,
        ),
        ("TANDEM_TRUNKS__LOCAL__MAX_DIGITS", "16", lambda s: s.trunks["local"].max_digits, 16),
        ("TANDEM_TRUNKS__LOCAL__PREFIX", "40", lambda s: s.trunks["local"].prefix, "40"),
        ("tandem_api__port", "9", lambda s: s.api.port, 8080),
        ("TANDEM_API_TOKEN", "not a key of the configuration", lambda s: s.api.port, 8080),
    ],
)
def test_the_environment_lies_over_the_file(
    variable: str, value: str, read: Callable[[Settings], object], want: object
) -> None:
    assert read(load(None, {variable: value})) == want


def test_the_environment_wins_over_the_file(load_text: Load) -> None:
    assert load_text("[api]\nport = 1", {"TANDEM_API__PORT": "2"}).api.port == 2


def test_a_mistake_in_the_environment_names_the_variable(load_text: Load) -> None:
    environ = {"TANDEM_API__PORT": "none", "TANDEM_API__PROT": "1", "TANDEM_FILE__X": "1", "TANDEM_TRUNKS__A": "1"}
    found = mistakes(load_text, "", environ)
    assert found[0].startswith("TANDEM_FILE__X: names no section: ")
    assert found[1] == "TANDEM_TRUNKS__A: must be of the form TANDEM_SECTION__NAME__KEY"
    assert 'TANDEM_API__PORT: must be a whole number, not "none"' in found
    assert 'TANDEM_API__PROT: is not a known key (did you mean "port"?)' in found


def test_all_mistakes_are_told_at_once_with_file_and_key(load_text: Load) -> None:
    text = """
        colour = "red"
        [nodes]
        [node]
        name = "SBC 1"
        max_call = 10
        [api]
        port = 70000
        tls_key = "api.key"
        [media]
        codecs = ["AMR"]
        [calls]
        ring_timeout = true
        [listeners.carrier]
        address = "localhost"
        transport = "sctp"
        [listeners.office]
        side = "inside"
        address = "127.0.0.1"
        [trunks.north]
        listener = "carier"
        addresses = ["10.0.0.1/24"]
        [trunks.south]
        listener = "carier"
        addresses = []
        [trunks.west]
        listener = "carier"
        addresses = ["10.0.0.0/24"]
        """
    assert sorted(mistakes(load_text, text)) == sorted(
        [
            "tandem.toml: colour: is not a known section",
            'tandem.toml: nodes: is not a known section (did you mean "node"?)',
            "tandem.toml: node.name: must be 1 to 40 of a-z, 0-9, _ and -, and start with a letter or digit",
            'tandem.toml: node.max_call: is not a known key (did you mean "max_calls"?)',
            "tandem.toml: api.port: must be at most 65535, not 70000",
            'tandem.toml: media.codecs: "AMR" is not a codec of this build: PCMA, PCMU, G722, G729, OPUS, GSM, SPEEX',
            "tandem.toml: calls.ring_timeout: cannot be true",
            "tandem.toml: listeners.carrier.side: is missing",
            "tandem.toml: listeners.carrier.address: must be an IP address such as 192.0.2.10 or 2001:db8::10",
            "tandem.toml: listeners.carrier.transport: must be 'udp', 'tcp' or 'tls', not \"sctp\"",
            'tandem.toml: trunks.north.addresses: "10.0.0.1/24" has host bits set: write 10.0.0.0/24, or the address'
            " alone",
            "tandem.toml: trunks.south.addresses: needs at least 1 entry",
            'tandem.toml: trunks.west.listener: no listener is called "carier"; there are carrier, office',
        ]
    )


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("node = 3", "tandem.toml: node: must be a table: write [node]"),
        ("listeners = 3", "tandem.toml: listeners: must be a table of tables: write [listeners.NAME]"),
        ("[listeners]\noutside = 1", "tandem.toml: listeners.outside: must be a table: write [listeners.outside]"),
        ("[listeners]", "tandem.toml: listeners: has no entry: at least one address to listen on is needed"),
        ("[node]\nname = ", "tandem.toml: is not TOML: Invalid value (at end of document)"),
        (
            '[listeners."A B"]\nside = "inside"\naddress = "::1"',
            "tandem.toml: listeners.A B: is no name: 1 to 40 of a-z, 0-9, _ and -, first a letter or digit",
        ),
    ],
)
def test_a_file_of_the_wrong_shape_is_told_in_one_sentence(load_text: Load, text: str, want: str) -> None:
    assert mistakes(load_text, text) == [want]


def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read \(No such file or directory\)"):
        load(tmp_path / "none.toml", {})
    (tmp_path / "latin.toml").write_bytes(b'[node]\nname = "\xe4"')
    with pytest.raises(SettingsError, match=r"latin\.toml: is not UTF-8 text"):
        load(tmp_path / "latin.toml", {})


def test_relative_paths_start_at_the_folder_of_the_file(load_text: Load, tmp_path: Path) -> None:
    settings = load_text('[node]\ndata_dir = "here"')
    assert settings.node.data_dir == tmp_path / "here"
    assert load_text('[node]\ndata_dir = "/there"').node.data_dir == Path("/there")


def test_the_file_is_found_by_name_then_variable_then_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find(Path("x.toml"), {"TANDEM_CONFIG": "y.toml"}) == Path("x.toml")
    assert find(None, {"TANDEM_CONFIG": "y.toml"}) == Path("y.toml")
    (tmp_path / "tandem.toml").touch()
    assert find(None, {}) == Path("tandem.toml")


def test_what_is_shown_can_be_loaded_again_and_holds_no_secret(load_text: Load) -> None:
    url = "postgresql://tandem:hunter2@db.example/tandem"
    settings = load_text(EXAMPLE + f'[storage]\nurl = "{url}"\n')
    text = shown(settings)
    assert "hunter2" not in text
    assert "hunter2" not in repr(settings)
    assert "postgresql://tandem:***@db.example/tandem" in text
    assert settings.database_url == url
    again = load_text(text)
    assert (again.trunks, again.listeners, again.media) == (settings.trunks, settings.listeners, settings.media)


def test_a_wrong_secret_is_not_repeated(load_text: Load) -> None:
    (told,) = mistakes(load_text, '[storage]\nurl = "mysql:||tandem:hunter2@db.tandem"')
    assert told == "tandem.toml: storage.url: must begin with sqlite:/// or postgresql://"
    (told,) = mistakes(load_text, "[storage]\nurl = 4711")
    assert "4711" not in told


def test_settings_do_not_change_after_loading() -> None:
    settings = load(None, {})
    with pytest.raises(Exception, match="frozen"):
        settings.api.port = 1  # type: ignore[misc]
    with pytest.raises(AttributeError):
        settings.api = settings.api  # type: ignore[misc]


def test_a_trunk_becomes_a_profile_of_the_correlation() -> None:
    """R1-03, R1-04: order of the sources, pick, and the plan of the digits come from the trunk's settings."""
    trunk = Trunk(
        listener="outside",
        addresses=["192.0.2.1"],
        sources=["isup-called", "diversion"],
        diversion_pick="newest",
        prefix="40",
        access_id_width=4,
        sequence_width=7,
        check_digit="luhn",
        max_digits=16,
        country_code="49",
        national_prefix="0",
        trust_asserted=True,
    )
    profile = trunk.profile("north")
    assert profile.name == "north"
    assert profile.sources == (Source.ISUP_CALLED, Source.DIVERSION)
    assert profile.diversion_pick is Pick.NEWEST
    assert profile.plan == DigitPlan("40", 4, 7, "luhn", 16)
    assert (profile.dialling.country_code, profile.dialling.national_prefix) == ("49", "0")
    assert profile.trust_asserted


def test_settings_know_all_sources_of_the_correlation() -> None:
    """R1-03."""
    assert tuple(SourceName.__args__) == tuple(Source)  # type: ignore[attr-defined]
    assert load(None, {}).trunks["local"].sources == list(Source)


def test_the_example_is_plain_toml() -> None:
    assert set(tomllib.loads(EXAMPLE)) == {"node", "listeners", "trunks", "calls", "law_profiles", "law_regions"}


@pytest.mark.parametrize(
    ("events", "needed"),
    [
        ({}, False),
        ({"TANDEM_EVENTS__REQUIRE_KEY": "true"}, True),
        ({"TANDEM_EVENTS__ADDRESS": "::1"}, False),
        ({"TANDEM_EVENTS__ADDRESS": "0.0.0.0"}, True),
        ({"TANDEM_EVENTS__ADDRESS": "192.0.2.1", "TANDEM_EVENTS__REQUIRE_KEY": "no"}, False),
    ],
)
def test_events_need_a_key_wherever_others_can_reach_the_socket(events: dict[str, str], needed: bool) -> None:
    assert load(None, events).events.needs_key is needed


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("192.0.2.9", "192.0.2.9"),
        ("sip.carrier.example:5062", "sip.carrier.example:5062"),
        ("2001:DB8::9", "[2001:db8::9]"),
        ("[2001:db8::9]", "[2001:db8::9]"),
        ("[2001:db8::9]:5062", "[2001:db8::9]:5062"),
    ],
)
def test_the_target_of_a_trunk_fits_into_a_uri(written: str, meant: str) -> None:
    assert Trunk(listener="outside", addresses=["192.0.2.1"], target=written).target == meant
