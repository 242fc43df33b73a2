"""Ids of commands, and what a record counts as."""

import random
import re
import secrets
from dataclasses import replace

from dialer.command import CommandIds, Record
from dialer.counts import Counts, counts_of, hour_of
from dialer.outcome import Outcome


def test_ids_of_a_million_commands_are_unique_and_sorted() -> None:
    """R3-04: a command's id is a string that never repeats, and sorts in the order of commands."""
    ids = CommandIds(secrets.randbits)
    made = [ids.next(1_700_000_000.0 + n / 100_000) for n in range(1_000_000)]
    assert len(set(made)) == len(made)
    assert made == sorted(made)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", made[0])


def test_ids_stay_unique_over_restarts_at_the_same_moment() -> None:
    """R3-04: two processes that begin in the same millisecond make different ids."""
    made = set()
    for _ in range(1000):
        ids = CommandIds(secrets.randbits)
        made |= {ids.next(1_700_000_000.0) for _ in range(10)}
    assert len(made) == 10_000


def test_a_clock_that_jumps_back_does_not_disturb_the_order() -> None:
    """R3-04: within a process ids rise whatever the clock does."""
    ids, clock = CommandIds(random.Random(4).getrandbits), random.Random(5)
    made = [ids.next(1_700_000_000.0 + clock.uniform(-100, 100)) for _ in range(10_000)]
    assert made == sorted(set(made))


ABANDONED = Record("c", Outcome.ABANDONED, 7200.0, ringing_at=7180.0, answered_at=7195.0, live=True)


def test_what_the_law_counts_of_a_record() -> None:
    """Late connects are abandoned; who hung up before the limit was answered only; machines and faults stand apart."""
    assert counts_of(ABANDONED) == Counts(attempts=1, live=1, abandoned=1)
    assert counts_of(replace(ABANDONED, agents_idle=True)).abandoned_idle == 1
    late = replace(ABANDONED, outcome=Outcome.ANSWERED, connected_at=7199.0, late=True)
    assert counts_of(late) == Counts(attempts=1, live=1, abandoned=1, late=1, connected=1)
    left = replace(ABANDONED, outcome=Outcome.ANSWERED)
    assert counts_of(left) == Counts(attempts=1, live=1)
    assert counts_of(Record("c", Outcome.MACHINE, 1.0, answered_at=0.5)) == Counts(attempts=1, machines=1)
    assert counts_of(Record("c", Outcome.TRUNK_FAULT, 1.0)) == Counts(trunk_faults=1)
    given = replace(late, late=False, live=False, machine_as_human=True)
    assert counts_of(given) == Counts(attempts=1, connected=1, machines=1, machine_as_human=1)


def test_ring_time_counts_from_the_first_18x() -> None:
    """A call without any 18x has not rung; 14 s are short, 16 s are not."""
    rang = Record("c", Outcome.NO_ANSWER, 100.0, ringing_at=86.0)
    assert counts_of(rang).short_ring == 1
    assert counts_of(replace(rang, ringing_at=84.0)).short_ring == 0
    assert counts_of(replace(rang, ringing_at=None)).short_ring == 0


def test_counts_add_up_by_the_hour() -> None:
    assert hour_of(7199.9) == 3600.0
    assert Counts(live=1, busy=2) + Counts(live=3) == Counts(live=4, busy=2)
