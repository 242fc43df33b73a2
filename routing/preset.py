"""The preset list (R2-07): which priority class a call belongs to, by who calls, what he called, his VDN and digits."""

from routing.plan import Plan
from routing.queue import PriorityEntry


def priority_of(
    plan: Plan, *, tenant: str | None, caller: str | None, called: str | None, vdn: str, digits: str
) -> str | None:
    """The class of a call; None: of no class.

    Of several lines that match, the class with the largest head start counts: whoever is on the list for two reasons
    is not put back by one of them.
    """
    found = [
        entry.priority
        for entry in plan.priorities.values()
        if entry.tenant in (None, tenant)
        and _says(entry.caller, caller)
        and _says(entry.called, called)
        and entry.vdn in ("", vdn)
        and entry.digits in ("", digits)
        and _asks_anything(entry)
    ]
    classes = plan.priority_classes
    return max(found, key=lambda name: (classes[name].ahead if name in classes else 0.0, name), default=None)


def _asks_anything(entry: PriorityEntry) -> bool:
    """A line without any condition but its tenant is for all calls of that tenant, never for everybody's."""
    return bool(entry.tenant or entry.caller or entry.called or entry.vdn or entry.digits)


def _says(pattern: str, number: str | None) -> bool:
    """Whether a number is meant; `+` makes no difference."""
    if not pattern:
        return True
    wanted, digits = pattern.removeprefix("+"), (number or "").removeprefix("+")
    return digits.startswith(wanted[:-1]) if wanted.endswith("*") else digits == wanted
