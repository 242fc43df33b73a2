"""The order in which a group's trunks are tried."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from routing.trunk_groups import Member, in_order

members = st.lists(
    st.builds(Member, st.text("abcdef", min_size=1, max_size=3), st.integers(0, 5), st.integers(0, 100)),
    max_size=8,
    unique_by=lambda member: member.name,
)


@given(members, st.randoms(use_true_random=False))
def test_every_member_is_tried_once_and_priorities_come_in_their_order(
    given_: list[Member], chance: random.Random
) -> None:
    order = in_order(given_, chance.random)
    assert sorted(order) == sorted(member.name for member in given_)
    priority = {member.name: member.priority for member in given_}
    assert [priority[name] for name in order] == sorted(priority.values())


@given(members, st.floats(0, 1, exclude_max=True))
def test_weight_0_comes_behind_the_others_of_its_priority(given_: list[Member], mark: float) -> None:
    order = in_order(given_, lambda: mark)
    place = {name: at for at, name in enumerate(order)}
    for one in given_:
        for other in given_:
            if one.priority == other.priority and one.weight and not other.weight:
                assert place[one.name] < place[other.name]


def test_weights_are_shares() -> None:
    group = [Member("a", weight=3), Member("b", weight=1)]
    chance = random.Random(1).random
    first = Counter(in_order(group, chance)[0] for _ in range(4000))
    assert 0.70 < first["a"] / 4000 < 0.80
