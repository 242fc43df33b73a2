"""A campaign as data: whom it calls, how fast, over which trunk, and who takes those who answer. Times are seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from dialer.disposition import Disposition
from dialer.retry_rule import DEFAULT_RULES, RetryRule
from routing.goal import Goal


class Mode(StrEnum):
    """What decides when the next number is dialled."""

    PREVIEW = "preview"
    "An agent sees the contact first and starts the call himself."
    PROGRESSIVE = "progressive"
    "One call for each free agent."
    POWER = "power"
    "A fixed number of calls for each free agent."
    RULE_BASED = "rule-based"
    "R3-14..16, with the cap in every branch unless `Pacing.literal`."
    PREDICTIVE = "predictive"
    "Before an agent is free, by the chance that he will be."
    BROADCAST = "broadcast"
    "No agent: a recorded message."


class CampaignState(StrEnum):
    """Where a campaign is in its life; only `running` dials."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    DRAINING = "draining"
    "Calls in progress end, no new one begins; then it is stopped."
    STOPPED = "stopped"
    "By somebody; may be started again."
    ENDED = "ended"
    "Every contact has its result, or the checks before the start failed (`reason` says which)."


ALIVE = (CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.DRAINING)
"A node runs it."

NEXT: dict[tuple[CampaignState, str], CampaignState] = {
    (CampaignState.DRAFT, "start"): CampaignState.RUNNING,
    (CampaignState.STOPPED, "start"): CampaignState.RUNNING,
    (CampaignState.ENDED, "start"): CampaignState.RUNNING,
    (CampaignState.RUNNING, "pause"): CampaignState.PAUSED,
    (CampaignState.PAUSED, "resume"): CampaignState.RUNNING,
    (CampaignState.DRAINING, "resume"): CampaignState.RUNNING,
    (CampaignState.RUNNING, "drain"): CampaignState.DRAINING,
    (CampaignState.PAUSED, "drain"): CampaignState.DRAINING,
    **{(state, "stop"): CampaignState.STOPPED for state in ALIVE},
    **{(state, "end"): CampaignState.ENDED for state in ALIVE},
}
"What an order makes of a state; other pairs are refused. `end` is given by the dialler only."


@dataclass(frozen=True, slots=True)
class Pacing:
    """How fast it dials, within the law's cap."""

    ratio: float = 1.0
    "power: calls for each free agent; rule-based: calls at most for each of them."
    lines: int = 50
    "Calls at once at most, those that ring included."
    rate: float = 10.0
    "New calls in a second at most."
    target: float | None = None
    "Share of live answers that may be abandoned, what it steers to; None: a little under the cap of the profile."
    agents_least: int = 5
    "predictive: with fewer agents it is progressive."
    answers_least: int = 50
    "predictive: with fewer answers it is progressive."
    stale_pause: float = 120.0
    "An agent paused for longer raises an alarm (and counts as idle, where the next fields say so)."
    resume_stale: bool = False
    "Make him available again by itself when that time is over."
    literal: bool = False
    "rule-based: as R3-14..16 say word for word: the cap only while nobody is idle, and long-paused agents are idle."


@dataclass(frozen=True, slots=True)
class Amd:
    """Telling people from machines. Off by default: each person taken for a machine counts as abandoned."""

    enabled: bool = False
    machine: Literal["connect", "hang-up", "message"] = "hang-up"
    "What happens to a machine; message: after its beep `message` is played."
    message: str = ""
    "Sound file name of the node's sounds."
    message_within: float = 60.0
    "Seconds from the answer in which the beep must come."
    decide_within: float = 1.5
    "Who is not told apart this long after the end of his first words is a person."
    parameters: Mapping[str, float] = field(default_factory=dict)
    "Parameters of the analysis that differ from the usual ones, by name."


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign. All but `state`, `reason` and `node` is what its owner wrote."""

    id: str
    tenant: str
    name: str = ""
    mode: Mode = Mode.PROGRESSIVE
    trunks: tuple[str, ...] = ()
    "In order: the next one is taken when one has a fault."
    caller_id: str = ""
    "E.164; shown to the called."
    queue: str = ""
    "Whose agents it keeps busy, and who takes the answered calls; broadcast needs none."
    skills: Mapping[str, int] = field(default_factory=dict)
    "Skill -> least level; agents of the queue without it do not count and are not asked."
    agent: str = ""
    "Extension: this one agent only."
    goal: Goal | None = None
    "Where an answered call goes instead of `queue`; broadcast: after the prompt; None: it ends."
    prompt: str = ""
    "broadcast: sound file name of what is played."
    profile: str = ""
    "The country's law by name: us, uk, cn or one of the settings."
    region: str = ""
    'Country (ISO 3166, "US") that numbers without +CC belong to.'
    calendar: str = ""
    "Calendar of the plan: outside it nothing is dialled, whatever the law allows; empty: the law alone."
    starts_at: float | None = None
    ends_at: float | None = None
    "Epoch seconds between which it dials."
    preview_for: float = 120.0
    "preview: seconds an agent may look at a contact; then it counts as no."
    ring_for: float = 25.0
    "Counted from the first 18x; never less than the law's least."
    pacing: Pacing = field(default_factory=Pacing)
    amd: Amd = field(default_factory=Amd)
    retries: Mapping[str, RetryRule] = field(default_factory=lambda: dict(DEFAULT_RULES))
    "By outcome; an outcome that is not here closes the contact, or takes its next number."
    attempts: int = 5
    "Calls to one contact at most, all its numbers together."
    redial_gap: float = 300.0
    "Least time between two calls to the same number; also after an outcome that is not known."
    callback_patience: float = 3600.0
    "How long an agreed call-back waits for its agent; then anybody calls."
    dispositions: tuple[Disposition, ...] = ()
    "What an agent may say about a talk."
    do_not_call: tuple[str, ...] = ()
    "Lists that count besides the tenant's own, which always does."
    screen: tuple[str, ...] = ()
    "Fields of the contact that the agent sees, in this order; empty: all."
    seller: str = ""
    "Who is calling, for the message to those for whom no agent is there in time."
    callback_number: str = ""
    "E.164: whom the called can call to be left alone."
    wait_message: str = ""
    "Sound file name of that message; empty: the spoken one of seller and call-back number."
    record: bool = False
    "Record its talks, unless the node records nothing."
    results_to: str = ""
    "Webhook of the plan that the records of its commands are delivered to."
    state: CampaignState = CampaignState.DRAFT
    reason: str = ""
    "Why it is in this state, as a word or a sentence."
    node: str = ""
    "Who runs it; empty: nobody."

    @property
    def has_agents(self) -> bool:
        """Whether its calls need one."""
        return self.mode is not Mode.BROADCAST

    def disposition(self, code: str) -> Disposition | None:
        """What an agent's word means here."""
        return next((one for one in self.dispositions if one.code == code), None)
