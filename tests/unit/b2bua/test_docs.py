"""The documentation names what exists, and everything that operators see is in it."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from b2bua.cli import make_app
from b2bua.metrics import Metrics
from b2bua.settings.model import SECTIONS, TABLES

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
OPERATIONS = ROOT / "docs" / "operations.md"


def metric_names() -> set[str]:
    """Every metric of ours, those that are read at the scrape included."""
    metrics = Metrics()
    own = {family.name for family in metrics.registry.collect() if family.name.startswith("tandem_")}
    code = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "b2bua").rglob("*.py"))
    followed = re.findall(r'follow\(\s*"(counter|gauge)",\s*"(\w+)"', code)
    return own | {f"tandem_{name.removesuffix('_total')}" for _, name in followed}


def test_every_metric_is_explained_to_operators() -> None:
    page = OPERATIONS.read_text(encoding="utf-8")
    assert sorted(name for name in metric_names() if name not in page) == []


def test_every_metric_that_is_explained_or_alarmed_exists() -> None:
    known = metric_names()
    suffixes = ("_total", "_bucket", "_count", "_sum")
    for page in (OPERATIONS, ROOT / "deploy" / "prometheus" / "alerts.yml"):
        for name in set(re.findall(r"tandem_[a-z_]+", page.read_text(encoding="utf-8"))):
            bare = next((name.removesuffix(end) for end in suffixes if name.endswith(end)), name)
            assert name in known or bare in known, f"{page.name} speaks of {name}"


def test_an_alert_misses_no_first_count() -> None:
    """increase() is 0 over a series that begins with its first count, as those with labels do after each start."""
    text = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
    born = {sample.name for family in Metrics().registry.collect() for sample in family.samples}
    followed = metric_names() - {family.name for family in Metrics().registry.collect()}
    watched = re.findall(r"increase\((tandem_\w+)(\{[^}]*\})?\[(\w+)\]\) > 0", text)
    assert len(watched) > 8
    flat = re.sub(r"\s+", " ", text)
    for name, labels, window in watched:
        if name not in born and name.removesuffix("_total") not in followed:
            series = name + labels
            assert f"({series} unless {series} offset {window}) > 0" in flat, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_in_the_documentation_exists(page: Path) -> None:
    root: Any = typer.main.get_command(make_app(lambda settings: None))
    commands: dict[str, Any] = root.commands
    for first, second in re.findall(r"(?:^|[`(/ ])tandem ([a-z][a-z-]+)(?: ([a-z][a-z-]+))?", page.read_text()):
        if first in ("and", "does", "is", "takes", "knows", "into"):
            continue  # prose
        assert first in commands, f"{page.name}: tandem {first}"
        inner = getattr(commands[first], "commands", None)
        if inner is not None and second:
            assert second in inner, f"{page.name}: tandem {first} {second}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_inside_the_repository_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("name", ["gas-utility", "travel-agency"])
def test_what_a_page_shows_of_an_example_is_in_its_file(name: str) -> None:
    """The test of the example imports that file, so page and test say the same."""
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    example = (ROOT / "docs" / "examples" / f"{name}.toml").read_text(encoding="utf-8")
    shown = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(shown) >= 4
    assert [part for part in shown if part not in example] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_key_of_the_configuration_in_the_documentation_exists(page: Path) -> None:
    for section, key in re.findall(
        r"`(node|storage|api|events|media|calls|log|listeners|trunks)\.([a-z_]+)", page.read_text()
    ):
        model = SECTIONS.get(section) or TABLES[section]
        assert key in model.model_fields, f"{page.name}: {section}.{key}"
