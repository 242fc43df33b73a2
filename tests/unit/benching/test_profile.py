"""How samples of perf and py-spy become shares."""

import pytest

from benching.profile import by_function, by_layer, by_object

STACKS = [
    "run (b2bua/app.py:1);_run_once (asyncio/base_events.py:9);inbound (b2bua/calls/inbound.py:3);dumps (json.py:4) 30",
    "run (b2bua/app.py:1);_run_once (asyncio/base_events.py:9) 20",
    "run (b2bua/app.py:1);_poll (b2bua/sip/engine/endpoint.py:2);libHandleEvents (pjsua2.py:7) 40",
    "run (b2bua/app.py:1);_poll (b2bua/sip/engine/endpoint.py:2);identify (routing/identify.py:7) 10",
    "run (b2bua/app.py:1);_run_once (asyncio/base_events.py:9);select (selectors.py:468) 900",
]


def test_a_sample_belongs_to_the_innermost_layer_of_ours() -> None:
    assert by_layer(STACKS) == pytest.approx(
        {"PJSIP and its binding": 0.4, "b2bua/calls": 0.3, "event loop, metrics, log": 0.2, "routing": 0.1}
    )


def test_a_thread_that_waits_costs_nothing() -> None:
    assert "select (selectors.py)" not in by_function(STACKS)
    assert by_function(STACKS)["dumps (json.py)"] == pytest.approx(0.3)


def test_native_objects_are_told_by_what_they_are() -> None:
    lines = [" 41.67% ;python ;libpython3.11.so.1.0 ", " 2.00%;python;libpython3.11.so.1.0", " 6.14%;clock;_pjsua2.so"]
    assert by_object(lines) == pytest.approx({"Python's interpreter": 0.4367, "clock: PJSIP and its binding": 0.0614})
