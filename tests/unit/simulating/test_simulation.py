"""The simulated day agrees with theory where theory has an answer, and says what is wrong with a scenario."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from routing.plan import Plan
from routing.queue import AgentProfile, Queue, Strategy
from routing.waiting_time import erlang_a, erlang_c, service_level, speed_of_answer
from simulating.__main__ import app
from simulating.callers import arrivals
from simulating.run import simulate
from simulating.scenario import BadScenario, Day, Duty, Scenario, Traffic, load

EXAMPLE = Path(__file__).parents[3] / "scripts" / "simulating" / "example.toml"
HANDLING = 180.0


def textbook(agents: int, load: float, hours: float, patience: float | None = None) -> Scenario:
    """M/M/n, or M/M/n+M: no ringing, no wrap-up, always the same load (erlangs)."""
    names = tuple(str(1000 + number) for number in range(agents))
    return Scenario(
        Plan.of(Queue("q", "Q", wrap_up=0, service_level=20), *(AgentProfile(name, {"q": 0}) for name in names)),
        (Traffic("q", (load / HANDLING * 3600,), HANDLING, patience),),
        (Duty(names),),
        Day(hours, answer_after=0),
    )


def test_without_giving_up_waits_are_those_of_erlang_c() -> None:
    """14 agents, 10 erlangs: the published example of waiting_time."""
    found = simulate(textbook(14, 10, 100))
    waits = [one.wait for one in found.callers]
    assert len(waits) == pytest.approx(20_000, rel=0.02)
    assert sum(wait > 0 for wait in waits) / len(waits) == pytest.approx(erlang_c(14, 10), abs=0.02)
    assert found.summary().mean == pytest.approx(speed_of_answer(14, 10, HANDLING), rel=0.12)
    assert found.summary().level == pytest.approx(service_level(14, 10, HANDLING, 20), abs=0.015)
    assert sum(found.occupancies) / 14 == pytest.approx(10 / 14, abs=0.01)


@pytest.mark.parametrize("strategy", sorted(set(Strategy) - {Strategy.LONGEST_IDLE}))
def test_among_equal_agents_who_are_asked_at_once_the_strategy_changes_no_wait(strategy: Strategy) -> None:
    scenario = textbook(14, 13, 5)
    waits = [
        sorted((one.came, one.wait) for one in simulate(scenario, tried).callers)
        for tried in (Strategy.LONGEST_IDLE, strategy)
    ]
    assert all(one == pytest.approx(other) for one, other in zip(*waits, strict=True))
    assert max(wait for _, wait in waits[0]) > 10


@pytest.mark.parametrize("agents", [8, 10])
def test_with_giving_up_waits_and_abandons_are_those_of_erlang_a(agents: int) -> None:
    """Theory is asked about the callers that were drawn, so that less is left to chance."""
    scenario = textbook(agents, 10, 60, patience=120)
    drawn = arrivals(scenario)
    talk = sum(one.talk for one in drawn)
    theory = erlang_a(agents, talk / (60 * 3600), talk / len(drawn), 120)
    found = simulate(scenario, None, drawn)
    callers, total = found.callers, found.summary()
    assert sum(one.wait for one in callers) / len(callers) == pytest.approx(theory.wait, rel=0.1)
    assert total.abandoned / total.offered == pytest.approx(theory.abandoned, rel=0.06)
    assert sum(one.wait > 0 for one in callers) / len(callers) == pytest.approx(theory.waiting, rel=0.04)


def test_the_announced_wait_is_near_the_real_one() -> None:
    """95 % load with callers who give up: the mean error is below a quarter of the mean wait of those who wait."""
    found = simulate(textbook(100, 95, 5, patience=1800))
    served = [one for one in found.callers if one.result == "answered" and one.estimate and one.came > 3600]
    mean = sum(one.wait for one in served) / len(served)
    error = sum(abs(one.wait - (one.estimate or 0)) for one in served) / len(served)
    bias = sum((one.estimate or 0) - one.wait for one in served) / len(served)
    assert len(served) > 1000
    assert error < 0.25 * mean, f"{error:.1f} s of {mean:.1f} s"
    assert abs(bias) < 0.1 * mean


def test_every_strategy_meets_the_same_callers_and_nobody_is_lost() -> None:
    scenario = load(EXAMPLE)
    callers = arrivals(scenario)
    assert callers == arrivals(scenario)
    for strategy in Strategy:
        outcome = simulate(scenario, strategy, callers)
        assert len(outcome.callers) == len(callers)
        assert all(0 < load <= 1 for load in outcome.occupancies)
        assert len(outcome.occupancies) == 16


def test_the_command_prints_what_each_strategy_came_to(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["queue", "--strategy", "ring-all", "--no-as-planned", "--no-picture"])
    assert done.exit_code == 0, done.output
    assert [line.split()[1] for line in done.output.splitlines() if line.startswith("│")][:3] == [
        "ring-all",
        "advice",
        "orders",
    ]
    assert CliRunner().invoke(app, ["queue", str(tmp_path / "none.toml")]).exit_code == 2


def test_a_wrong_scenario_is_refused_with_all_its_mistakes(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(
        '[[queues]]\nid = "q"\nname = "Q"\nstrategi = "ring-all"\n[[queues]]\nid = "r"\nname = "R"\n'
        '[[traffic]]\nqueue = "nowhere"\nper_hour = [1]\npriorities = { vip = 0.5 }\n'
        '[[duty]]\nagents = ["1001"]\nbegins = "25:00"\n[[duty]]\nagents = ["1002"]\n[[wishes]]\n',
        encoding="utf-8",
    )
    with pytest.raises(BadScenario) as caught:
        load(file)
    said = str(caught.value).replace(f"{file}: ", "").splitlines()
    assert said[0].startswith("duty 1: begins: String should match pattern")
    assert said[1:] == [
        "queues 1: strategi: there is no such field",
        "wishes: there is no such kind of data",
        "traffic 1: queue: there is no queue nowhere",
        "traffic 1: priorities: there is no priority class vip",
        "duty 1: agents: 1002 has no agent profile",
    ]
