"""Pairs of RTP ports for legs: native/ports.c."""

import pjsua2 as pj


def test_every_pair_of_the_range_is_there() -> None:
    assert pj.tandem_ports_open(20_000, 20_399) == 200
    assert pj.tandem_ports_state() == (200, 0, 0)


def test_a_range_of_none_is_none() -> None:
    assert pj.tandem_ports_open(20_000, 20_000) == 0
