"""Reads the TOML file and the environment, and says everything that is wrong with them at once."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from .checks import check
from .model import EMBEDDED_LISTENERS, EMBEDDED_TRUNKS, SECTIONS, TABLES, Mistake, Settings, SettingsError
from .sentences import nearest, sentence
from .values import is_name

PREFIX = "TANDEM_"
PLACES = (Path("tandem.toml"), Path("/etc/tandem/tandem.toml"))
"Where the file is looked for when none is named."


def find(named: Path | None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The file to read: the named one, else TANDEM_CONFIG, else the first of `PLACES` that exists, else none."""
    if named is not None:
        return named
    if environ.get("TANDEM_CONFIG"):
        return Path(environ["TANDEM_CONFIG"])
    return next((place for place in PLACES if place.is_file()), None)


def load(file: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The configuration of this node, from `file` (None: embedded defaults) with the environment over it.

    Raises `SettingsError` with every mistake that could be found.
    """
    reading = _Reading(file)
    raw = reading.file_tables()
    if reading.mistakes:
        raise SettingsError(reading.mistakes)
    if "listeners" not in raw:
        raw["listeners"] = {name: dict(table) for name, table in EMBEDDED_LISTENERS.items()}
        raw.setdefault("trunks", {name: dict(table) for name, table in EMBEDDED_TRUNKS.items()})
    reading.lay_over(raw, environ)
    settings = reading.settings(raw)
    if reading.mistakes:
        raise SettingsError(reading.mistakes)
    return settings


class _Reading:
    """One pass over file and environment; collects mistakes as it goes."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.mistakes: list[Mistake] = []
        self.variables: dict[str, str] = {}
        "Dotted key -> environment variable that set it."

    def wrong(self, key: str, what: str) -> None:
        variable = self.variables.get(key)
        if variable is not None:
            self.mistakes.append(Mistake(variable, "", what))
        else:
            self.mistakes.append(Mistake(str(self.file) if self.file else "defaults", key, what))

    def file_tables(self) -> dict[str, Any]:
        if self.file is None:
            return {}
        try:
            return tomllib.loads(self.file.read_text(encoding="utf-8"))
        except OSError as error:
            self.wrong("", f"cannot be read ({error.strerror})")
        except UnicodeDecodeError:
            self.wrong("", "is not UTF-8 text")
        except tomllib.TOMLDecodeError as error:
            self.wrong("", f"is not TOML: {error}")
        return {}

    def lay_over(self, raw: dict[str, Any], environ: Mapping[str, str]) -> None:
        """TANDEM_SECTION__KEY and TANDEM_TRUNKS__NAME__KEY; names in variables are written in any case."""
        for variable in sorted(environ):
            if not variable.startswith(PREFIX) or "__" not in variable:
                continue
            path = variable[len(PREFIX) :].lower().split("__")
            depth = 3 if path[0] in TABLES else 2
            if path[0] not in SECTIONS and path[0] not in TABLES:
                known = f"{PREFIX}{{{', '.join([*SECTIONS, *TABLES]).upper()}}}__KEY"
                self.mistakes.append(Mistake(variable, "", f"names no section: variables are {known}"))
            elif len(path) != depth or not all(path):
                form = "__".join(["SECTION", "NAME", "KEY"][:: 1 if depth == 3 else 2])
                self.mistakes.append(Mistake(variable, "", f"must be of the form {PREFIX}{form}"))
            else:
                self.variables[".".join(path)] = variable
                table = raw
                for step in path[:-1]:
                    inner = table.setdefault(step, {})
                    if not isinstance(inner, dict):
                        break  # the file is wrong there, and is told so when the section is read
                    table = inner
                else:
                    table[path[-1]] = environ[variable]

    def settings(self, raw: dict[str, Any]) -> Settings:
        """What can be built; with mistakes it is not whole, but good enough to find more of them."""
        parts: dict[str, Any] = {}
        for section in raw:
            if section not in SECTIONS and section not in TABLES:
                self.wrong(section, f"is not a known section{nearest(section, [*SECTIONS, *TABLES])}")
        for section, model in SECTIONS.items():
            parts[section] = self._one(section, model, raw.get(section, {})) or model()
        for section, model in TABLES.items():
            parts[section] = self._named(section, model, raw.get(section, {}))
        settings = Settings(**parts, file=self.file)
        if self.file is not None:
            settings = _at_home(settings, self.file.absolute().parent)
        names = raw.get("listeners")
        for key, what in check(settings, frozenset(names) if isinstance(names, dict) else frozenset()):
            self.wrong(key, what)
        return settings

    def _named(self, section: str, model: type[BaseModel], raw: Any) -> dict[str, BaseModel]:
        if not isinstance(raw, dict):
            self.wrong(section, f"must be a table of tables: write [{section}.NAME]")
            return {}
        if section == "listeners" and not raw:
            self.wrong(section, "has no entry: at least one address to listen on is needed")
        found: dict[str, BaseModel] = {}
        for name, table in raw.items():
            if not is_name(name):
                self.wrong(f"{section}.{name}", "is no name: 1 to 40 of a-z, 0-9, _ and -, first a letter or digit")
            value = self._one(f"{section}.{name}", model, table)
            if value is not None:
                found[name] = value
        return found

    def _one(self, key: str, model: type[BaseModel], raw: Any) -> BaseModel | None:
        if not isinstance(raw, dict):
            self.wrong(key, f"must be a table: write [{key}]")
            return None
        try:
            return model.model_validate(raw)
        except ValidationError as invalid:
            for error in invalid.errors(include_url=False):
                place = ".".join(str(step) for step in error["loc"] if not isinstance(step, int))
                self.wrong(f"{key}.{place}", sentence(cast(Mapping[str, Any], error), model.model_fields))
            return None


def _at_home(settings: Settings, home: Path) -> Settings:
    """Relative paths in a file mean: from the folder of that file."""

    def moved(section: BaseModel) -> Any:
        paths = {
            key: home / value
            for key in type(section).model_fields
            if isinstance(value := getattr(section, key), Path) and not value.is_absolute()
        }
        return section.model_copy(update=paths) if paths else section

    return replace(
        settings,
        node=moved(settings.node),
        api=moved(settings.api),
        media=moved(settings.media),
        recording=moved(settings.recording),
        speech=moved(settings.speech),
        listeners={name: moved(listener) for name, listener in settings.listeners.items()},
    )
