"""`tandem db`: the database itself, without a server."""

import typer

from b2bua.cli.config import Config, settings_or_exit
from b2bua.cli.output import fail
from b2bua.settings import Settings

app = typer.Typer(help="The database, directly; no server needs to run.", no_args_is_help=True)


def prepare(settings: Settings) -> str:
    """The database's URL, once the folder of an SQLite file exists."""
    if settings.storage.url is None:
        try:
            settings.node.data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            fail(f"node.data_dir: {settings.node.data_dir} cannot be made ({error.strerror})")
    return settings.database_url


@app.command()
def upgrade(config: Config = None) -> None:
    """Bring the schema to what this version needs. On PostgreSQL do this before the first start and after an update."""
    from b2bua.storage import StorageError
    from b2bua.storage import upgrade as storage_upgrade

    url = prepare(settings_or_exit(config))
    try:
        revision = storage_upgrade.upgrade(url)
    except StorageError as error:
        fail(str(error))
    typer.echo(f"the schema of {storage_upgrade.shown(url)} is at revision {revision}")
