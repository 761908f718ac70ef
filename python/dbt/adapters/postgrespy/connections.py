"""Connections: those of dbt-postgres under another name, in UTC whatever the server is set to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dbt.adapters.postgres.connections import PostgresConnectionManager, PostgresCredentials

# Settings of a session that results depend on, and one that costs more than it gives: compiling the
# hundreds of expressions that clean a source takes longer than running them.
_SETTINGS = {
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "jit": "off",
}
_SESSION = ";".join(f"set {name} = '{value}'" for name, value in _SETTINGS.items())


@dataclass
class PostgresPyCredentials(PostgresCredentials):
    """What profiles.yml says of a target of this type; the same keys as dbt-postgres has."""

    @property
    def type(self) -> str:
        """The adapter type."""
        return "postgrespy"


class PostgresPyConnectionManager(PostgresConnectionManager):
    """Opens connections as dbt-postgres does."""

    TYPE = "postgrespy"

    @classmethod
    def open(cls, connection: Any) -> Any:
        """Open the connection and make its session speak UTC."""
        opened = super().open(connection)
        handle = opened.handle
        with handle.cursor() as cursor:
            cursor.execute(_SESSION)
        handle.commit()
        return opened
