"""Messages that callers left: list, show, hear, delete."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import FileResponse

from b2bua.web.desk import RecordingUser, TheDesk
from b2bua.web.models import Epoch, Out, Page

router = APIRouter(prefix="/v1/messages", tags=["messages"])

Key = Annotated[str | None, Query(max_length=64)]


class MessageOut(Out):
    """A message; its sound is under `/v1/messages/{id}/sound`."""

    id: str
    call: str
    mailbox: str
    tenant: str | None
    caller: str | None = Field(description="The effective caller.")
    at: Epoch
    seconds: float


class MessagePage(Out):
    """Messages, newest first."""

    messages: list[MessageOut]
    next: str | None = Field(description="`before` of the next page; null at the end.")


@router.get("")
async def list_messages(
    desk: TheDesk,
    caller: RecordingUser,
    mailbox: Key = None,
    tenant: Key = None,
    before: Key = None,
    limit: Page = 100,
) -> MessagePage:
    """The newest messages of this node; a tenant's key hears its own."""
    found = await desk.messages.page(tenant=caller.scope(tenant), mailbox=mailbox, before=before or "", limit=limit)
    following = found[-1].id if len(found) == limit else None
    return MessagePage(messages=[MessageOut.model_validate(one) for one in found], next=following)


@router.get("/{id}")
async def show_message(id: str, desk: TheDesk, caller: RecordingUser) -> MessageOut:
    """One message."""
    return MessageOut.model_validate(await desk.messages.get(id, caller.tenant))


@router.get("/{id}/sound", response_class=FileResponse, responses={200: {"content": {"audio/wav": {}}}})
async def hear_message(id: str, desk: TheDesk, caller: RecordingUser) -> FileResponse:
    """Its WAV file; ranges of octets are served."""
    found = await desk.messages.get(id, caller.tenant)
    await desk.note(caller, "hear", "message", id)
    return FileResponse(desk.messages.sound(id), media_type="audio/wav", filename=found.file)


@router.delete("/{id}", status_code=204)
async def delete_message(id: str, desk: TheDesk, caller: RecordingUser) -> None:
    """Remove it for good."""
    await desk.messages.delete(id, caller.tenant)
    await desk.note(caller, "delete", "message", id)
