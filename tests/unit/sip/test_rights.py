"""Addresses that may get credentials: a trunk's, while it leads there."""

from typing import Any

from b2bua.settings import Trunk
from b2bua.sip.engine.rights import LASTS, MOST, Rights

ROWS = 512
"Of the table in C."


def trunk(**more: Any) -> Trunk:
    base = {"listener": "out", "addresses": ["192.0.2.1"], "target": "carrier.example", "user": "line7"}
    return Trunk.model_validate({**base, "password": "s3cret", "realm": "carrier.example", **more})


class Table:
    """What native/credentials.c does, and a clock."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str]] = []
        self.now = 0.0
        self.rights = Rights(self.allow, self.rows.clear, lambda: self.now)

    def allow(self, realm: str, host: str) -> int:
        if len(self.rows) == ROWS or host == "not-an-address":
            return 70004
        self.rows.append((realm, host))
        return 0

    @property
    def hosts(self) -> list[str]:
        return [host for _, host in self.rows]


def test_a_trunk_that_is_moved_takes_its_rights_along() -> None:
    table = Table()
    one, other = trunk(), trunk(target="other.example", realm="other.example")
    table.rights.grant("one", one, "192.0.2.1")
    table.rights.grant("other", other, "192.0.2.9")
    table.rights.follow({"one": trunk(max_calls=3), "other": other})
    assert table.hosts == ["192.0.2.1", "192.0.2.9"], "other settings of a trunk change nothing"
    table.rights.follow({"one": trunk(target="new.example"), "other": other})
    assert table.hosts == ["192.0.2.9"], "its realm is the same one, its address is not"
    gone = {"other": trunk(target="other.example", realm="other.example", password=None)}
    table.rights.follow(gone, leaving=[("other.example", "192.0.2.9")])
    assert table.hosts == ["192.0.2.9"], "a registration there is being taken back"
    table.rights.follow(gone)
    assert table.hosts == []


def test_two_trunks_at_one_carrier_share_its_address() -> None:
    table = Table()
    table.rights.grant("one", trunk(), "192.0.2.1")
    table.rights.grant("two", trunk(user="line8"), "192.0.2.1")
    assert table.hosts == ["192.0.2.1"]
    table.rights.follow({"two": trunk(user="line8")})
    assert table.hosts == ["192.0.2.1"]
    table.rights.follow({})
    assert table.hosts == []


def test_rights_end_where_a_name_leads_elsewhere_and_never_run_out() -> None:
    table = Table()
    table.rights.grant("one", trunk(), "192.0.2.1")
    table.rights.grant("one", trunk(), "192.0.2.2")
    table.now = LASTS
    table.rights.grant("one", trunk(), "192.0.2.2")
    table.now += 1.0
    table.rights.grant("one", trunk(), "192.0.2.3")
    assert table.hosts == ["192.0.2.2", "192.0.2.3"]
    for number in range(3 * ROWS):
        table.rights.grant("one", trunk(), f"198.51.{number // 256}.{number % 256}")
        table.rights.grant("one", trunk(), "192.0.2.2")
        assert f"198.51.{number // 256}.{number % 256}" in table.hosts
        assert "192.0.2.2" in table.hosts, "who is used stays"
    assert len(table.rows) <= MOST


def test_what_could_not_be_granted_is_tried_again() -> None:
    table = Table()
    for _ in range(2):
        table.rights.grant("one", trunk(), "not-an-address")
    table.rows += [("carrier.example", "192.0.2.200")] * ROWS
    table.rights.grant("one", trunk(), "192.0.2.1")
    assert "192.0.2.1" not in table.hosts
    table.rows.clear()
    table.rights.grant("one", trunk(), "192.0.2.1")
    assert table.hosts == ["192.0.2.1"]
