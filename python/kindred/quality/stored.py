"""The results of the checks as the mart keeps them, read back as the run that wrote them."""

from __future__ import annotations

from kindred.project import Profile
from kindred.quality.results import RESULT_COLUMNS, CheckResult, CheckRun, Generation
from kindred.quality.suites import LAYERS, Batch, Check, in_target, shipped_suites
from kindred.warehouse.database import Connection, columns_of, quoted


def stored_run(
    connection: Connection,
    profile: Profile,
    table: str,
    generation: Generation,
    skipped: tuple[str, ...] = (),
) -> CheckRun | None:
    """The checks of a generation; None where it was not checked.

    skipped: what was left out and why, which the table does not keep.
    """
    if set(RESULT_COLUMNS) - set(columns_of(connection, profile.schema, table)):
        return None
    rows = connection.execute(
        f"""
        select
            suite, layer, table_name, column_name, expectation, meaning, severity, is_success,
            checked_count, unexpected_count, cast(unexpected_percent as double), error
        from {quoted(profile.schema, table)}
        where generation = ?
        order by table_name, meaning, expectation, column_name nulls first, result_id
        """,  # noqa: S608 - quoted names
        [generation.number],
    ).fetchall()
    about = {
        batch.name: batch.about
        for suite in shipped_suites()
        for batch in (in_target(one, profile) for one in suite.batches)
    }
    places = {name: place for place, name in enumerate(about)}
    results = [
        CheckResult(
            _batch(str(row[0]), str(row[1]), str(row[2]), about),
            Check(str(row[4]), row[3], {}, row[6], str(row[5])),
            bool(row[7]),
            *row[8:],
        )
        for row in rows
    ]
    results.sort(
        key=lambda result: (
            LAYERS.index(result.batch.layer),
            places.get(result.batch.name, -1),
            result.batch.name,
        )
    )
    return CheckRun(generation, tuple(results), skipped, 0.0) if results else None


def _batch(suite: str, layer: str, name: str, about: dict[str, str]) -> Batch:
    schema, _, table = name.partition(".")
    told = about.get(name, f"The tables of {schema} as they were loaded.")
    return Batch(suite, layer, schema, table, told, None, {}, ())
