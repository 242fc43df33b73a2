"""An answer from outside: who shall take a call that waits, decided by somebody else's program (R0-13)."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, model_validator

from b2bua.calls.view import CallView
from b2bua.jsontext import encode
from b2bua.web.desk import CallUser, Desk, TheDesk
from b2bua.web.models import Data, Extension, In, Out
from b2bua.web.problems import Problem, not_found
from routing.goal import Goal, GoalKind
from routing.plan_checks import goal_problems

router = APIRouter(prefix="/v1/calls", tags=["live calls"])

Key = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]

MOST_DATA = 256 * 1024
"Characters of a call's data as JSON: answers add to them, they go out with its events, and somebody may never stop."
TAKEN = frozenset({"talking"})
"States of a call that nobody waits in any more: a transfer moves it, not an answer."


class AnswerIn(In):
    """One place for the call, and data that join what the agent sees."""

    person: Key | None = Field(default=None, description="He, or whoever stands in for him.")
    agent: Extension | None = None
    queue: Key | None = None
    vdn: Key | None = None
    menu: Key | None = None
    voicemail: Key | None = None
    data: Data = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one(self) -> "AnswerIn":
        if len(list(self._named())) != 1:
            raise ValueError(f"name exactly one of {', '.join(KINDS)}")
        return self

    def goal(self) -> Goal:
        """Where the call shall go."""
        (found,) = self._named()
        return found

    def _named(self) -> list[Goal]:
        return [Goal(kind, target) for kind in KINDS if (target := getattr(self, kind)) is not None]


KINDS: tuple[GoalKind, ...] = ("person", "agent", "queue", "vdn", "menu", "voicemail")
"Not a number: what outside programs dial is a transfer's business, which has rules of its own."


class Moved(Out):
    """Where the call goes."""

    id: str
    goal: str = Field(examples=["person clerk-12"])


@router.post("/{id}/answer", status_code=202)
async def answer_call(id: str, body: AnswerIn, desk: TheDesk, caller: CallUser) -> Moved:
    """Send a call that waits, is in a menu or rings to a person, agent, queue ... instead. 409 when it is talking."""
    node = desk.node
    call = node.calls.get(id)
    if call is None or not caller.reaches(call.tenant):
        raise not_found("live call", id)
    goal = body.goal()
    _must_be_there(desk, goal, call)
    if body.data and len(encode({**call.data, **body.data})) > MOST_DATA:
        raise Problem(409, "conflict", f"the call's data would be more than {MOST_DATA} characters")
    if call.state in TAKEN or not node.calls.reroute(id, goal, body.data, caller.by):
        raise Problem(409, "not-waiting", f"the call is {call.state}: an answer moves only callers who wait")
    return Moved(id=id, goal=str(goal))


def _must_be_there(desk: Desk, goal: Goal, call: CallView) -> None:
    """Problem 409 for a place that does not exist, or is another tenant's."""
    directory = desk.node.directory()
    found = list(goal_problems(goal, desk.node.plan(), directory.agents, call.tenant, goal.kind))
    if not found and goal.kind == "agent" and directory.agent(goal.target) is None:
        found = [f"agent: agent {goal.target} cannot be called"]
    if found:
        field, _, message = found[0].partition(": ")
        raise Problem(409, "no-such-goal", message, errors=[{"field": field, "message": message}])
