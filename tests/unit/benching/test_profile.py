"""How samples of perf and py-spy become shares."""

import pytest

from benching import media_profile
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


def test_a_threads_time_is_told_by_system_call_and_by_library() -> None:
    symbols = [
        "   97.00%;   1.00%;[k] do_syscall_64",
        "   55.50%;   0.20%;[k] __x64_sys_sendto      ;-      -            ",
        "   12.00%;   0.20%;[k] __x64_sys_recvfrom",
        "    0.10%;   0.10%;[k] __x64_sys_futex",
    ]
    objects = [
        "   95.00%;[kernel.kallsyms]",
        "    4.00%;_pjsua2.cpython-311-x86_64-linux-gnu.so",
        "    0.90%;libc.so.6",
    ]
    assert media_profile.by_call(symbols, objects) == {
        "kernel: sendto": 0.555,
        "kernel: recvfrom": 0.12,
        "C: _pjsua2": 0.04,
        "C: libc": 0.009,
    }
