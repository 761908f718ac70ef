"""Measure the production matching on labelled records; it never sees the truth while matching."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from kindred.errors import KindredError
from kindred.identity import baselines as rivals
from kindred.identity import metrics
from kindred.identity.pipeline import entity_named, resolve
from kindred.project import Profile
from kindred.warehouse import target
from kindred.warehouse.database import arrow_rows

_IDENTIFIERS = "record_identifiers"
_STREAMS = {"person": "person_records", "account": "account_records"}


@dataclass(frozen=True)
class Data:
    """Records without any truth, identifiers if there are some, and the truth apart from them."""

    records: pa.Table
    identifiers: pa.Table | None
    truth: pa.Table | None
    # Labelled records that are not among the records.
    absent: int = 0


def read_data(
    files: Sequence[Path],
    entity: str,
    place: Path | Profile | None,
    truth: str | None,
    *,
    truth_file: Path | None = None,
    identifiers: Path | None = None,
) -> Data:
    """Read records from files, or from the streams of the working database where none is named.

    place: that database, a file of DuckDB or the target of a profile.
    truth: column of the true entity, in the records or in `truth_file`; records without a value
    take part in the matching and not in the figures, and truth of records that are not matched
    (test or deleted ones) does not count.
    """
    held: pa.Table | None = None
    if files:
        given = _records_of(files)
    else:
        given, held = _streams(place, entity)
    if identifiers is not None:
        held = _checked(_read(identifiers), ("record_id", "identifier_type", "identifier_value"))
    if "record_id" not in given.column_names:
        names = [f"{i + 1}" for i in range(given.num_rows)]
        given = given.append_column("record_id", pa.array(names))
    given = given.set_column(
        given.column_names.index("record_id"), "record_id", given["record_id"].cast(pa.string())
    )
    ids = given["record_id"]
    if pc.count_distinct(ids).as_py() != given.num_rows:
        raise KindredError(
            "The records repeat a record_id, or lack one.",
            "give every record its own, or leave the column out.",
        )
    labels = _truth_of(given, truth, truth_file)
    absent = 0
    if labels is not None:
        known = pc.is_in(labels["record_id"], value_set=ids.combine_chunks())
        absent = labels.num_rows - int(pc.sum(known).as_py() or 0)
        labels = labels.filter(known)
    inputs = set(entity_named(entity).inputs)
    keep = [
        name
        for name in given.column_names
        if name in {"record_id", "source"} | inputs and name != truth
    ]
    if not inputs & set(keep):
        raise KindredError(
            f"The records have no column that {entity} matching uses.",
            f"name at least one of: {', '.join(sorted(inputs))}.",
        )
    return Data(given.select(keep), held, labels, absent)


def evaluate(
    data: Data,
    entity: str,
    *,
    model: str = "auto",
    out: Path | None = None,
    with_baselines: bool = True,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Match, then score: figures by way to count, and the same for both baselines."""
    if data.truth is None:
        raise KindredError("There is no truth to score against.", "name its column with --truth.")
    started = time.monotonic()
    found = resolve(
        data.records,
        entity_named(entity),
        identifiers=data.identifiers,
        model=model,
        with_links=False,
        tell=tell,
    )
    seconds = time.monotonic() - started
    if out is not None:
        _write(found.assignments, out)
    figures: dict[str, Any] = {
        "entity": entity,
        "model": found.model_choice,
        "kindred": _figures(found.assignments, data.truth, seconds),
        "labelled_records_that_took_no_part": data.absent,
    }
    if with_baselines:
        figures["baselines"] = {}
        for name, rival in (
            ("union-find on equal email or phone", rivals.union_find),
            ("plain Splink, components at weight 4", rivals.plain_splink),
        ):
            tell(f"baseline: {name}")
            started = time.monotonic()
            assigned = rival(data.records, entity)
            figures["baselines"][name] = _figures(assigned, data.truth, time.monotonic() - started)
    return figures


def as_text(figures: dict[str, Any]) -> str:
    """The figures as a table for people."""
    head = f"{'':38}{'B-cubed':^27}{'pairwise':^27}"
    under = f"{'':38}" + f"{'precision':>9}{'recall':>9}{'F1':>9}" * 2 + "   entities  seconds"
    lines = [head, under]
    rows = {"kindred": figures["kindred"], **figures.get("baselines", {})}
    for name, row in rows.items():
        numbers = "".join(
            f"{row[way][part]:9.4f}"
            for way in ("bcubed", "pairwise")
            for part in ("precision", "recall", "f1")
        )
        lines.append(f"{name:38}{numbers}{row['entities']:11,}{row['seconds']:9.1f}")
    true = figures["kindred"]
    lines.append(
        f"{true['records']:,} labelled records of {true['true_entities']:,} true entities."
    )
    absent = figures["labelled_records_that_took_no_part"]
    if absent:
        lines.append(f"{absent:,} more are labelled but took no part: test, deleted or not given.")
    lines.append(f"Model: {figures['model']}.")
    return "\n".join(lines)


def _figures(assigned: pa.Table, truth: pa.Table, seconds: float) -> dict[str, Any]:
    return {**metrics.evaluate(assigned, truth).as_dict(), "seconds": round(seconds, 1)}


def _records_of(files: Sequence[Path]) -> pa.Table:
    tables = []
    for i, path in enumerate(files, start=1):
        table = _read(path)
        if "record_id" not in table.column_names:
            names = [f"file {i}, row {n + 1}" for n in range(table.num_rows)]
            table = table.append_column("record_id", pa.array(names, pa.string()))
        tables.append(table)
    return pa.concat_tables(tables, promote_options="permissive")


def _read(path: Path) -> pa.Table:
    if not path.is_file():
        raise KindredError(f"There is no file {path}.", "name a CSV or Parquet file.")
    kind = path.suffix.lower()
    if kind not in (".csv", ".parquet"):
        raise KindredError(f"{path.name} is neither CSV nor Parquet.", "convert it to one of them.")
    with duckdb.connect() as con:
        try:
            if kind == ".csv":
                # Values stay as they are written: a postcode keeps its leading zero.
                return con.execute(
                    "select * from read_csv(?, header = true, all_varchar = true)", [str(path)]
                ).to_arrow_table()
            return con.execute("select * from read_parquet(?)", [str(path)]).to_arrow_table()
        except duckdb.Error as error:
            raise KindredError(
                f"{path.name} cannot be read as {kind[1:]}.", "check the file, its header first."
            ) from error


def _streams(place: Path | Profile | None, entity: str) -> tuple[pa.Table, pa.Table]:
    if place is None:
        raise KindredError("There are no records.", "name --records, or a database.")
    with target.read(place) as con:
        read = (_STREAMS[entity], _IDENTIFIERS)
        target.refuse_unbuilt(con, place, "streams", read, "record streams")
        given = arrow_rows(
            con,
            f"""
            select * from streams.{_STREAMS[entity]}
            where not coalesce(is_test, false) and not coalesce(is_deleted, false)
            """,
        )
        held = arrow_rows(
            con, f"select record_id, identifier_type, identifier_value from streams.{_IDENTIFIERS}"
        )
    return given, held


def _truth_of(given: pa.Table, truth: str | None, truth_file: Path | None) -> pa.Table | None:
    if truth_file is not None:
        table = _read(truth_file)
        others = [name for name in table.column_names if name != "record_id"]
        column = truth or (others[0] if len(others) == 1 else "")
        table = _checked(table, ("record_id", column or "<the column named by --truth>"))
    elif truth is not None:
        table, column = _checked(given, (truth,)), truth
    else:
        return None
    return pa.table(
        {
            "record_id": table["record_id"].cast(pa.string()),
            "entity": table[column].cast(pa.string()),
        }
    )


def _checked(table: pa.Table, columns: tuple[str, ...]) -> pa.Table:
    missing = [name for name in columns if name not in table.column_names]
    if missing:
        raise KindredError(
            f"The file has no column {', '.join(missing)}.",
            f"it has: {', '.join(table.column_names)}.",
        )
    return table


def _write(assigned: pa.Table, out: Path) -> None:
    with duckdb.connect() as con:
        con.register("assigned", assigned)
        try:
            con.execute(
                "copy (select record_id, entity from assigned order by record_id) to '"
                + str(out).replace("'", "''")
                + "' (header)"
            )
        except duckdb.Error as error:
            raise KindredError(f"{out} cannot be written.", "check the folder.") from error
