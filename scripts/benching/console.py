"""What is said while measuring: to standard error, so that standard output is the result alone."""

from rich.console import Console

PROGRESS = Console(stderr=True, highlight=False)
RESULT = Console(highlight=False)

for console in (PROGRESS, RESULT):
    if not console.is_terminal:
        console.width = 140


def note(text: str) -> None:
    """A line about the progress."""
    PROGRESS.print(f"[dim]{text}[/dim]")


def headline(text: str) -> None:
    """The begin of a part."""
    PROGRESS.print(f"[bold]{text}[/bold]")
