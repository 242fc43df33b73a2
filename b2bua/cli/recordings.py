"""`tandem recordings`: list and fetch them over the API; check and decrypt files wherever they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from b2bua.cli.client import Json, Url, server
from b2bua.cli.output import as_json, fail, say, sheet, table
from b2bua.cli.saving import saved_as

if TYPE_CHECKING:  # where it is needed, it is imported then: numpy comes with it, and commands shall start at once
    from media.recording import Keys

app = typer.Typer(help="Recordings of calls.", no_args_is_help=True)

COLUMNS = ("name", "tenant", "changed_at=written", "seconds", "size", "complete", "cut_off")
PIECE = 1 << 20

Name = Annotated[str, typer.Argument(help="Name of the file, as `list` shows it.")]
File = Annotated[Path, typer.Argument(help="A recording on this machine.")]
KeyFile = Annotated[Path, typer.Option(help="The file that recording.key_file names.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Where to write it; - is standard output.")]


@app.command("list")
def list_(
    call: Annotated[str | None, typer.Option(help="Those of one call.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    before: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    url: Url = "",
    json: Json = False,
) -> None:
    """Recordings of this node, newest first."""
    with server(url) as api:
        answer = api.get("/v1/recordings", call=call, limit=limit, before=before)
    if json:
        as_json(answer)
        return
    table(answer["recordings"], COLUMNS, "no recordings")
    if answer["next"]:
        say(f"there are more: --before {answer['next']}")


@app.command()
def show(name: Name, url: Url = "", json: Json = False) -> None:
    """Who is in it and when, what is missing, its checksum."""
    with server(url) as api:
        found = api.get(f"{_path(name)}/index")
    if json:
        as_json(found)
        return
    lists = {key: found.pop(key) for key in ("parts", "pauses", "holds", "losses")}
    sheet({key: value for key, value in found.items() if not isinstance(value, dict)})
    table(lists["parts"], ("part", "role", "extension", "channel", "from", "to", "codec", "source"), "no legs")
    for key, columns in (
        ("pauses", ("from=pause from", "to", "by")),
        ("holds", ("from=hold from", "to", "by")),
        ("losses", ("part", "at=lost at", "seconds", "packets")),
    ):
        if lists[key]:
            table(lists[key], columns, "")


@app.command()
def fetch(name: Name, out: Out = None, url: Url = "") -> None:
    """Save the sound; one that is encrypted on the server comes decrypted."""
    path = out or Path(name.removesuffix(".enc"))
    with server(url) as api, saved_as(path) as to:
        api.save(_path(name), to)
    say(f"{path} is written")


@app.command()
def remove(name: Name, url: Url = "") -> None:
    """Delete one for good."""
    with server(url) as api:
        api.delete(_path(name))
    typer.echo(f"recording {name} is removed")


@app.command()
def verify(
    files: Annotated[list[Path], typer.Argument(help="Recordings on this machine, their indexes beside them.")],
    key_file: Annotated[
        Path | None, typer.Option(help="Also decrypt them, with the file that recording.key_file names.")
    ] = None,
) -> None:
    """Compare files with their checksums; exit status 1 when one is not as it was written."""
    keys = None if key_file is None else _keys(key_file)
    bad = [f"{file}: {why}" for file in files if (why := _mistake(file, keys))]
    if bad:
        fail(*bad)
    say(f"{len(files)} as they were written")


@app.command()
def decrypt(file: File, key_file: KeyFile, out: Out = None) -> None:
    """Write an encrypted recording as the sound that it is."""
    from media.recording import BadSeal, Sealed

    path = out or Path(file.name.removesuffix(".enc"))
    if path == file or (out is None and path.exists()):
        fail(f"{path} is there already: name another one with --out")
    try:
        with Sealed(file, _keys(key_file)) as found, saved_as(path) as to:
            if not found.complete:
                say("it was not finished: the server is at it, or went down and was not started since")
            for at in range(0, found.length, PIECE):
                to.write(found.read(at, PIECE))
    except (OSError, BadSeal) as error:
        fail(f"{file}: {error}")
    say(f"{path} is written")


def _mistake(file: Path, keys: Keys | None) -> str:
    """What is wrong with a file; empty: nothing."""
    from media.recording import BadSeal, Sealed, index

    data = index.read(file.parent, file.name.partition(".")[0])
    if data is None or data.get("file") != file.name:
        return "there is no index beside it"
    if not data["complete"]:
        return "it is not finished"
    try:
        if index.checksum(file) != data["sha256"]:
            return "it was changed: its checksum is another one"
        if data["encrypted"] and keys is not None:
            with Sealed(file, keys) as found:
                for at in range(0, found.length, PIECE):
                    found.read(at, PIECE)
    except (OSError, BadSeal) as error:
        return str(error)
    return ""


def _keys(file: Path) -> Keys:
    from media.recording import Keys

    try:
        return Keys.of_file(file)
    except (OSError, ValueError) as error:
        fail(f"{file}: {error}")


def _path(name: str) -> str:
    return f"/v1/recordings/{quote(name, safe='')}"
