"""The list of suppressions in the warehouse, and the key it belongs to."""

from __future__ import annotations

from kindred.privacy.suppression import KEY_CHECK, key_check, privacy_key
from kindred.warehouse.database import Connection, has_relation, quoted

_TABLE = "suppression"


def seal(connection: Connection, schema: str) -> None:
    """Note in a list of suppressions that has no such note yet with which key it is read.

    From then on a build with another key is refused.
    """
    key = privacy_key()
    if key is None or not has_relation(connection, schema, _TABLE):
        return
    place = quoted(schema, _TABLE)
    count = "select count(*), count(*) filter (where identifier_type = ?)"
    ((rows, notes),) = connection.execute(f"{count} from {place}", [KEY_CHECK]).fetchall()
    if rows and not notes:
        connection.execute(
            f"insert into {place} (identifier_type, identifier_hash) values (?, ?)",  # noqa: S608
            [KEY_CHECK, key_check(key)],
        )
