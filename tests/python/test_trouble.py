"""What machine, server or key did to a run is told in words, with an exit code that says so."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import duckdb
import psycopg2
import pyarrow as pa
import pytest

from cli_project import SmallProject, make_project
from kindred import cli
from kindred.cli.build import refuse_failed
from kindred.errors import KindredError
from kindred.privacy.suppression import KEY_CHECK, identifier_hash, key_check, suppressed_rows
from kindred.warehouse.dbt_run import DbtOutcome
from kindred.warehouse.lock import refuse_lost, run_lock
from kindred.warehouse.suppressions import seal
from kindred.warehouse.trouble import as_told

TROUBLE = {
    "The disk is full": [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EFBIG, "File too large"),
        duckdb.IOException('IO Error: Could not write file "x": No space left on device'),
        psycopg2.errors.DiskFull("could not extend file"),
    ],
    "connection to the database was lost": [
        psycopg2.OperationalError("terminating connection due to administrator command"),
        psycopg2.InterfaceError("connection already closed"),
        psycopg2.DatabaseError("server closed the connection unexpectedly"),
    ],
}


@pytest.mark.parametrize("words", TROUBLE)
def test_trouble_is_no_defect(words: str) -> None:
    """Whoever runs out of disk or loses the server hears so, and how to go on."""
    for error in TROUBLE[words]:
        told = as_told(error)
        assert told is not None
        assert words in told.message
        assert "--resume" in told.hint
        assert told.exit_code == 2
    for error in (
        ValueError("x"),
        OSError(errno.ENOENT, "x"),
        duckdb.CatalogException("x"),
        psycopg2.ProgrammingError("x"),
    ):
        assert as_told(error) is None


def test_a_lost_lock_is_noticed(tmp_path: Path) -> None:
    """Who loses the server's lock goes on no further; words of the server are no loss of it."""
    ours, servers = socket.socketpair()
    with ours:
        with servers:
            refuse_lost(ours.fileno())
            servers.send(b"a notice")
            refuse_lost(ours.fileno())
        with pytest.raises(KindredError, match="connection to the database was lost"):
            refuse_lost(ours.fileno())
    with run_lock(tmp_path / "kindred_build.duckdb", "kindred build") as descriptor:
        refuse_lost(descriptor)


def test_commands_tell_of_trouble(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For a scheduler: exit code 2, two lines, no stack trace."""

    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cli.cli, "main", full)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    seen = capsys.readouterr().err
    assert "The disk is full." in seen
    assert "Traceback" not in seen


def test_a_killed_dbt_is_no_success() -> None:
    """For a data engineer: what the kernel killed is told as killed, with what may help."""
    with pytest.raises(KindredError) as raised:
        refuse_failed(DbtOutcome(-9))
    assert raised.value.exit_code == 2
    assert "dbt was killed" in raised.value.message
    assert "--resume" in raised.value.hint


CANDIDATES = pa.table(
    {
        "source": ["s"],
        "source_table": ["t"],
        "row_key": ["1"],
        "identifiers": ["email:a@example.com"],
    }
)


def hidden(connection: duckdb.DuckDBPyConnection) -> int:
    """How many rows the suppressions of the warehouse hide."""
    return suppressed_rows(
        lambda: connection.from_arrow(CANDIDATES), connection.table("privacy.suppression")
    ).num_rows


def test_another_key_is_refused_once_the_list_is_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the privacy officer: with a wrong key nobody who is suppressed slips back in."""
    monkeypatch.setenv("KINDRED_PRIVACY_KEY", "right")
    with duckdb.connect() as connection:
        seal(connection, "privacy")
        connection.execute(
            "create schema privacy; create table privacy.suppression"
            " (identifier_type text, identifier_hash text, suppressed_at timestamp)"
        )
        seal(connection, "privacy")
        assert connection.execute("from privacy.suppression").fetchall() == []
        hashed = identifier_hash(b"right", "email", "a@example.com")
        connection.execute("insert into privacy.suppression values ('email', ?, null)", [hashed])
        assert hidden(connection) == 1
        seal(connection, "privacy")
        seal(connection, "privacy")
        notes = connection.execute(
            "select identifier_hash from privacy.suppression where identifier_type = ?", [KEY_CHECK]
        ).fetchall()
        assert notes == [(key_check(b"right"),)]
        assert hidden(connection) == 1
        monkeypatch.setenv("KINDRED_PRIVACY_KEY", "wrong")
        with pytest.raises(KindredError, match="not the one"):
            hidden(connection)


def test_a_source_that_lost_rows_stops_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For a data engineer: `--accept-loss` knows its sources."""
    project: SmallProject = make_project(tmp_path, monkeypatch, capsys)
    project.execute("create schema stripe", "create table stripe.customer as select '1' as id")
    outcome = project.run("build", "--accept-loss", "sap")
    assert outcome.code == 2
    assert "Unknown source in --" in outcome.err


def test_rows_are_read_only_where_anybody_is_suppressed() -> None:
    """A warehouse in which nobody is suppressed does not fetch every row to find nobody."""

    def fetched() -> duckdb.DuckDBPyRelation:
        raise AssertionError("the rows were fetched")

    with duckdb.connect() as connection:
        nobody = connection.sql("select '' as identifier_type, '' as identifier_hash where false")
        assert suppressed_rows(fetched, nobody).num_rows == 0
