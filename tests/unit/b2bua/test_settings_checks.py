"""Mistakes between keys, and between the configuration and the machine."""

import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from b2bua.settings import Settings, SettingsError, advice, load
from b2bua.settings.checks import ephemeral_ports
from tests.peers.certificates import Authority

Problems = Callable[[str], list[str]]

INSIDE = '[listeners.in]\nside = "inside"\naddress = "127.0.0.1"\nport = 5070\n'
OUTSIDE = '[listeners.out]\nside = "outside"\naddress = "127.0.0.1"\n'


@pytest.fixture
def problems(tmp_path: Path) -> Problems:
    """`key: what` of every mistake in a text."""

    def find(text: str) -> list[str]:
        file = tmp_path / "tandem.toml"
        file.write_text(text)
        try:
            load(file, {})
        except SettingsError as error:
            return [f"{mistake.key}: {mistake.what}".replace(str(tmp_path), "DIR") for mistake in error.mistakes]
        return []

    return find


def listener(extra: str, name: str = "x", address: str = "127.0.0.1") -> str:
    return f'[listeners.{name}]\nside = "outside"\naddress = "{address}"\n{extra}\n'


def trunk(extra: str = "", name: str = "north", on: str = "out", addresses: str = '["192.0.2.1"]') -> str:
    return f'[trunks.{name}]\nlistener = "{on}"\naddresses = {addresses}\n{extra}\n'


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (
            listener("", address="0.0.0.0"),
            [
                "listeners.x.advertised_address: is needed, because 0.0.0.0 is no address that a peer can be told",
                "listeners.x.media_address: is needed, because 0.0.0.0 is no address that SDP can carry",
            ],
        ),
        (
            listener('media_address = "::"', address="::1"),
            ["listeners.x.media_address: must be one address of this machine, not ::"],
        ),
        (
            listener('media_address = "::1"'),
            ["listeners.x.media_address: is IPv6, but the listener's address is IPv4"],
        ),
        (
            listener('advertised_address = "2001:db8::1"'),
            ["listeners.x.advertised_address: is IPv6, but what it stands for, 127.0.0.1, is IPv4"],
        ),
        (
            listener('advertised_media_address = "203.0.113.5"', address="::1"),
            ["listeners.x.advertised_media_address: is IPv4, but what it stands for, ::1, is IPv6"],
        ),
        (listener("advertised_port = 5080"), ["listeners.x.advertised_port: needs advertised_address"]),
        (listener('advertised_address = "sbc.example.org"'), []),
        (
            listener('advertised_address = "sbc_1.example.org"'),
            ["listeners.x.advertised_address: must be an IP address or a host name"],
        ),
        (
            listener('advertised_address = "203.0.113.5"\nlocal_networks = ["2001:db8::/32"]'),
            ["listeners.x.local_networks: 2001:db8::/32 is not IPv4 as the listener's address is"],
        ),
        (
            listener('local_networks = ["10.0.0.0/8", "10.0.0.0/8"]'),
            ['listeners.x.local_networks: names "10.0.0.0/8" twice'],
        ),
        (
            listener('tls_key = "a.key"\ntls_verify_client = true'),
            [
                'listeners.x.tls_key: is for transport "tls"; this listener has "udp"',
                'listeners.x.tls_verify_client: is for transport "tls"; this listener has "udp"',
            ],
        ),
        (
            listener('transport = "tls"\ntls_verify_client = true'),
            [
                'listeners.x.tls_certificate: is needed for transport "tls"',
                'listeners.x.tls_key: is needed for transport "tls"',
                "listeners.x.tls_ca: is needed to verify clients",
            ],
        ),
        (
            listener("", "a") + listener("", "b"),
            ['listeners.b.port: 127.0.0.1 port 5060 (udp) is also the listener "a"'],
        ),
        (listener("", "a") + listener('transport = "tcp"', "b") + listener("port = 5061", "c"), []),
        (
            listener("", "a")
            + listener('advertised_address = "203.0.113.5"\nmedia_address = "127.0.0.1"', "b", "0.0.0.0"),
            ['listeners.b.port: 0.0.0.0 port 5060 (udp) is also the listener "a"'],
        ),
        (listener("", "a") + listener("", "b", "::1"), []),
    ],
)
def test_listeners(problems: Problems, text: str, want: list[str]) -> None:
    assert problems(text) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (trunk(on="outt"), ['trunks.north.listener: no listener is called "outt"; there are in, out']),
        (
            trunk(on="in"),
            ['trunks.north.listener: "in" is an inside listener; trunks call in on an outside one'],
        ),
        (
            trunk(addresses='["2001:db8::1"]'),
            ['trunks.north.addresses: 2001:db8::1/128 cannot reach the listener "out", which is IPv4'],
        ),
        (
            trunk(addresses='["192.0.2.0/24", "192.0.2.7"]'),
            ["trunks.north.addresses: 192.0.2.7/32 overlaps 192.0.2.0/24 on the same listener"],
        ),
        (
            trunk() + trunk(name="south", addresses='["192.0.2.0/24"]'),
            [
                'trunks.south.addresses: 192.0.2.0/24 overlaps 192.0.2.1/32 of trunk "north" on the same listener,'
                " and none of source_ports, request_hosts, request_users, tls_names tells them apart",
            ],
        ),
        (
            trunk('prefix = "40"\naccess_id_width = 4\nsequence_width = 9\ncheck_digit = "luhn"'),
            [
                "trunks.north.sequence_width: makes numbers too long: prefix 2 + access ID 4 + sequence 9"
                " + check digit 1 = 16 digits, and the trunk carries 15",
            ],
        ),
        (trunk('prefix = "40"\naccess_id_width = 4\nsequence_width = 9\ncheck_digit = "luhn"\nmax_digits = 16'), []),
        (
            trunk('prefix = "40"\nsequence_width = 13'),
            [
                "trunks.north.sequence_width: makes numbers too long: prefix 2 + access ID at least 1 + sequence 13"
                " + check digit 0 = 16 digits, and the trunk carries 15",
            ],
        ),
        *(
            (trunk(f'target = "{at}"'), [])
            for at in ("192.0.2.9", "192.0.2.9:5062", "[2001:db8::9]:5062", "2001:db8::9")
        ),
        (trunk('target = "sip.carrier.example:5062"'), []),
        (trunk('target = "192.0.2.9:0"'), ["trunks.north.target: must be a host, or host:port"]),
        (trunk('target = "sip:x@y"'), ["trunks.north.target: must be a host, or host:port"]),
        (trunk('target = "a b:5060"'), ["trunks.north.target: must be an IP address or a host name"]),
        (trunk("max_digits = 17"), ["trunks.north.max_digits: must be 15 or 16, not 17"]),
        (trunk('prefix = "+4"'), ["trunks.north.prefix: must be decimal digits only"]),
        (
            trunk("session_expires = 100\nmin_se = 200"),
            ["trunks.north.session_expires: must not be less than min_se (200)"],
        ),
        (trunk("min_se = 60"), ["trunks.north.min_se: must be at least 90, not 60"]),
        (trunk('sources = ["from"]')[:-1], None),
        (trunk("sources = []"), ["trunks.north.sources: needs at least 1 entry"]),
    ],
)
def test_trunks(problems: Problems, text: str, want: list[str] | None) -> None:
    """R1-04: a number that the trunk cannot carry is refused at configuration."""
    found = problems(INSIDE + OUTSIDE + text)
    if want is None:
        assert len(found) == 1
        assert found[0].startswith("trunks.north.sources: must be ")
    else:
        assert found == want


def test_a_trunk_may_repeat_an_address_on_another_listener(problems: Problems) -> None:
    second = listener("port = 5080", "second")
    assert problems(OUTSIDE + second + trunk() + trunk(name="south", on="second")) == []


def test_the_media_ports_must_hold_the_calls(problems: Problems) -> None:
    found = problems("[node]\nmax_calls = 100\n[media]\nrtp_port_min = 20001\nrtp_port_max = 20300\n")
    assert found == [
        "media.rtp_port_min: must be even (RFC 3550 section 11), not 20001",
        "media.rtp_port_max: the range has ports for 75 calls, but node.max_calls is 100",
    ]
    assert problems("[media]\nrtp_port_min = 30000\nrtp_port_max = 20000\n") == [
        "media.rtp_port_max: must be above rtp_port_min"
    ]


def test_the_media_ports_must_not_be_those_of_outgoing_connections(problems: Problems) -> None:
    """Calls failed with no free RTP port where the two ranges overlapped."""
    system = ephemeral_ports()
    assert system is not None
    first, last = system
    (found,) = problems(f"[node]\nmax_calls = 1\n[media]\nrtp_port_min = {first & ~1}\nrtp_port_max = {last}\n")
    assert found.startswith(
        f"media.rtp_port_max: the range overlaps the system's ports for outgoing connections ({first}"
    )


def test_a_system_that_does_not_tell_its_ports_is_no_mistake(tmp_path: Path) -> None:
    assert ephemeral_ports(tmp_path / "none") is None
    (tmp_path / "odd").write_text("many")
    assert ephemeral_ports(tmp_path / "odd") is None


def test_certificates_must_be_readable_and_fit_their_keys(problems: Problems, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue("one")
    authority.issue("two")
    (tmp_path / "empty.pem").touch()

    def tls(certificate: str, key: str, ca: str = "ca.pem") -> list[str]:
        files = f'tls_certificate = "{certificate}"\ntls_key = "{key}"\ntls_ca = "{ca}"\n'
        return problems(listener('transport = "tls"\n' + files))

    assert tls("one.pem", "one.key") == []
    assert tls("one.pem", "two.key") == [
        "listeners.x.tls_certificate: DIR/one.pem and DIR/two.key are no matching pair in PEM form"
    ]
    assert tls("none.pem", "one.key") == ["listeners.x.tls_certificate: DIR/none.pem does not exist"]
    assert tls("one.pem", "none.key") == ["listeners.x.tls_key: DIR/none.key does not exist"]
    assert tls("one.pem", "one.key", "none.pem") == ["listeners.x.tls_ca: DIR/none.pem does not exist"]
    assert tls("one.pem", "one.key", "empty.pem") == [
        "listeners.x.tls_ca: DIR/empty.pem holds no certificate in PEM form"
    ]


def test_the_api_needs_both_files_or_none(problems: Problems, tmp_path: Path) -> None:
    Authority(tmp_path).issue("api")
    assert problems('[api]\ntls_certificate = "api.pem"\n') == ["api.tls_key: is needed beside the other of the pair"]
    assert problems('[api]\ntls_key = "api.key"\n') == ["api.tls_certificate: is needed beside the other of the pair"]
    assert problems('[api]\ntls_certificate = "api.pem"\ntls_key = "api.key"\n') == []


def test_music_must_be_mono_with_16_bits(problems: Problems, tmp_path: Path) -> None:
    for name, channels in (("mono.wav", 1), ("stereo.wav", 2)):
        with wave.open(str(tmp_path / name), "wb") as sound:
            sound.setnchannels(channels)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(bytes(640))
    (tmp_path / "text.wav").write_text("la la la")
    assert problems('[media]\nmusic = "mono.wav"\n') == []
    assert problems('[media]\nmusic = "stereo.wav"\n') == [
        "media.music: DIR/stereo.wav must be mono with 16 bits, not 2 channels with 16 bits"
    ]
    assert problems('[media]\nmusic = "text.wav"\n') == ["media.music: DIR/text.wav is no WAV file"]
    assert problems('[media]\nmusic = "none.wav"\n') == ["media.music: DIR/none.wav does not exist"]


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("sqlite:////var/lib/tandem/tandem.db", ""),
        ("postgresql://tandem:pw@db/tandem", ""),
        ("postgresql+asyncpg:///tandem?host=/run/postgresql", ""),
        ("sqlite://", "must name a file: sqlite:///relative/path or sqlite:////absolute/path"),
        ("postgresql://db", "must name a database: postgresql://user:password@host/database"),
        ("mysql://db/tandem", "must begin with sqlite:/// or postgresql://"),
    ],
)
def test_the_storage_url_names_a_database_we_know(problems: Problems, url: str, wrong: str) -> None:
    assert problems(f'[storage]\nurl = "{url}"\n') == ([f"storage.url: {wrong}"] if wrong else [])


def advised(settings: Settings) -> list[str]:
    return [f"{key}: {what}" for key, what in advice(settings)]


def test_advice_is_given_for_what_works_but_is_hardly_meant(tmp_path: Path) -> None:
    file = tmp_path / "tandem.toml"
    file.write_text(listener('local_networks = ["10.0.0.0/8"]') + '[api]\naddress = "0.0.0.0"\n')
    assert advised(load(file, {})) == [
        "listeners: none is inside: no agent's phone can be reached",
        "trunks: has no entry: every call from outside is refused",
        "listeners.x.local_networks: has no effect without an advertised address",
        "api.address: 0.0.0.0 is not loopback, and what goes over it is not encrypted",
    ]


def test_the_embedded_defaults_bring_one_advice() -> None:
    assert advised(load(None, {})) == [
        "calls.default_route: is not set: calls whose caller's data is not found are refused"
    ]


def test_the_sip_stack_takes_eight_listeners(problems: Problems) -> None:
    texts = [listener(f"port = {6000 + n}", name=f"l{n}") for n in range(9)]
    assert problems("".join(texts[:8])) == []
    assert problems("".join(texts)) == ["listeners: are 9; the SIP stack takes 8 at most"]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (None, ["recording.key_file: DIR/keys does not exist"]),
        ("", ["recording.key_file: DIR/keys: there is no key in it"]),
        (
            f"{'ab' * 32}\n{'ab' * 31}\n",
            [
                "recording.key_file: DIR/keys: line 2 is not a key of 64 hexadecimal digits (openssl rand -hex 32 makes"
                " one)"
            ],
        ),
        (f"# of this year\n{'ab' * 32}  # the second node has it too\n", []),
    ],
)
def test_the_keys_of_recordings_are_looked_at_first(
    problems: Problems, tmp_path: Path, keys: str | None, told: list[str]
) -> None:
    if keys is not None:
        (tmp_path / "keys").write_text(keys)
    assert problems(f'[recording]\nformat = "opus"\nkey_file = "{tmp_path}/keys"\n') == told
