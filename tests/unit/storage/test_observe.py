"""Who watches the storage sees how each operation went."""

import pytest
import sqlalchemy as sa

from b2bua.storage import Duplicate, Storage, StorageUnavailable


async def test_every_operation_is_told_with_its_kind_result_and_time(storage: Storage) -> None:
    seen: list[tuple[str, str]] = []

    def observe(kind: str, result: str, seconds: float) -> None:
        assert seconds >= 0.0
        seen.append((kind, result))

    def refuse(conn: sa.Connection) -> None:
        raise Duplicate("there is one already")

    storage.observe = observe
    await storage.read(lambda conn: None)
    await storage.write(lambda conn: None)
    with pytest.raises(Duplicate):
        await storage.write(refuse)
    await storage.close()
    with pytest.raises(StorageUnavailable):
        await storage.read(lambda conn: None)
    assert seen == [("read", "ok"), ("write", "ok"), ("write", "refused"), ("read", "unavailable")]
