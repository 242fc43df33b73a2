"""The page of business data: up to date, and its example can be imported."""

from pathlib import Path

from b2bua.cli.plan_files import read_toml
from b2bua.storage.plan_document import EXAMPLE, business_data_page
from b2bua.storage.plan_values import read
from routing.directory import Directory
from routing.plan import KINDS, Plan, mistakes


def test_the_page_is_up_to_date() -> None:
    """docs/business-data.md is made by scripts/gen_config_docs."""
    page = Path(__file__).parents[3] / "docs" / "business-data.md"
    assert page.read_text(encoding="utf-8") == business_data_page()


def test_the_example_has_no_mistakes() -> None:
    items, wrong = read_toml(EXAMPLE)
    assert wrong == []
    plan = Plan.of(*(read(KINDS[item.word], item.data) for item in items))
    assert list(mistakes(plan, Directory())) == []
    assert len(plan.queues["repairs"].widen) == 2


def test_every_kind_and_every_field_is_on_the_page() -> None:
    page = business_data_page()
    for kind in KINDS.values():
        assert f"\n## {kind.word}\n" in page
        for name in kind.type.__dataclass_fields__:
            assert f"\n| `{name}` |" in page, (kind.word, name)
