"""The ring between the conference's thread and the loop."""

import asyncio
import threading

from media.tap import Ring
from tests.peers.waiting import eventually


async def test_frames_of_another_thread_come_in_order_and_in_batches() -> None:
    ring = Ring(asyncio.get_running_loop(), batch=5, room=1000)
    frames = [n.to_bytes(2, "little") for n in range(500)]

    def conference() -> None:
        for frame in frames:
            ring.put(frame)

    thread = threading.Thread(target=conference)
    thread.start()
    taken = b""
    while len(taken) < 1000:
        taken += await asyncio.wait_for(ring.take(), 5)
    thread.join()
    assert taken == b"".join(frames)
    assert ring.dropped == 0


async def test_a_slow_reader_loses_the_oldest_frames_and_they_are_counted() -> None:
    ring = Ring(asyncio.get_running_loop(), batch=2, room=10)
    for n in range(25):
        ring.put(bytes([n]))
    assert ring.dropped == 15
    assert await ring.take() == bytes(range(15, 25))


async def test_the_reader_waits_for_a_whole_batch() -> None:
    ring = Ring(asyncio.get_running_loop(), batch=3)
    reader = asyncio.ensure_future(ring.take())
    ring.put(b"a")
    ring.put(b"b")
    await asyncio.sleep(0.05)
    assert not reader.done()
    ring.put(b"c")
    assert await asyncio.wait_for(reader, 5) == b"abc"


async def test_a_closed_ring_gives_its_rest_and_then_nothing() -> None:
    ring = Ring(asyncio.get_running_loop())
    ring.put(b"a")
    ring.close()
    assert [await ring.take() for _ in range(3)] == [b"a", b"", b""]


async def test_a_reader_is_woken_by_the_end() -> None:
    ring = Ring(asyncio.get_running_loop())
    reader = asyncio.ensure_future(ring.take())
    await asyncio.sleep(0)
    ring.close()
    await eventually(reader.done, "the reader ends")
    assert reader.result() == b""


def test_frames_after_the_end_of_the_loop_are_nobodys() -> None:
    loop = asyncio.new_event_loop()
    ring = Ring(loop, batch=1)
    loop.close()
    ring.put(b"a")
    ring.put(b"b")
