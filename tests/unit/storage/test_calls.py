"""CDRs: stored from the spool's records, filtered, paged and streamed."""

from dataclasses import replace

import pytest

from b2bua.storage import NotFound, Storage, call_rows
from b2bua.storage.calls import CallFilter, CallRecord, Calls, PartRecord

START = 1_800_000_000.0


def call(n: int, **fields: object) -> CallRecord:
    """Call number n, begun n seconds after START, ended after 5."""
    at = START + n
    known: dict[str, object] = {"tenant": "acme", "trunk": "carrier", "called": "8000", "ended_at": at + 5}
    known |= {"duration": 5.0, "cause": "normal", "sip_code": 200}
    return CallRecord(id=f"call-{n:06}", node="n1", direction="inbound", started_at=at, **(known | fields))  # type: ignore[arg-type]


async def store(storage: Storage, *calls: CallRecord) -> None:
    records = [one.as_record() for one in calls]
    await storage.write(lambda conn: call_rows.store(conn, records))


async def test_a_call_comes_back_with_every_field(storage: Storage) -> None:
    """One row a call and one a part."""
    full = CallRecord(
        "call-1", "n1", "inbound", START, "acme", "carrier", "8000", "4008100001", "13800138000", "71004711",
        "correlated", "diversion", "71", "004711", "abcdef", "801", "token", START + 1, START + 2, START + 60.5,
        60.5, 58.5, "normal", 200, "caller", "abc@carrier", {"reason": "Q.850;cause=16", "n": [1, None]},
        [
            PartRecord(0, "caller", START, "13800138000", "abc@carrier", None, START + 2, START + 60.5, 200, "bye",
                       "PCMA", 3000, 2, 1.5, 20.25, 4.41, {"x": 1}),
            PartRecord(1, "agent", START + 0.5, "801", "def@inside", START + 1, START + 2, START + 60.5, 200),
        ],
    )  # fmt: skip
    await store(storage, full)
    assert await Calls(storage).get("call-1") == full


async def test_the_record_at_the_end_replaces_the_one_at_answer_and_never_the_other_way(storage: Storage) -> None:
    """Records may come again after a crash, together or one by one."""
    at_answer = call(1, ended_at=None, duration=None, cause=None, sip_code=None, answered_at=START + 2)
    at_answer.parts = [PartRecord(0, "caller", START + 1), PartRecord(1, "agent", START + 1)]
    at_end = replace(at_answer, ended_at=START + 9, cause="normal", talk=7.0)
    at_end.parts = [PartRecord(0, "caller", START + 1, ended_at=START + 9, codec="PCMA"), at_answer.parts[1]]
    calls = Calls(storage)
    await store(storage, at_answer)
    assert await calls.get("call-000001") == at_answer
    for batch in ([at_answer, at_end], [at_end, at_answer], [at_answer], [at_end]):
        await store(storage, *batch)
        assert await calls.get("call-000001") == at_end
    assert len((await calls.page(CallFilter())).calls) == 1


def test_a_record_is_a_copy_without_what_is_not_known() -> None:
    """The call may go on changing while its record waits to be stored."""
    one = call(1, parts=[PartRecord(0, "caller", START)])
    record = one.as_record()
    one.cause = "other"
    one.parts[0].codec = "PCMU"
    assert record["cause"] == "normal"
    assert "ringing_at" not in record
    assert record["parts"] == [{"n": 0, "role": "caller", "started_at": START, "detail": {}}]


async def test_calls_are_paged_newest_first(storage: Storage) -> None:
    """Keyset paging: calls that come in between neither repeat nor hide a row, equal times included."""
    many = [replace(call(n // 3), id=f"call-{n:06}") for n in range(100)]
    await store(storage, *many)
    calls = Calls(storage)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await calls.page(CallFilter(), limit=7, cursor=cursor)
        seen += [one.id for one in page.calls]
        await store(storage, replace(call(1000 + len(seen)), id=f"new-{len(seen)}"))
        if (cursor := page.next) is None:
            break
    assert seen == [f"call-{n:06}" for n in reversed(range(100))]


async def test_a_stream_goes_through_all_pages(storage: Storage) -> None:
    """For CSV."""
    await store(storage, *(call(n) for n in range(25)))
    streamed = [one.id async for one in Calls(storage).stream(CallFilter(since=START + 5), page=10)]
    assert streamed == [f"call-{n:06}" for n in reversed(range(5, 25))]


@pytest.mark.parametrize("cursor", ["", "x", "1.5", "a_b", "_"])
async def test_a_cursor_that_is_not_ours_is_refused(sqlite: Storage, cursor: str) -> None:
    """Bad input."""
    with pytest.raises(ValueError, match="cursor"):
        await Calls(sqlite).page(CallFilter(), cursor=cursor)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (CallFilter(), [4, 3, 2, 1, 0]),
        (CallFilter(since=START + 1, until=START + 3), [2, 1]),
        (CallFilter(tenant="other"), [1]),
        (CallFilter(extension="801"), [2]),
        (CallFilter(caller="13800138000"), [3]),
        (CallFilter(caller="4008100001"), [3]),
        (CallFilter(called="8001"), [4]),
        (CallFilter(cause="busy"), [0]),
        (CallFilter(answered=True), [2]),
        (CallFilter(answered=False, tenant="acme"), [4, 3, 0]),
        (CallFilter(correlation="missing"), [4]),
        (CallFilter(trunk="other"), [4]),
        (CallFilter(tenant="nobody"), []),
    ],
)
async def test_calls_are_filtered(storage: Storage, wanted: CallFilter, found: list[int]) -> None:
    """By time, tenant, extension, caller, called number, cause, outcome."""
    await store(
        storage,
        call(0, cause="busy"),
        call(1, tenant="other"),
        call(2, extension="801", answered_at=START + 3),
        call(3, effective_caller="13800138000", billing_number="4008100001"),
        call(4, called="8001", correlation="missing", trunk="other"),
    )
    page = await Calls(storage).page(wanted)
    assert [one.id for one in page.calls] == [f"call-{n:06}" for n in found]
    assert page.next is None


async def test_a_call_of_another_tenant_is_not_there(storage: Storage) -> None:
    """A tenant's key reaches its own calls only."""
    await store(storage, call(1))
    calls = Calls(storage)
    assert (await calls.get("call-000001", tenant="acme")).tenant == "acme"
    for other in ("call-000001", "call-999999"):
        with pytest.raises(NotFound, match=other):
            await calls.get(other, tenant="other")


async def test_old_calls_are_deleted_with_their_parts(storage: Storage) -> None:
    """Retention; what is still going on stays."""
    old = [call(n, parts=[PartRecord(0, "caller", START)]) for n in range(1200)]
    await store(storage, *old, replace(call(1), id="open", ended_at=None))
    calls = Calls(storage)
    assert await calls.purge(START + 1000) == 1000
    assert [one.id async for one in calls.stream(CallFilter(until=START + 1001))] == ["call-001000", "open"]
    assert await storage.read(lambda conn: conn.exec_driver_sql("SELECT count(*) FROM call_parts").scalar()) == 200
