"""What the code imports is what setup.cfg declares, so that a fresh machine has it."""

import ast
import configparser
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OURS = {"b2bua", "media", "routing", "dialer", "tests"} | {folder.name for folder in (ROOT / "scripts").iterdir()}
NOT_BY_PIP = {"pjsua2", "_pjsua2"}
"Built by scripts/build_pjsua2."
OTHER_NAMES = {"dnspython": "dns"}
"Distributions whose module is called otherwise."
PLUGINS = {"greenlet"}
"SQLAlchemy needs it for asyncpg and does not install it everywhere."


def declared(option: str, section: str = "options") -> set[str]:
    """Module names of the distributions that setup.cfg asks for."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = [line.split("#")[0].strip() for line in setup[section][option].splitlines()]
    names = [re.split("[<>=~!]", line)[0].strip() for line in lines if line]
    return {OTHER_NAMES.get(name, name.lower().replace("-", "_")) for name in names}


def imported(*folders: str) -> dict[str, str]:
    """Top-level modules that are neither ours nor Python's, each with a file that imports it."""
    found: dict[str, str] = {}
    for file in (file for folder in folders for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            for name in (name.partition(".")[0] for name in names):
                if name not in sys.stdlib_module_names | OURS | NOT_BY_PIP:
                    found[name] = str(file.relative_to(ROOT))
    return found


@pytest.mark.parametrize("folder", ["b2bua", "dialer", "media", "routing"])
def test_the_server_imports_only_what_it_declares(folder: str) -> None:
    known = declared("install_requires")
    assert {name: file for name, file in imported(folder).items() if name not in known} == {}


def test_tests_import_only_what_they_declare() -> None:
    known = declared("install_requires") | declared("test", "options.extras_require")
    assert {name: file for name, file in imported("tests").items() if name not in known} == {}


def test_nothing_is_declared_that_nobody_imports() -> None:
    unused = declared("install_requires") - set(imported("b2bua", "dialer", "media", "routing")) - PLUGINS
    assert unused == set()
