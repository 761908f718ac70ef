"""Results of checks: what one says, the verdict over all, and their table in the warehouse."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kindred.errors import KindredError
from kindred.quality.suites import SEVERITIES, Batch, Check, Severity
from kindred.warehouse.database import Connection, columns_of, has_relation, quoted

RESULT_COLUMNS = (
    "result_id",
    "generation",
    "run_id",
    "suite",
    "layer",
    "table_name",
    "column_name",
    "expectation",
    "meaning",
    "severity",
    "is_success",
    "checked_count",
    "unexpected_count",
    "unexpected_percent",
    "error",
    "checked_at",
)


@dataclass(frozen=True)
class Generation:
    """The run whose tables the working database holds."""

    number: int
    run_id: str
    as_of: datetime

    @property
    def as_of_sql(self) -> str:
        """`as_of` as a SQL timestamp literal."""
        return f"timestamp '{self.as_of.isoformat(sep=' ')}'"


@dataclass(frozen=True)
class CheckResult:
    """What became of one check. Holds counts, never a value of the data."""

    batch: Batch
    check: Check
    is_success: bool
    checked_count: int | None = None
    unexpected_count: int | None = None
    unexpected_percent: float | None = None
    error: str | None = None

    @property
    def severity(self) -> Severity:
        """The check's own severity; what could not be checked is critical."""
        return "critical" if self.error else self.check.severity

    @property
    def column_name(self) -> str:
        """The column or columns checked, empty for a table check."""
        return ", ".join(self.check.columns)


@dataclass(frozen=True)
class Verdict:
    """The results in short."""

    passed: int
    failed: dict[Severity, int]
    not_checked: int

    @property
    def is_fit(self) -> bool:
        """Whether nothing critical failed."""
        return self.failed["critical"] == 0

    @property
    def total(self) -> int:
        """How many checks there were."""
        return self.passed + sum(self.failed.values())


@dataclass(frozen=True)
class CheckRun:
    """All results of one run, with what was left out and why."""

    generation: Generation
    results: tuple[CheckResult, ...]
    skipped: tuple[str, ...]
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """The results in short."""
        failed = {
            severity: sum(
                not result.is_success and result.severity == severity for result in self.results
            )
            for severity in SEVERITIES
        }
        return Verdict(
            passed=sum(result.is_success for result in self.results),
            failed=failed,
            not_checked=sum(result.error is not None for result in self.results),
        )


def current_generation(connection: Connection, schema: str, marts: str) -> Generation:
    """The generation that the last build wrote (table `generation` of the identity schema).

    Raises KindredError where there is none, or where it is absent from `run_history` of the marts:
    a run that did not get to its last node never happened.
    """
    if not has_relation(connection, schema, "generation"):
        raise KindredError(
            "The working database holds no finished build yet.", "run `kindred build` first."
        )
    rows = connection.execute(
        f"select generation, run_id, cast(as_of as timestamp) from {quoted(schema, 'generation')}"  # noqa: S608
    ).fetchall()
    if not rows:
        raise KindredError(
            "The tables of the last build are empty, as after a crash of the server.",
            "run `kindred build`; ids and history are kept.",
        )
    generation = Generation(int(rows[0][0]), str(rows[0][1]), rows[0][2])
    if has_relation(connection, marts, "run_history"):
        finished = connection.execute(
            f"select count(*) from {quoted(marts, 'run_history')} where generation = ?",  # noqa: S608
            [generation.number],
        ).fetchall()
        if not finished[0][0]:
            raise KindredError(
                "The last build did not finish, so its tables do not belong together.",
                "run `kindred build --resume`.",
            )
    return generation


def save_results(connection: Connection, schema: str, run: CheckRun, table: str) -> None:
    """Write the results into the mart, in place of earlier ones of the same generation."""
    have = columns_of(connection, schema, table)
    if not have:
        raise KindredError(
            f"The table {schema}.{table} is missing.", "run `kindred build` first, it makes it."
        )
    lacking = [name for name in RESULT_COLUMNS if name not in have]
    if lacking:
        raise KindredError(
            f"The table {schema}.{table} has no column {', '.join(lacking)}.",
            "bring models/marts/quality in line with this version of kindred.",
        )
    relation = quoted(schema, table)
    marks = ", ".join("?" for _ in RESULT_COLUMNS)
    connection.begin()
    try:
        connection.execute(
            f"delete from {relation} where generation = ?",  # noqa: S608 - quoted names
            [run.generation.number],
        )
        connection.executemany(
            f"insert into {relation} ({', '.join(RESULT_COLUMNS)}) values ({marks})",  # noqa: S608
            [_row(run.generation, result) for result in run.results],
        )
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def _row(generation: Generation, result: CheckResult) -> list[object]:
    check = result.check
    return [
        result_id(generation, result),
        generation.number,
        generation.run_id,
        result.batch.suite,
        result.batch.layer,
        result.batch.name,
        result.column_name or None,
        check.expectation,
        check.meaning,
        result.severity,
        result.is_success,
        result.checked_count,
        result.unexpected_count,
        None if result.unexpected_percent is None else round(result.unexpected_percent, 4),
        result.error,
        generation.as_of,
    ]


def result_id(generation: Generation, result: CheckResult) -> str:
    """A key of the result that is the same when the same check of the same generation is redone."""
    parts = [
        generation.number,
        result.batch.suite,
        result.batch.name,
        result.check.expectation,
        result.column_name,
        result.check.arguments,
    ]
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def failed_results(results: Sequence[CheckResult]) -> list[CheckResult]:
    """What failed, the gravest first."""
    failed = [result for result in results if not result.is_success]
    return sorted(failed, key=lambda result: SEVERITIES.index(result.severity))
