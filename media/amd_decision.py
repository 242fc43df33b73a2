"""One call's way to a verdict: words, pauses and tones in, a decision out.  Pure; times are seconds since the answer.

While somebody talks the trees are asked at certain lengths of the greeting, in a pause at certain lengths of the pause.
A tree that is not sure enough leaves it to the next one; the last one decides, and doubt is for the person.
"""

from __future__ import annotations

import math

from media.amd_features import LAST, PAUSES, TALKS, Word, figures
from media.amd_trees import chance, load
from media.amd_values import AmdSettings, Beep, Kind, Stage, Verdict
from media.beep import SURE, beep, surely_beep
from media.call_tones import Heard, Signal, Tones, cadence, fax, is_network_tone, sit
from media.speech_timing import FRAME

LEARNED = load()
"Read once, when the server starts."
TALKING = 0.5
"Seconds of pause up to which somebody is still talking."
BEEP_OVER = 0.3
"Seconds without a tone or a word after a beep: no second one belongs to it."
TONES_AGAIN = 0.1
"Seconds between two looks at the pauses between network tones."
TONES_BEGIN = 0.14
"Seconds: the begin of a tone, before it is known to be steady, makes a word no longer than this."
STEADY = 3.0
"Seconds of one tone that no beep and no ringback has."
FAINTER = 12.0
"dB: words so much fainter than the loudest one before them are somebody else's, further from the telephone."
MOST_WORDS = 400
"Words that are remembered: no figure changes a verdict after that many."

KINDS = {Signal.BUSY: Kind.BUSY, Signal.CONGESTION: Kind.CONGESTION, Signal.FAX: Kind.FAX, Signal.SIT: Kind.SIT}


class Progress:
    """What is known about one call."""

    __slots__ = (
        "_asked",
        "_beep",
        "_level",
        "_loudest",
        "_since",
        "_stage",
        "beep",
        "due",
        "finished",
        "ringing",
        "settings",
        "tones",
        "verdict",
        "words",
    )

    def __init__(self, settings: AmdSettings, stage: Stage = Stage.ANSWERED) -> None:
        self.settings = settings
        self.verdict: Verdict | None = None
        self.ringing = False
        self.finished = False
        "Whether a machine is ready for a message, or will not be."
        self.beep: Beep | None = None
        "What it was ready by."
        self.words: list[Word] = []
        "Those that are over."
        self.tones = Tones()
        self.due = settings.initial_silence if stage is Stage.ANSWERED else math.inf
        "When `look` wants to be called next if nothing happens."
        self._stage = stage
        self._since: float | None = None
        "Begin of the word that is going on."
        self._level = 0.0
        "How loud it has been, dBm0."
        self._loudest = -math.inf
        "Of the words that are over."
        self._asked: set[str] = set()
        "Trees that were asked since the last word began, and those for talk that were ever asked."
        self._beep: Beep | None = None

    def __repr__(self) -> str:
        return f"<{len(self.words)} words, {self.tones!r}, {self.verdict.kind if self.verdict else 'open'}>"

    def word_began(self, start: float, level: float) -> None:
        self._since, self._level = start, level
        if not self._faint(level):
            self._anew()

    def _anew(self) -> None:
        """Somebody talks again."""
        self._beep = None
        self._asked.intersection_update(TALKS)

    def word_ended(self, start: float, end: float, level: float) -> None:
        self._since = None
        if end - start <= TONES_BEGIN and any(
            abs(start - tone.start) <= TONES_BEGIN for tone in (*self.tones.heard, self.tones.current()) if tone
        ):
            return
        if self._faint(level):
            return
        self._loudest = max(self._loudest, level)
        if len(self.words) < MOST_WORDS:
            self.words.append(Word(start, end, level))
        else:
            self.words[-1] = Word(self.words[-1].start, end, level)

    def level(self, level: float) -> None:
        """The loudest frame so far of the word that is going on, dBm0."""
        if self._faint(self._level) and not self._faint(level) and self._since is not None:
            self._anew()
        self._level = level

    def _faint(self, level: float) -> bool:
        return bool(self.words) and level < self._loudest - FAINTER

    def tone(self, start: float, end: float, tone: tuple[float, float] | None) -> None:
        """A frame that is a tone, or one that follows a tone."""
        if self.tones.frame(start, end, tone):
            found = beep(self.tones.heard[-1])
            # Pieces of a beep that wobbles, and double beeps, count as one.
            self._beep = found and Beep(self._beep.start if self._beep else found.start, found.end, found.frequency)

    def look(self, now: float) -> None:
        """Decide what can be decided by now, and set `due`."""
        self.due = math.inf
        if self.verdict is None:
            self.verdict = self._tone_verdict(now)
            if self.verdict is None and self._stage is Stage.ANSWERED:
                self.verdict = self._voice_verdict(now)
        if self.verdict is None:
            self.due = min(self.due, self._next(now))
        elif not self.finished:
            self._wait_for_message(now)

    # -- tones

    def _tone_verdict(self, now: float) -> Verdict | None:
        tones, current = self.tones.heard, self.tones.current()
        if not tones and current is None:
            return None
        if code := sit(tones):
            return Verdict(Kind.SIT, "special information tone", now, self._greeting_end(), code)
        last = current or tones[-1]
        first_word = self.words[0].start if self.words else self._since
        talked = first_word is not None and first_word < last.start - TONES_BEGIN
        if not talked and fax(tones, current):
            return Verdict(Kind.FAX, "fax tone", now)
        signal = cadence(tones, now) if current is None else None
        if signal is Signal.RINGBACK:
            self.ringing = True
        elif signal is not None:
            return Verdict(KINDS[signal], f"{signal} tone", now, self._greeting_end())
        if self._stage is Stage.ANSWERED and surely_beep(last, now, after_talk=talked):
            return Verdict(Kind.MACHINE, "beep", now, self._greeting_end())
        if self._stage is Stage.ANSWERED and current is not None and current.length >= STEADY:
            return Verdict(Kind.MACHINE, "steady tone", now, self._greeting_end())
        if any(is_network_tone(tone) or tone.length >= SURE for tone in (*tones[-1:], current) if tone):
            self.due = now + TONES_AGAIN  # pauses between tones mean something too
        return None

    # -- talk and pauses

    def _voice_verdict(self, now: float) -> Verdict | None:
        settings = self.settings
        if not self.words and self._since is None:
            if now >= settings.initial_silence and self.tones.current() is None:
                return Verdict(Kind.SILENCE, "nobody speaks", now)
            return None
        pause = self._pause(now)
        if pause < TALKING:
            return self._while_talking(now)
        if pause >= settings.hard_cut:
            return Verdict(Kind.HUMAN, "hard cut", now, self._greeting_end())
        if self.tones.current() is not None:
            return None  # a beep may come of it
        return self._in_pause(now, pause)

    def _while_talking(self, now: float) -> Verdict | None:
        words = self._words(now)
        greeting = now - words[0].start
        for name in TALKS:
            if name not in self._asked and greeting >= float(name) - 1e-6:
                self._asked.add(name)
                if self.chance(name, figures(words)) >= self._sure(name):
                    return Verdict(Kind.MACHINE, "talks on", now)
        if now >= self.settings.longest:
            return Verdict(Kind.MACHINE, "still talking", now)
        return None

    def _in_pause(self, now: float, pause: float) -> Verdict | None:
        for name in self._pauses():
            if name in self._asked or pause < self._moment(name) - 1e-6:
                continue
            self._asked.add(name)
            likely = self.chance(name, figures(self.words))
            if likely >= self._sure(name):
                return Verdict(Kind.MACHINE, "greeting", now, self._greeting_end())
            if name == LAST or likely <= LEARNED.human[name]:
                return Verdict(Kind.HUMAN, "short greeting", now, self._greeting_end())
        return None

    def chance(self, name: str, seen: tuple[float, ...]) -> float:
        """What the tree of this name says; `scripts/amd train` puts itself here."""
        return chance(LEARNED.trees[name], seen)

    def _pauses(self) -> list[str]:
        """Trees that come before the last one by these settings, and the last one."""
        return [name for name in PAUSES if name == LAST or float(name) < self.settings.after_greeting - 1e-6]

    def _moment(self, name: str) -> float:
        return self.settings.after_greeting if name == LAST else float(name)

    def _sure(self, name: str) -> float:
        """The chance from which it is a machine."""
        return 1 - (1 - LEARNED.machine[name]) / self.settings.caution

    def _next(self, now: float) -> float:
        """When the next tree, or a limit, comes."""
        if self._stage is Stage.EARLY:
            return math.inf
        if not self.words and self._since is None:
            return max(self.settings.initial_silence, now + FRAME)
        first = self.words[0].start if self.words else self._since or 0.0
        moments = [first + float(name) for name in TALKS if name not in self._asked]
        moments.append(self.settings.longest)
        if self.words:
            end = self.words[-1].end
            moments += [end + self._moment(name) for name in self._pauses() if name not in self._asked]
            moments.append(end + self.settings.hard_cut)
        return max(now + FRAME, min((moment for moment in moments if moment > now), default=now + TONES_AGAIN))

    def _pause(self, now: float) -> float:
        if not self.words or (self._since is not None and not self._faint(self._level)):
            return 0.0
        return now - self.words[-1].end

    def _words(self, now: float) -> list[Word]:
        return (
            self.words if self._since is None else [*self.words, Word(self._since, max(now, self._since), self._level)]
        )

    def _greeting_end(self) -> float | None:
        return self.words[-1].end if self.words and self._since is None else None

    # -- leaving a message

    def _wait_for_message(self, now: float) -> None:
        if self.verdict is None or self.verdict.kind is not Kind.MACHINE or now >= self.settings.longest_greeting:
            self.finished = True
            return
        current: Heard | None = self.tones.current()
        if self._since is None and current is None:
            if self._beep is not None and now - self._beep.end >= BEEP_OVER:
                self.beep, self.finished = self._beep, True
                return
            quiet_since = max(self.words[-1].end if self.words else 0.0, self._beep.end if self._beep else 0.0)
            if now - quiet_since >= self.settings.quiet_before_message:
                self.beep, self.finished = Beep(now, now, 0.0), True
                return
        self.due = now + TONES_AGAIN
