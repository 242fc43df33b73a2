"""Look-ups in the snapshot of tenants, access numbers, agents and routes."""

from dataclasses import replace

from routing.digits import Dialling, Nature
from routing.directory import AccessNumber, Connection, Directory
from tests.unit.routing.world import ACME, AGENTS, BOLT, directory

CHINA = Dialling("86", "0")


def row(first: str, last: str = "", *trunks: str) -> AccessNumber:
    return AccessNumber(first, last or first, trunks=frozenset(trunks))


def find(world: Directory, digits: str, trunk: str = "carrier", nature: Nature = Nature.UNKNOWN) -> str | None:
    found = world.access_number(trunk, digits, nature, CHINA)
    return found.label if found else None


def test_a_number_of_its_own_comes_before_the_range_it_lies_in() -> None:
    """R1-05: each called number or range."""
    world = Directory(access_numbers=[row("4000", "4999"), row("4100"), row("6000", "6009"), row("40", "49")])
    assert find(world, "4100") == "4100"
    assert [find(world, digits) for digits in ("4000", "4099", "4101", "4999")] == ["4000-4999"] * 4
    assert [find(world, digits) for digits in ("3999", "5000", "5999", "6010", "400", "")] == [None] * 6
    assert find(world, "45") == "40-49"


def test_a_row_for_this_trunk_comes_before_rows_for_any_and_others_never() -> None:
    """R1-05"""
    world = Directory(access_numbers=[row("4000", "4999", "carrier"), row("4100"), row("5000", "", "other")])
    assert find(world, "4100") == "4000-4999"
    assert find(world, "4100", "other") == "4100"
    assert find(world, "4200", "other") is None
    assert find(world, "5000") is None


def test_the_number_as_written_comes_before_its_other_forms() -> None:
    """R1-05"""
    world = Directory(access_numbers=[row("04100"), row("4100"), row("864200"), row("04300")])
    assert [find(world, digits) for digits in ("04100", "4100", "864100")] == ["04100", "4100", "4100"]
    assert find(world, "4200") == "864200"
    assert find(world, "864300", nature=Nature.INTERNATIONAL) == "04300"


def test_rows_that_make_no_range_are_never_found() -> None:
    """R1-05: never a crash."""
    world = Directory(access_numbers=[row("4100", "49"), row("4999", "4000")])
    assert [find(world, digits) for digits in ("4100", "49", "4500", "45")] == [None] * 4


def test_access_ids_are_found_whole_and_as_a_beginning() -> None:
    """R1-04"""
    world = directory(tenants=(ACME, replace(BOLT, access_id="52")))
    assert world.tenant_of("5100") == ACME
    assert world.tenant_of("510") is None
    assert world.access_ids_beginning("5200004711") == ["52"]
    assert world.access_ids_beginning("5") == []


def test_billing_numbers_are_compared_per_country() -> None:
    """R1-05"""
    world = directory()
    for _ in range(2):  # the second answer comes from memory
        assert world.bills(ACME, "059512345678", CHINA)
        assert not world.bills(ACME, "059512345678", Dialling("1", "1"))
        assert not world.bills(ACME, "no number", CHINA)


def test_only_an_enabled_agent_can_be_called() -> None:
    world = Directory(agents=[AGENTS[0], replace(AGENTS[1], enabled=False)])
    assert world.agent("801") == AGENTS[0]
    assert [world.agent(extension) for extension in ("802", "999", "", None)] == [None] * 4


def test_a_secret_is_in_no_repr() -> None:
    connection = Connection("json", "https://crm.acme.example", secret="hush")
    assert "hush" not in repr(replace(ACME, connection=connection))
    assert repr(directory()) == "<Directory 2 tenants, 3 access numbers, 5 agents, 2 routes>"
