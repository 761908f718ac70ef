"""Run a command of Kindred, and have a fault happen at one moment of it.

    python fault_driver.py MOMENT DEED ARGUMENT...

MOMENT is `before` or `after`, a module, a function and, if need be, a text that its arguments must
hold: `after:kindred.warehouse.journal:add_done:model.kindred.customers`. The first such call is the
moment. DEED is one of DEEDS. Nothing of the product knows of it.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import psycopg2

from kindred.cli import main
from postgres_server import crash

# Of a file that is longer nothing more can be written: a disk without room, for this run alone.
ROOM = 64 * 1024
CHILDREN: list[subprocess.Popen[Any]] = []
OTHERS = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"


def kill_all() -> None:
    """The machine is gone for this run: the command and dbt at once."""
    os.killpg(0, signal.SIGKILL)


def kill_command() -> None:
    """The command alone; dbt does not know and goes on."""
    os.kill(os.getpid(), signal.SIGKILL)


def kill_dbt() -> None:
    """dbt alone, as the kernel does when memory runs out."""
    CHILDREN[-1].kill()


def fill_disk() -> None:
    """No file may grow any more."""
    for pid in (0, *(child.pid for child in CHILDREN if child.poll() is None)):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (ROOM, ROOM))


def cut_connections() -> None:
    """The server ends every connection to the database."""
    ask_server("select pg_terminate_backend(pid) " + OTHERS)


def cut_lock() -> None:
    """The server, or what lies between, ends the one connection that holds the run lock."""
    ask_server(
        "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted"
        " and database = (select oid from pg_database where datname = current_database())"
    )


def kill_backend() -> None:
    """A process of the server dies, as by a kernel out of memory; the server recovers itself."""
    ((pid,),) = ask_server(f"select max(pid) {OTHERS}")
    os.kill(pid, signal.SIGKILL)
    for _ in range(600):
        time.sleep(0.1)
        with suppress(psycopg2.OperationalError):
            ask_server("select 1")
            return


def ask_server(query: str) -> list[tuple[Any, ...]]:
    """Rows of a query on the database of the run."""
    names = ("host", "port", "user", "password", "dbname")
    variables = ("HOST", "PORT", "USER", "PASSWORD", "DATABASE")
    given = {
        name: os.environ[f"KINDRED_PG_{variable}"]
        for name, variable in zip(names, variables, strict=True)
    }
    with closing(psycopg2.connect(**given)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def crash_server() -> None:
    """The server of the tests ends at once and has to recover."""
    crash(os.environ["KINDRED_PG_HOST"])


DEEDS: dict[str, Callable[[], None]] = {
    deed.__name__: deed
    for deed in (
        kill_all,
        kill_command,
        kill_dbt,
        fill_disk,
        cut_connections,
        cut_lock,
        kill_backend,
        crash_server,
    )
}


def arrange(moment: str, deed: str) -> None:
    """Have the deed done at the moment."""
    when, module, function, *held = moment.split(":")
    home = importlib.import_module(module)
    original = getattr(home, function)
    waiting = [DEEDS[deed]]

    def stand_in(*arguments: Any, **named: Any) -> Any:
        is_now = waiting and all(text in str(arguments) for text in held)
        if is_now and when == "before":
            waiting.pop()()
        result = original(*arguments, **named)
        if is_now and when == "after":
            waiting.pop()()
        return result

    setattr(home, function, stand_in)


class Child(subprocess.Popen[Any]):
    """A child that is remembered."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        CHILDREN.append(self)


if __name__ == "__main__":
    subprocess.Popen = Child  # type: ignore[misc]
    _, moment, deed, *rest = sys.argv
    arrange(moment, deed)
    sys.argv = ["kindred", *rest]
    main()
