"""Mistakes in trunks and their groups, each with its sentence."""

from pathlib import Path

import pytest

from b2bua.settings import SettingsError, load

BEFORE = """
[listeners.out]
side = "outside"
address = "127.0.0.1"

[trunks.other]
listener = "out"
addresses = ["192.0.2.1"]
target = "192.0.2.1"
"""
TRUNK = '[trunks.north]\nlistener = "out"\naddresses = ["192.0.2.9"]\n'


def mistakes(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "tandem.toml"
    file.write_text(BEFORE + text, encoding="utf-8")
    try:
        load(file, {})
    except SettingsError as error:
        return [str(mistake).removeprefix(f"{file}: ") for mistake in error.mistakes]
    return []


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ('called_out = ["e164"]', 'called_out: has a step that is none: "e164" needs the country_code of the trunk'),
        ('called_in = ["stripp 9"]', 'called_in: has a step that is none: "stripp 9" is no step'),
        ('called_in = ["(0+)+ -> 1"]', 'called_in: has a step that is none: "(0+)+" repeats a group'),
        ('number_examples = ["called_in 1 -> 2"]', 'number_examples: "called_in 1 -> 2": the rules make 1 of it'),
        ("failover_codes = [404]", "failover_codes: has 404"),
        ('headers_in = ["Contact"]', 'headers_in: "contact" is never passed on'),
        ('headers_out_rename = ["X-A"]', 'headers_out_rename: "X-A" is no pair'),
        ('responses = ["404=401"]', 'responses: "401" is no status to answer with'),
        ("refusal_code = 404", "refusal_code: must be 503, 480 or 486"),
        ("registers = true", "registers: needs a user"),
        ('user = "a"\nregisters = true', "registers: needs a target: the registrar"),
        ('password = "x"', "password: needs realm and user"),
        ('password = "x"\nuser = "a"\nrealm = "*"', "realm: must be the carrier's own"),
        ('realm = "x"', "realm: has no effect without a password"),
        ('tls_names = ["a.example"]', "tls_names: needs a listener with transport tls and tls_verify_client"),
        ("probe_timeout = 20", "probe_timeout: must not be longer than probe_interval (10)"),
        ("first_response = 20", "progress_timeout: must not be shorter than first_response (20)"),
        ('caller_ids = ["+49x"]', 'caller_ids: "+49x" is no number'),
        ('request_users = ["a b"]', 'request_users: "a b" is no user of a SIP URI'),
    ],
)
def test_a_trunk(tmp_path: Path, lines: str, wanted: str) -> None:
    found = mistakes(tmp_path, TRUNK + lines)
    assert len(found) >= 1
    assert found[0].startswith(f"trunks.north.{wanted}"), found


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('members = ["nobody"]', 'trunk_groups.g.members: names "nobody", which is no trunk'),
        ('members = ["north"]', 'trunk_groups.g.members: "north" takes no calls: set trunks.north.target'),
        ('members = ["other 1 2 3"]', 'trunk_groups.g.members: "other 1 2 3" is no member'),
        ('members = ["other", "other 2"]', 'trunk_groups.g.members: names "other" twice'),
        ("members = []", "trunk_groups.g.members: "),
    ],
)
def test_a_group(tmp_path: Path, text: str, wanted: str) -> None:
    found = mistakes(tmp_path, f"{TRUNK}[trunk_groups.g]\n{text}\n")
    assert [one for one in found if one.startswith(wanted)], found


def test_a_group_is_no_trunk(tmp_path: Path) -> None:
    assert mistakes(tmp_path, '[trunk_groups.other]\nmembers = ["other"]') == [
        "trunk_groups.other: is the name of a trunk as well"
    ]


def test_trunks_on_one_address_need_marks(tmp_path: Path) -> None:
    same = TRUNK.replace("192.0.2.9", "192.0.2.1")
    assert "tells them apart" in mistakes(tmp_path, same)[0]
    assert mistakes(tmp_path, f"{same}source_ports = [5080]") == []
    third = same.replace("north", "west")
    assert "tells them apart" in mistakes(tmp_path, f"{same}source_ports = [5080]\n{third}source_ports = [5080]")[0]
    assert mistakes(tmp_path, f"{same}source_ports = [5080]\n{third}source_ports = [5081]") == []
