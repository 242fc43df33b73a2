"""The menu in docs/menus.md is one that can be imported."""

import re
import tomllib
from pathlib import Path

from b2bua.storage.plan_values import read
from routing.calendar import Calendar
from routing.goal import Goal
from routing.plan import KINDS, Plan, mistakes
from routing.queue import Queue
from routing.vdn import Vdn
from tests.unit.routing.world import directory

PAGE = Path(__file__).parents[3] / "docs" / "menus.md"


def test_the_examples_have_no_mistakes() -> None:
    blocks = [tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)]
    [menu] = [read(KINDS["menus"], one) for block in blocks for one in block.get("menus", [])]
    [box] = [read(KINDS["mailboxes"], one) for block in blocks for one in block.get("mailboxes", [])]
    around = (Calendar("office"), Queue("desk", "desk"), Vdn("8003", "repairs", Goal("queue", "desk")))
    assert list(mistakes(Plan.of(menu, box, *around), directory())) == []
