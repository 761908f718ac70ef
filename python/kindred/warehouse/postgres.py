"""Connections to a Postgres target, and small questions to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from kindred.errors import KindredError
from kindred.project import Profile
from kindred.warehouse.lock import LOCK_HELD

if TYPE_CHECKING:
    from psycopg2 import extensions

TYPE = "postgrespy"
OLDEST = 160000
_OPTIONAL = ("sslmode", "sslcert", "sslkey", "sslrootcert", "connect_timeout")
# Any number will do, as long as nothing else in the database takes it.
_LOCK = 7_205_759_403_792_793


def is_postgres(profile: Profile) -> bool:
    """Whether the target is a Postgres one."""
    return profile.type == TYPE


@contextmanager
def connected(profile: Profile, *, as_login: bool = False) -> Iterator[extensions.connection]:
    """A connection to the target's database, in UTC; KindredError where it cannot be had.

    It acts as the profile's `role`, where there is one, or `as_login`, as the user itself. Nothing
    is committed unless the caller does.
    """
    import psycopg2

    settings = profile.settings
    wanted = {name: settings[name] for name in _OPTIONAL if settings.get(name) is not None}
    host, port = settings.get("host"), _port(profile)
    name = str(settings.get("dbname") or settings.get("database") or "")
    try:
        connection = psycopg2.connect(
            host=host,
            port=port,
            user=settings.get("user"),
            password=settings.get("password") or settings.get("pass"),
            dbname=name,
            application_name="kindred",
            options="-c timezone=UTC -c datestyle=ISO,YMD",
            **wanted,
        )
    except psycopg2.OperationalError as error:
        raise KindredError(
            f"No connection to the database '{name}' on {host}, port {port}: {_reason(error)}.",
            f"check the target '{profile.target}' in profiles.yml and its environment variables.",
        ) from error
    with closing(connection):
        _refuse_old(connection)
        role = settings.get("role")
        if role and not as_login:
            _act_as(connection, str(role))
        yield connection


def _port(profile: Profile) -> int:
    given = profile.settings.get("port") or 5432
    try:
        return int(given)
    except (TypeError, ValueError) as error:
        raise KindredError(
            f"The port of the target '{profile.target}' is no number: {given}.",
            "mend it in profiles.yml, or set KINDRED_PG_PORT, as 5432.",
        ) from error


def _act_as(connection: extensions.connection, role: str) -> None:
    import psycopg2

    try:
        with connection.cursor() as cursor:
            cursor.execute("select set_config('role', %s, false)", [role])
    except psycopg2.Error as error:
        raise KindredError(
            f"The user of the target may not act as the role '{role}', or there is no such role.",
            "have `kindred roles` run, and the role for builds granted to the user; see "
            "docs/postgres.md.",
        ) from error
    connection.commit()


def _reason(error: Exception) -> str:
    """What of libpq's message says what went wrong, without its question at the end."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.endswith("?")]
    reason = told[-1] if told else "the server gave no reason"
    return reason.rpartition(" failed: ")[2].rpartition("FATAL:")[2].strip().rstrip(".")


def _refuse_old(connection: extensions.connection) -> None:
    if connection.server_version < OLDEST:
        raise KindredError(
            f"The server is Postgres {connection.server_version // 10000}, and Kindred needs "
            f"{OLDEST // 10000} or newer.",
            "move the database to a newer server.",
        )


@contextmanager
def run_lock(connection: extensions.connection) -> Iterator[None]:
    """Hold the lock of the target's database for the block; a second run is refused (exit code 3).

    The server frees the lock when the connection ends, however it ends.
    """
    with connection.cursor() as cursor:
        # Nothing is asked over this connection while the run is at work.
        cursor.execute("set idle_session_timeout = 0")
        cursor.execute("select pg_try_advisory_lock(%s)", [_LOCK])
        held = bool(cursor.fetchall()[0][0])
    connection.commit()
    if not held:
        raise KindredError(
            "The database is in use by another run of Kindred.",
            "wait until it has ended, then run the command again.",
            exit_code=LOCK_HELD,
        )
    try:
        yield
    finally:
        _free(connection)


def _free(connection: extensions.connection) -> None:
    """Free the run lock; where that fails, it ends with the connection, which is closed next."""
    import psycopg2

    try:
        connection.rollback()
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_unlock(%s)", [_LOCK])
        connection.commit()
    except psycopg2.Error:
        return


def has_relation(connection: extensions.connection, schema: str, name: str) -> bool:
    """Whether a table or view of that name exists."""
    return bool(columns_of(connection, schema, name))


def columns_of(connection: extensions.connection, schema: str, name: str) -> dict[str, str]:
    """Columns of a relation with their types, in order; empty where it does not exist."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute"
            " where attrelid = to_regclass(quote_ident(%s) || '.' || quote_ident(%s))"
            " and attnum > 0 and not attisdropped order by attnum",
            [schema, name],
        )
        return {str(column): str(kind) for column, kind in cursor.fetchall()}


class AskedLikeDuckDB:
    """A Postgres connection with the few methods of a DuckDB connection that questions need.

    Each statement is committed at once, unless `begin` was called. Marks of values are `?`.
    """

    engine = "postgres"

    def __init__(self, connection: extensions.connection) -> None:
        self.raw = connection
        self._rows: list[tuple[Any, ...]] = []
        connection.autocommit = True

    def execute(self, sql: str, values: Sequence[Any] = ()) -> AskedLikeDuckDB:
        """Run a statement; `fetchall` then gives its rows."""
        with self.raw.cursor() as cursor:
            cursor.execute(*_with_values(sql, values))
            self._rows = list(cursor.fetchall()) if cursor.description else []
        return self

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]] = ()) -> None:
        """Run a statement once for each row of values."""
        with self.raw.cursor() as cursor:
            for row in rows:
                cursor.execute(*_with_values(sql, row))

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Rows of the last statement."""
        return self._rows

    def begin(self) -> None:
        """Open a transaction."""
        self.raw.autocommit = False

    def commit(self) -> None:
        """Commit the open transaction."""
        self.raw.commit()
        self.raw.autocommit = True

    def rollback(self) -> None:
        """Roll the open transaction back."""
        self.raw.rollback()
        self.raw.autocommit = True


def _with_values(sql: str, values: Sequence[Any]) -> tuple[str, list[Any] | None]:
    if not values:
        return sql, None
    return sql.replace("%", "%%").replace("?", "%s"), list(values)
