"""The table of the configuration about how calls sound."""

from typing import Annotated

from pydantic import Field

from .values import Section


class Quality(Section):
    """When a leg counts as poor, and when that is an alarm (docs/quality.md)."""

    silence_alarm: Annotated[float, Field(ge=0, le=60)] = 1.0
    "Seconds without sound that should come, after which a leg is one-way or dead; told within one more. 0: never."
    believe_reports: bool = True
    "Take it for one-way sound when a far end reports by RTCP that it hears nothing. False: its reports may be wrong."
    poor_mos: Annotated[float, Field(ge=1, le=4.5)] = 3.5
    "Score (MOS) under which a leg is poor."
    trunk_share: Annotated[float, Field(ge=0, le=1)] = 0.2
    "Share of poor legs of a trunk that is an alarm, which is over at half of it; 0: never."
    trunk_legs: Annotated[int, Field(ge=1, le=100_000)] = 5
    "Fewer legs than these in `trunk_window` are no alarm, however they sound."
    trunk_window: Annotated[float, Field(ge=10, le=86400)] = 300
    "Seconds for which a leg counts after its end; legs that live count as well."
