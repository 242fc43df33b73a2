"""One call's way to a verdict: words, pauses and tones in, a decision out.  Pure; times are seconds since the answer.

While somebody talks the trees are asked at certain lengths of the greeting, in a pause at certain lengths of the pause.
A tree that is not sure enough leaves it to the next one; the last one decides, and doubt is for the person.

Somebody behind the voice at the telephone may talk on for ever, so one tree is asked when the nearest voice has been
silent for long enough, however much is heard behind it.
"""

from __future__ import annotations

import math

from media.amd_features import CUT, LAST, NEAR, PAUSES, TALKS, Word, figures
from media.amd_spectrum import Floats
from media.amd_trees import chance, load
from media.amd_values import AmdSettings, Beep, Kind, Stage, Verdict
from media.beep import SURE, beep, surely_beep
from media.call_tones import Heard, Signal, Tones, cadence, fax, is_network_tone, sit
from media.speech_timing import FRAME
from media.talker import Talker

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
FAINTER, NEAR_FAINTER = 20.0, 7.0
"dB: words so much fainter than the loudest one before them are somebody else's; the second for the nearest voice."
KNOCK, LONGEST_KNOCK = 0.28, 0.15
"""Seconds: what is over so soon after the answer, and was no longer than the second, is the knock of a handset and no
word.  Who says hello that soon takes longer for it."""
NEAR_LATER = 0.04
"Seconds by which the strict threshold hears the end of a word sooner than one would say it is over."
NEAR_ALONE = 0.1
"Seconds of talk after the nearest voice's from which somebody else is heard: else silence itself is waited for."
MOST_WORDS = 400
"Words that are remembered: no figure changes a verdict after that many."

KINDS = {Signal.BUSY: Kind.BUSY, Signal.CONGESTION: Kind.CONGESTION, Signal.FAX: Kind.FAX, Signal.SIT: Kind.SIT}


def is_knock(start: float, end: float) -> bool:
    """Whether a sound between these seconds is a handset's and no word."""
    return end <= KNOCK and end - start <= LONGEST_KNOCK


class Progress:
    """What is known about one call."""

    __slots__ = (
        "_asked",
        "_beep",
        "_doubtful_end",
        "_near_asked",
        "_stage",
        "_talker",
        "beep",
        "due",
        "finished",
        "near",
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
        self.near = Talker(NEAR_FAINTER)
        "The nearest voice; it is told what the strict threshold hears."
        self._stage = stage
        self._talker = Talker(FAINTER)
        self._near_asked: dict[str, float] = {}
        "The end of the nearest voice at which each of its trees was asked last."
        self._doubtful_end: float | None = None
        "The first end of the nearest voice behind which somebody was still heard."
        self._asked: set[str] = set()
        "Trees that were asked since the last word began, and those for talk that were ever asked."
        self._beep: Beep | None = None

    def __repr__(self) -> str:
        return f"<{len(self.words)} words, {self.tones!r}, {self.verdict.kind if self.verdict else 'open'}>"

    def word_began(self, start: float, level: float) -> None:
        self._talker.began(start, level)
        if not self._talker.faint(level):
            self._anew()

    def _anew(self) -> None:
        """Somebody talks again."""
        self._beep = None
        self._asked.intersection_update(TALKS)

    def word_ended(self, start: float, end: float, level: float) -> None:
        talker = self._talker
        talker.since = None
        if is_knock(start, end):
            return
        if end - start <= TONES_BEGIN and any(
            abs(start - tone.start) <= TONES_BEGIN for tone in (*self.tones.heard, self.tones.current()) if tone
        ):
            return
        if talker.faint(level):
            return
        talker.counts(end, level)
        if len(self.words) < MOST_WORDS:
            self.words.append(Word(start, end, level))
        else:
            self.words[-1] = Word(self.words[-1].start, end, level)

    def near_ended(self, start: float, end: float, level: float) -> None:
        if is_knock(start, end):
            self.near.since = None
        else:
            self.near.ended(start, end, level)

    def level(self, level: float) -> None:
        """The loudest frame so far of the word that is going on, dBm0."""
        talker = self._talker
        if talker.since is not None and talker.faint(talker.level) and not talker.faint(level):
            self._anew()
        talker.heard(level)

    def tone(self, start: float, end: float, tone: tuple[float, float] | None) -> None:
        """A frame that is a tone, or one that follows a tone."""
        if self.tones.frame(start, end, tone):
            found = beep(self.tones.heard[-1])
            # Pieces of a beep that wobbles, and double beeps, count as one.
            self._beep = found and Beep(self._beep.start if self._beep else found.start, found.end, found.frequency)

    def look(self, now: float, past: Floats) -> None:
        """Decide what can be decided by now, and set `due`; `past`: see `amd_features.figures`."""
        self.due = math.inf
        if self.verdict is None:
            self.verdict = self._tone_verdict(now)
            if self.verdict is None and self._stage is Stage.ANSWERED:
                self.verdict = self._voice_verdict(now, past)
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
        first_word = self.words[0].start if self.words else self._talker.since
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

    def _voice_verdict(self, now: float, past: Floats) -> Verdict | None:
        settings = self.settings
        if not self.words and self._talker.since is None:
            if now >= settings.initial_silence and self.tones.current() is None:
                return Verdict(Kind.SILENCE, "nobody speaks", now)
            return None
        pause = self._talker.pause(now)
        if pause < TALKING:
            verdict = self._while_talking(now, past)
        elif pause >= settings.hard_cut:
            return Verdict(Kind.HUMAN, "hard cut", now, self._greeting_end())
        elif self.tones.current() is not None:
            return None  # a beep may come of it
        else:
            verdict = self._in_pause(now, past, pause)
        return verdict or self._near_pause(now, past)

    def _while_talking(self, now: float, past: Floats) -> Verdict | None:
        words = self._words(now)
        greeting = now - words[0].start
        for name in TALKS:
            if name not in self._asked and greeting >= float(name) - 1e-6:
                self._asked.add(name)
                if self._chance(name, words, now, past) >= self._sure(name):
                    return Verdict(Kind.MACHINE, "talks on", now)
        if now >= self.settings.longest:
            return Verdict(Kind.MACHINE, "still talking", now)
        return None

    def _in_pause(self, now: float, past: Floats, pause: float) -> Verdict | None:
        for name in self._pauses():
            if name in self._asked or pause < self._moment(name) - 1e-6:
                continue
            self._asked.add(name)
            if verdict := self._say(name, self._chance(name, self.words, now, past), now):
                return verdict
        return None

    def _near_pause(self, now: float, past: Floats) -> Verdict | None:
        near, talker = self.near, self._talker
        if near.end is None or near.talks or self.tones.current() is not None:
            return None
        if not talker.talks and (talker.end or 0.0) - near.end < NEAR_ALONE:
            return None  # the silence after it is about to decide
        for name in (NEAR, CUT):
            if near.pause(now) < self._moment(name) - 1e-6 or self._near_asked.get(name) == near.end:
                continue
            self._near_asked[name] = near.end
            if self._doubtful_end is None:
                self._doubtful_end = near.end
            if verdict := self._say(name, self._chance(name, self._words(now), now, past), now):
                return verdict
        return None

    def _say(self, name: str, likely: float, now: float) -> Verdict | None:
        """What a tree that was asked in a pause means; None: it is not sure."""
        if likely >= self._sure(name):
            return Verdict(Kind.MACHINE, "greeting", now, self._greeting_end())
        if name == LAST or likely <= LEARNED.human[name]:
            return Verdict(Kind.HUMAN, "short greeting", now, self._greeting_end())
        return None

    def _chance(self, name: str, words: list[Word], now: float, past: Floats) -> float:
        end = now if self.near.talks or self.near.end is None else self.near.end
        return self.chance(name, figures(words, past, end), now)

    def chance(self, name: str, seen: tuple[float, ...], now: float) -> float:
        """What the tree of this name says; `scripts/amd train` puts itself here."""
        return chance(LEARNED.trees[name], seen)

    def _pauses(self) -> list[str]:
        """Trees for silence that come before the last one by these settings, and the last one."""
        limit = self.settings.after_greeting - 1e-6
        return [name for name in PAUSES if name == LAST or (name not in (NEAR, CUT) and float(name) < limit)]

    def _moment(self, name: str) -> float:
        settings = self.settings
        return {
            LAST: settings.after_greeting, NEAR: settings.after_greeting + NEAR_LATER, CUT: settings.hard_cut
        }.get(name) or float(name)  # fmt: skip

    def _sure(self, name: str) -> float:
        """The chance from which it is a machine."""
        return 1 - (1 - LEARNED.machine[name]) / self.settings.caution

    def _next(self, now: float) -> float:
        """When the next tree, or a limit, comes."""
        if self._stage is Stage.EARLY:
            return math.inf
        if not self.words and self._talker.since is None:
            return max(self.settings.initial_silence, now + FRAME)
        first = self.words[0].start if self.words else self._talker.since or 0.0
        moments = [first + float(name) for name in TALKS if name not in self._asked]
        moments.append(self.settings.longest)
        if self.words:
            end = self.words[-1].end
            moments += [end + self._moment(name) for name in self._pauses() if name not in self._asked]
            moments.append(end + self.settings.hard_cut)
        if self.near.end is not None:
            moments += [self.near.end + self._moment(name) for name in (NEAR, CUT)]
        return max(now + FRAME, min((moment for moment in moments if moment > now), default=now + TONES_AGAIN))

    def _words(self, now: float) -> list[Word]:
        talker = self._talker
        if not self.words or talker.talks:
            since = now if talker.since is None else talker.since
            return [*self.words, Word(since, max(now, since), talker.level)]
        return self.words

    def _greeting_end(self) -> float | None:
        """In doubt the first that may be the end, so that the law's limit counts from then."""
        if self._doubtful_end is not None:
            return self._doubtful_end
        return None if self._talker.talks else self._talker.end

    # -- leaving a message

    def _wait_for_message(self, now: float) -> None:
        if self.verdict is None or self.verdict.kind is not Kind.MACHINE or now >= self.settings.longest_greeting:
            self.finished = True
            return
        current: Heard | None = self.tones.current()
        if self._talker.since is None and current is None:
            if self._beep is not None and now - self._beep.end >= BEEP_OVER:
                self.beep, self.finished = self._beep, True
                return
            quiet_since = max(self.words[-1].end if self.words else 0.0, self._beep.end if self._beep else 0.0)
            if now - quiet_since >= self.settings.quiet_before_message:
                self.beep, self.finished = Beep(now, now, 0.0), True
                return
        self.due = now + TONES_AGAIN
