"""The row of a run in the mart `run_history`, which grows with each stage behind it.

dbt writes the row as its last deed (models/marts/quality/run_history.sql). What comes after dbt,
the checks and the publication, is told here.
"""

from __future__ import annotations

from typing import Literal

from kindred.warehouse.database import Connection, columns_of, quoted

TABLE = "run_history"
Outcome = Literal["built", "passed", "failed", "published"]
_STAGES: dict[Outcome, str] = {
    "built": "build",
    "passed": "build, check",
    "failed": "build, check",
    "published": "build, check, publish",
}


def note_outcome(connection: Connection, schema: str, generation: int, outcome: Outcome) -> None:
    """Say how far the run of that number has come; nothing where its row or column is missing."""
    if {"stages", "outcome"} <= set(columns_of(connection, schema, TABLE)):
        connection.execute(
            f"update {quoted(schema, TABLE)} set stages = ?, outcome = ?"  # noqa: S608 - quoted
            " where generation = ?",
            [_STAGES[outcome], outcome, generation],
        )


def note_input(
    connection: Connection, schema: str, generation: int, fingerprint: str | None
) -> None:
    """Say what the run was built from; nothing where its row or column is missing."""
    if "input_fingerprint" in columns_of(connection, schema, TABLE):
        connection.execute(
            f"update {quoted(schema, TABLE)} set input_fingerprint = ?"  # noqa: S608 - quoted
            " where generation = ?",
            [fingerprint, generation],
        )


def outcome_of(connection: Connection, schema: str, generation: int) -> str | None:
    """How far the run of that number came; None where it did not end, or nobody noted it."""
    if "outcome" not in columns_of(connection, schema, TABLE):
        return None
    found = connection.execute(
        f"select outcome from {quoted(schema, TABLE)} where generation = ?",  # noqa: S608 - quoted
        [generation],
    ).fetchall()
    return str(found[0][0]) if found and found[0][0] is not None else None
