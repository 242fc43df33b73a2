"""The table of the configuration about the codes that agents dial and press."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from routing.feature_codes import FeatureCodes as Codes
from routing.feature_codes import clashes

from .values import Section

Code = Annotated[str, Field(pattern=r"^[0-9*#]{0,8}$")]
Reason = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,64}$")]


class FeatureCodes(Section):
    """What agents dial from their phones to change their state, and press while they talk. Empty: not to be had."""

    log_in: Code = "*41"
    "Dialled: logs the agent in. His PIN (`pin` of his agent profile) follows the code, or the tone behind it."
    log_out: Code = "*42"
    "Dialled: logs him out."
    pause: Code = "*43"
    "Dialled: pauses him; the number of a reason in `pause_reasons` may follow, 1 is the first."
    resume: Code = "*44"
    "Dialled: ends his pause."
    wrap_up_over: Code = "*45"
    "Dialled: ends his wrap-up."
    pick_up: Code = "*8"
    "Dialled: takes the call that rings at the phone whose extension follows, or at that of any agent of a same queue."
    monitor: Code = "*5"
    "Dialled: lets a supervisor listen to the agent whose extension follows; then 4 listens, 5 whispers, 6 barges in."
    transfer: Code = "*2"
    "Pressed in a call: this, an extension, VDN, queue or number, and # send the caller there."
    consult: Code = "*7"
    "Pressed in a call: this, a colleague's extension and #; he is asked while the caller hears music."
    join: Code = "*3"
    "Pressed while a colleague is asked: all three talk."
    complete: Code = "*4"
    "Pressed while a colleague is asked, or all three talk: the caller stays with him, the agent is free."
    back: Code = "*1"
    "Pressed while a colleague is asked, or all three talk: the agent goes on with his caller alone."
    release: Code = "*0"
    "Pressed in a call: ends it, while a standing line stays up."
    pause_reasons: list[Reason] = Field(default=["break", "lunch", "training"], max_length=99)
    "Reasons of a pause by their numbers."
    outside: Annotated[str, Field(pattern=r"^[0-9]{0,4}$")] = ""
    "Digits before a number outside that a call is transferred to by keys; without them only inside targets."

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        codes = self.codes()
        for group in (codes.dialled(), codes.pressed(), codes.consulting()):
            for a, b in clashes(group):
                raise ValueError(f"the code {group[a]} of {a} begins the code {group[b]} of {b}")
        return self

    def codes(self) -> Codes:
        """As what decides knows them."""
        return Codes(
            self.log_in,
            self.log_out,
            self.pause,
            self.resume,
            self.wrap_up_over,
            self.transfer,
            self.release,
            tuple(self.pause_reasons),
            self.outside,
            self.pick_up,
            self.monitor,
            self.consult,
            self.join,
            self.complete,
            self.back,
        )
