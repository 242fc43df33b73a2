"""The command `tandem`: the server, its configuration and database, and what people do through the API.

The server's start is handed in by the caller (`b2bua.__main__`), so that nothing here needs the server itself.
"""

from b2bua.cli.root import main, make_app

__all__ = ["main", "make_app"]
