"""Which customer or account a record belonged to after a past run, from the ledger of changes."""

from __future__ import annotations

from typing import Any

from kindred.errors import KindredError
from kindred.warehouse.database import Connection

MOST_RECORDS = 50


def assigned(
    con: Connection, base: str, generation: int, *, record: str = "", owner: str = ""
) -> list[tuple[Any, ...]]:
    """record_id, id, since_generation after run `generation`; base: customer or account.

    Of all records, or of `record`, or of those that `owner` held. The last record_moved row up to
    then says where a record was; the macro assignments_as_of does the same in SQL of the project.
    """
    if base not in ("customer", "account"):
        raise ValueError(base)
    asked = {"record_id": record, "id": owner}
    named = {column: value for column, value in asked.items() if value}
    rows: list[tuple[Any, ...]] = con.execute(
        f"""
        with moves as (
            select
                record_id,
                to_{base}_id as id,
                generation as since_generation,
                row_number() over (partition by record_id order by generation desc) as newest
            from kindred.{base}_id_changes
            where event = 'record_moved' and generation <= ?
        )
        select record_id, id, since_generation
        from moves
        where newest = 1 and id is not null{"".join(f" and {column} = ?" for column in named)}
        order by record_id
        """,
        [generation, *named.values()],
    ).fetchall()
    return rows


def told(con: Connection, name: str, generation: int) -> list[str]:
    """Lines about a record or an id after run `generation`; KindredError where there was none."""
    when = _moment(con, generation)
    if ":" in name:
        return _record(con, name, generation, when)
    base = "account" if name.startswith("acc_") else "customer"
    given = con.execute(
        f"select created_generation from kindred.{base}_id_map where {base}_id = ?", [name]
    ).fetchall()
    if not given:
        raise KindredError(
            f"There is no {base} {name[:80]}, and never was.", f"take an id from `{base}s`."
        )
    held = assigned(con, base, generation, owner=name)
    if not held:
        return [f"After run {generation} ({when}), {name} held no record."]
    lines = [f"After run {generation} ({when}), {name} held {len(held)} records:"]
    lines += [f"  {record} (since run {since})" for record, _, since in held[:MOST_RECORDS]]
    if len(held) > MOST_RECORDS:
        lines.append(f"  ... and {len(held) - MOST_RECORDS} more.")
    return lines


def _record(con: Connection, name: str, generation: int, when: str) -> list[str]:
    for base in ("customer", "account"):
        known = con.execute(
            f"select 1 from kindred.{base}_id_changes where record_id = ? limit 1", [name]
        ).fetchall()
        if not known:
            continue
        found = assigned(con, base, generation, record=name)
        if not found:
            return [f"After run {generation} ({when}), {name} was not there."]
        ((_, owner, since),) = found
        lines = [
            f"After run {generation} ({when}), {name} belonged to {owner} (since run {since})."
        ]
        ((now, status),) = con.execute(
            f"select current_{base}_id, status from kindred.{base}_id_map where {base}_id = ?",
            [owner],
        ).fetchall()
        if status == "merged":
            lines.append(f"{owner} has been merged; {now} stands for it now.")
        if status == "retired":
            lines.append(f"{owner} is retired: all its records are gone from the sources.")
        return lines
    raise KindredError(f"No run ever saw a record {name[:80]}.", "write it as source:object:id.")


def _moment(con: Connection, generation: int) -> str:
    rows = con.execute("select generation, as_of from kindred.run_history order by 1").fetchall()
    known = {int(number): moment for number, moment in rows}
    if generation not in known:
        told = f"{min(known)} to {max(known)}" if known else "none yet"
        raise KindredError(
            f"There is no finished run {generation}.", f"choose one of the runs: {told}."
        )
    return f"{known[generation]:%Y-%m-%d %H:%M} UTC"
