"""Messages as files: listed newest first, each tenant his own, and nothing is left of what was deleted."""

import os
from pathlib import Path

import pytest

from b2bua.calls.ids import new_call_id
from b2bua.storage.errors import NotFound
from b2bua.storage.messages import Message, Messages
from media import wav
from media.tones import BEEP, cadence_samples


async def leave(
    messages: Messages, call: str, *, tenant: str | None = "acme", box: str = "sales", at: float = 0.0
) -> str:
    number = await messages.new(call)
    wav.write(messages.sound(number), cadence_samples(BEEP, 8000), 8000)
    await messages.keep(Message(number, call, box, tenant, "13800000001", at, 0.2))
    return number


async def test_newest_first_by_tenant_and_mailbox(tmp_path: Path) -> None:
    messages = Messages(tmp_path / "messages")
    assert await messages.page() == []
    one = await leave(messages, new_call_id())
    two = await leave(messages, new_call_id(), tenant="bolt")
    three = await leave(messages, new_call_id(), box="night")
    assert [found.id for found in await messages.page()] == [three, two, one]
    assert [found.id for found in await messages.page(tenant="acme")] == [three, one]
    assert [found.id for found in await messages.page(mailbox="sales", limit=1)] == [two]
    assert [found.id for found in await messages.page(before=two)] == [one]
    assert (await messages.get(two, "bolt")).file == f"{two}.wav"
    for id_, tenant in ((two, "acme"), ("../etc/passwd", None), (new_call_id(), None)):
        with pytest.raises(NotFound):
            await messages.get(id_, tenant)


async def test_a_second_message_of_a_call_is_another_one(tmp_path: Path) -> None:
    messages, call = Messages(tmp_path), new_call_id()
    assert await leave(messages, call) == call
    assert await leave(messages, call) == f"{call}-2"
    assert len(await messages.page()) == 2


async def test_deleted_and_old_ones_leave_nothing(tmp_path: Path) -> None:
    messages = Messages(tmp_path)
    one, two = await leave(messages, new_call_id(), at=100.0), await leave(messages, new_call_id(), at=300.0)
    assert messages.purge(200.0) == 1
    assert [found.id for found in await messages.page()] == [two]
    await messages.delete(two)
    assert os.listdir(tmp_path) == []
    with pytest.raises(NotFound):
        await messages.delete(one)


async def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    messages = Messages(tmp_path)
    good = await leave(messages, new_call_id())
    for text in ("", "{}", "[1]", '{"id": 1, "more": 2}'):
        (tmp_path / f"{new_call_id()}.json").write_text(text)
    assert [found.id for found in await messages.page()] == [good]
