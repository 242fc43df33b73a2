"""Parking slots: one caller each, the first free one, and numbers that are none."""

from dataclasses import replace

from b2bua.calls.park import Parked, ParkingLot
from routing.transfer_target import Slots

ONE = Parked("701", "call-1", "1001", 0.0, "13800000001", "acme")


def test_a_slot_has_one_caller_at_a_time() -> None:
    lot = ParkingLot(Slots("701", 2))
    assert lot.first_free() == "701"
    assert lot.take(ONE)
    assert not lot.take(replace(ONE, call="call-2"))
    assert (lot.free("701"), lot.free("702"), lot.first_free()) == (False, True, "702")
    assert lot.take(replace(ONE, slot="702", call="call-2"))
    assert lot.first_free() == ""
    assert [one.slot for one in lot.all()] == ["701", "702"]
    lot.leave("701")
    lot.leave("701")
    assert (len(lot), lot.at("701"), lot.first_free()) == (1, None, "701")


def test_other_numbers_are_no_slots() -> None:
    lot = ParkingLot(Slots("701", 2))
    assert "703" not in lot
    assert not lot.take(replace(ONE, slot="703"))
    assert not ParkingLot(Slots()).take(ONE)
    assert ParkingLot(Slots()).first_free() == ""
