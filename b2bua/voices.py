"""Where spoken words come from: recorded files, or a program that speaks texts, each text once and then from its file.

Nothing here waits on the loop: files are looked for on threads, the program is a process with a deadline.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from b2bua.log import logger
from media import wav
from routing.spoken import PLACE, SOUND_FILE, Piece

if TYPE_CHECKING:
    from b2bua.settings import Speech
    from routing.plan import Plan

log = logger("voices")

AT_ONCE = 2
"Programs that speak at the same time: calls are carried on the same processors."
LONGEST_TEXT = 4000
"Characters of one text."
LOOK_EVERY = 2.0
"Seconds between two looks whether the plan has changed."
ESPEAK = ("espeak-ng", "-v", "{language}", "-w", "{file}", "--stdin")
ESPEAK_VOICES = {"zh": "cmn"}
"Languages whose usual name means another voice to espeak-ng."


class Voices:
    """Makes files of what is to be said."""

    def __init__(self, settings: Speech, sounds: Path, spoken: Path) -> None:
        """`sounds`: the operator's recorded files; `spoken`: where the spoken ones are kept."""
        self.sounds, self.spoken = sounds, spoken
        self.deadline, self.keep = settings.deadline, settings.keep_files
        self.command = tuple(settings.command) if settings.command is not None else _installed()
        self.failed = 0
        "Texts and files that callers did not hear."
        self._made: set[Path] = set()
        "Files that are there."
        self._making: dict[Path, asyncio.Task[Path | None]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    def __repr__(self) -> str:
        return f"<voices by {self.command[0] if self.command else 'nobody'}, {len(self._made)} texts>"

    async def files(self, pieces: Iterable[Piece], language: str) -> list[Path]:
        """The files to play for these pieces; one that there is no sound for is left out (and told in the log)."""
        found = await asyncio.gather(*(self.file(piece, language) for piece in pieces))
        return [path for path in found if path is not None]

    async def file(self, piece: Piece, language: str) -> Path | None:
        """The file to play for one piece, None where there is none."""
        if piece.file:
            recorded = await asyncio.to_thread(self._recorded, piece.file, language)
            if recorded is not None:
                return recorded
        if piece.text.strip():
            return await self._speak(piece.text.strip()[:LONGEST_TEXT], language)
        if piece.file:
            self.failed += 1
            log.warning("a sound file is missing", file=piece.file, folder=str(self.sounds), do="put it there")
        return None

    async def rehearse(self, plan: Callable[[], Plan]) -> None:
        """For ever: speak what the plan's menus and mailboxes say before a caller has to wait for it."""
        known: Plan | None = None
        while True:
            if self.command and (now := plan()) is not known:
                known = now
                for text, language in fixed_texts(now):
                    await self.file(Piece(text=text), language)
            await asyncio.sleep(LOOK_EVERY)

    def _recorded(self, name: str, language: str) -> Path | None:
        if not SOUND_FILE.fullmatch(name):
            return None
        for folder in (self.sounds / language, self.sounds / language.partition("-")[0], self.sounds):
            path = folder / name
            try:
                wav.inspect(path)
            except wav.BadWave:
                continue
            return path
        return None

    async def _speak(self, text: str, language: str) -> Path | None:
        """The file of a spoken text; all who want the same one wait for the same program."""
        if not self.command:
            self.failed += 1
            log.warning("a text was not spoken: no program speaks", text=text[:60], do="install espeak-ng")
            return None
        mark = hashlib.sha256("\0".join((language, text, *self.command)).encode(errors="replace")).hexdigest()[:32]
        path = self.spoken / f"{mark}.wav"
        if path in self._made:
            return path
        task = self._making.get(path)
        if task is None:
            task = self._making[path] = asyncio.create_task(self._make(path, text, language), name=f"speak {mark}")
            task.add_done_callback(lambda _: self._making.pop(path, None))
        return await asyncio.shield(task)

    async def _make(self, path: Path, text: str, language: str) -> Path | None:
        try:
            if not await asyncio.to_thread(_is_sound, path):
                async with asyncio.timeout(self.deadline):  # a program that hangs keeps nobody waiting for those before
                    await self._room.acquire()
                try:
                    await self._run(path, text, language)
                finally:
                    self._room.release()
            self._made.add(path)
            if len(self._made) > self.keep:
                self._made = await asyncio.to_thread(self._thin_out)
        except (OSError, ValueError, TimeoutError) as error:
            self.failed += 1
            why = f"not done in {self.deadline:g} s" if isinstance(error, TimeoutError) else str(error)
            log.warning("a text was not spoken", text=text[:60], language=language, error=why, do="try the program")
            return None
        return path

    async def _run(self, path: Path, text: str, language: str) -> None:
        """Raises OSError, TimeoutError, or ValueError where no sound came of it."""
        await asyncio.to_thread(self.spoken.mkdir, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.stem}.{os.getpid()}.wav")
        process = await asyncio.create_subprocess_exec(
            *_filled(self.command, draft, language),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(self.deadline):
                _, errors = await process.communicate(text.encode(errors="replace"))
            if process.returncode:
                raise ValueError(f"exit code {process.returncode}: {errors.decode(errors='replace').strip()[:200]}")
            await asyncio.to_thread(_finish, draft, path)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            await asyncio.to_thread(draft.unlink, missing_ok=True)

    def _thin_out(self) -> set[Path]:
        """Delete the oldest files until a tenth of the room is free; what is left."""
        files = sorted(self.spoken.glob("*.wav"), key=lambda file: file.stat().st_mtime)
        surplus = len(files) - self.keep * 9 // 10
        for file in files[: max(0, surplus)]:
            file.unlink(missing_ok=True)
        return set(files[max(0, surplus) :]) & self._made


def fixed_texts(plan: Plan) -> Iterator[tuple[str, str]]:
    """Texts that are the same for every caller, with their languages."""
    for menu in plan.menus.values():
        for by_language in menu.texts.values():
            yield from ((text, language) for language, text in by_language.items() if not PLACE.search(text))
    for box in plan.mailboxes.values():
        yield box.greeting, box.language


def _filled(command: Sequence[str], file: Path, language: str) -> list[str]:
    voice = ESPEAK_VOICES.get(language, language) if command == ESPEAK else language
    return [part.replace("{file}", str(file)).replace("{language}", voice) for part in command]


def _installed() -> tuple[str, ...]:
    return ESPEAK if shutil.which(ESPEAK[0]) else ()


def _is_sound(path: Path) -> bool:
    try:
        wav.inspect(path)
    except wav.BadWave:
        return False
    return True


def _finish(draft: Path, path: Path) -> None:
    """A reader sees the whole file or none of it.  Raises OSError, or BadWave for a file that is no sound."""
    if not wav.inspect(draft).frames:
        raise wav.BadWave(draft, "has no sound in it")
    draft.replace(path)
