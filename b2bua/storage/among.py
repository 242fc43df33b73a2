"""A query for rows whose column is one of many texts, made cheap for imports: on SQLite the texts are one parameter.

SQLAlchemy writes `IN (...)` anew for each execution, with a parameter for each text: for 500 numbers that costs more
than looking them up.  SQLite reads them out of one JSON text instead, so the statement is compiled once and goes
straight to the driver.  Both ways look each text up by the index of its column.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import dialect

from b2bua.jsontext import encode
from b2bua.storage.hot import driver

TEXTS = "texts_"
"Name of the parameter: no other may have it."


class Among:
    """A query with plain parameters, and the column that its texts are looked for in."""

    def __init__(self, query: sa.Select[Any], column: sa.ColumnElement[str]) -> None:
        self._query, self._column = query, column
        each = sa.func.json_each(sa.bindparam(TEXTS, type_=sa.Text())).table_valued("value")
        compiled = query.where(column.in_(sa.select(each.c.value))).compile(dialect=dialect(paramstyle="qmark"))
        self._sql, self._parts = str(compiled), [(name, compiled.params[name]) for name in compiled.positiontup or ()]

    def all(self, conn: sa.Connection, texts: Sequence[str], values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Every row that has one of these texts; in no order."""
        raw = driver(conn)
        if raw is not None:
            given = {**values, TEXTS: encode(list(texts))}
            return raw.execute(self._sql, [given.get(name, own) for name, own in self._parts]).fetchall()
        found = conn.execute(self._query.where(self._column.in_(texts)), values).all()
        return cast(Sequence[Sequence[Any]], found)
