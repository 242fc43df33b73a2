"""The audit log: who changed what, for administrators."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from b2bua.web.desk import Auditor, TheDesk
from b2bua.web.models import Epoch, Out, Page

router = APIRouter(prefix="/v1/audit", tags=["audit"])


class EntryOut(Out):
    """One change, without secrets."""

    id: int
    at: Epoch
    actor: str = Field(examples=["key 6f1c0a (administration)"])
    action: str = Field(examples=["replace"])
    kind: str = Field(examples=["tenant"])
    key: str = Field(examples=["acme"])
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditPage(Out):
    """Changes, newest first."""

    entries: list[EntryOut]
    next: int | None = Field(description="`before` of the next page; null at the end.")


@router.get("")
async def list_changes(
    desk: TheDesk,
    caller: Auditor,
    kind: Annotated[str | None, Query(max_length=32)] = None,
    key: Annotated[str | None, Query(max_length=128)] = None,
    before: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    limit: Page = 100,
) -> AuditPage:
    """What was changed, newest first."""
    found = await desk.audit.page(limit=limit, before=before, kind=kind, key=key)
    entries = [EntryOut.model_validate(entry) for entry in found]
    return AuditPage(entries=entries, next=entries[-1].id if len(entries) == limit else None)
