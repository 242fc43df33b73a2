"""Recordings: those of a live call are started and paused, finished ones listed, fetched and deleted."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import FileResponse, Response

from b2bua.web.desk import Desk, Recorder, RecordingUser, TheDesk
from b2bua.web.models import Epoch, In, Out, Page
from b2bua.web.problems import Problem, not_found
from b2bua.web.rights import Caller
from b2bua.web.sealed_file import sealed_answer
from media.recording import BadSeal

router = APIRouter(tags=["recordings"])

Name = Annotated[str | None, Query(max_length=80)]


class RecordingOut(Out):
    """One call in two channels, the caller on the left; of earlier versions, one leg in one channel."""

    name: str
    call: str
    part: int | None = Field(description="Number of the leg's part in the call record; null: both sides are in it.")
    role: str | None
    tenant: str | None
    size: int = Field(description="Octets.")
    seconds: float
    complete: bool = Field(description="False while it is being written.")
    changed_at: Epoch
    format: str = Field(description="wav | opus")
    encrypted: bool = Field(description="On the disk; what is fetched is not.")
    sha256: str | None = Field(description="Of the file as it lies on the disk; null while it is being written.")
    cut_off: str | None = Field(description="Why it ends before its call did.")


class RecordingPage(Out):
    """Recordings, newest first; those of one call in the order of its legs."""

    recordings: list[RecordingOut]
    next: str | None = Field(description="`before` of the next page; null at the end.")


class RecordingState(In):
    """What is wished of a live call."""

    state: Literal["on", "paused"]


@router.put("/v1/calls/{id}/recording", status_code=202)
async def set_recording(id: str, body: RecordingState, desk: TheDesk, caller: Recorder) -> None:
    """Start, pause or resume it; a pause is silence in the files. The event `call.recording` says when it is done."""
    found = desk.node.calls.get(id)
    if found is None or not caller.reaches(found.tenant) or not _is_in(desk, caller, id):
        raise not_found("live call", id)
    if desk.settings.recording.when == "never":
        raise Problem(409, "conflict", "this node records nothing: recording.when is `never`")
    if not desk.node.calls.record(id, body.state == "on", caller.by):
        raise not_found("live call", id)
    await desk.note(caller, f"recording {body.state}", "call", id)


@router.get("/v1/recordings")
async def list_recordings(
    desk: TheDesk,
    caller: RecordingUser,
    call: Annotated[str | None, Query(max_length=64)] = None,
    before: Name = None,
    limit: Page = 100,
) -> RecordingPage:
    """The newest recordings of this node, or those of one call; a tenant's key sees its own."""
    if call is not None:
        files = await desk.recordings.of_call(call, caller.tenant)
        return RecordingPage(recordings=[RecordingOut.model_validate(file) for file in files], next=None)
    files = await desk.recordings.page(tenant=caller.tenant, before=before or "", limit=limit)
    following = files[-1].name if len(files) == limit else None
    return RecordingPage(recordings=[RecordingOut.model_validate(file) for file in files], next=following)


@router.get(
    "/v1/recordings/{name}",
    response_class=FileResponse,
    responses={200: {"content": {"audio/wav": {}, "audio/ogg": {}}}},
)
async def fetch_recording(name: str, request: Request, desk: TheDesk, caller: RecordingUser) -> Response:
    """The sound, decrypted where it is not kept so; ranges of octets are served. 409 while it is being written."""
    file = await desk.recordings.get(name, caller.tenant)
    if not file.complete:
        raise Problem(409, "conflict", f"{name} is still being written")
    await desk.note(caller, "fetch", "recording", name)
    media_type = "audio/ogg" if file.format == "opus" else "audio/wav"
    if not file.encrypted:
        return FileResponse(file.path, media_type=media_type, filename=name)
    keys, wanted, plain = desk.recordings.keys, request.headers.get("range"), name.removesuffix(".enc")
    if keys is None:
        raise Problem(409, "conflict", f"{name} is encrypted, and recording.key_file is not set")
    try:
        return await asyncio.to_thread(sealed_answer, file.path, keys, plain, media_type, wanted)
    except BadSeal as error:
        raise Problem(409, "conflict", f"{name}: {error}") from None


@router.get("/v1/recordings/{name}/index")
async def show_index(name: str, desk: TheDesk, caller: RecordingUser) -> dict[str, Any]:
    """Who is on which channel and when, what was lost, paused and held, the checksum."""
    return await desk.recordings.index(name, caller.tenant)


@router.delete("/v1/recordings/{name}", status_code=204)
async def delete_recording(name: str, desk: TheDesk, caller: RecordingUser) -> None:
    """Remove it for good. 409 while it is being written."""
    file = await desk.recordings.get(name, caller.tenant)
    if not file.complete:
        raise Problem(409, "conflict", f"{name} is still being written")
    await desk.recordings.delete(name, caller.tenant)
    await desk.note(caller, "delete", "recording", name)


def _is_in(desk: Desk, caller: Caller, call: str) -> bool:
    """An agent's key reaches the call he is in."""
    if caller.extension is None:
        return True
    seat = desk.node.floor.agent(caller.extension)
    return seat is not None and seat.call == call
