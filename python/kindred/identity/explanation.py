"""Why two records are one, in plain English, read from the working database."""

# SQL is put together from the settings of this package only, never from values of users.
# ruff: noqa: S608

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

from kindred.errors import KindredError
from kindred.identity.pipeline import entity_named

MOST_LINKS = 50


def explain_pair(database: Path, one: str, two: str) -> list[str]:
    """Lines that say how records `one` and `two` are connected, or that they are not."""
    with _open(database) as con:
        owners = {name: _owner(con, name) for name in (one, two)}
        for name, owner in owners.items():
            if owner is None:
                raise KindredError(
                    f"There is no live record {name}.",
                    "write it as source:object:id; test and deleted records take no part.",
                )
        if owners[one] != owners[two]:
            return [
                f"{one} and {two} are not the same:"
                f" they belong to {owners[one]} and {owners[two]}.",
                "No chain of links connects them that outweighs what speaks against it.",
            ]
        owner = str(owners[one])
        links = _links(con, owner)
    direct = [link for link in links if {link["record_id_l"], link["record_id_r"]} == {one, two}]
    lines = [f"{one} and {two} both belong to {owner}."]
    if direct:
        return lines + [text for link in direct for text in _told(link)]
    way = _way(links, one, two)
    lines.append(f"No direct link joins them; {len(way)} links lead from one to the other:")
    return lines + [text for link in way for text in _told(link)]


def explain_entity(database: Path, name: str) -> list[str]:
    """Lines that say which records a customer or account has, and what holds them together."""
    base = "account" if name.startswith("acc_") else "customer"
    with _open(database) as con:
        row = con.execute(
            f"select current_{base}_id, status from kindred.{base}_id_map where {base}_id = ?",
            [name],
        ).fetchall()
        if not row:
            raise KindredError(
                f"There is no {base} {name}, and never was.", f"take an id from `{base}s`."
            )
        current, status = row[0]
        if current is None:
            return [f"{name} is retired: all its records are gone from the sources."]
        records = con.execute(
            f"select record_id from kindred.{base}_source_records where {base}_id = ? order by 1",
            [current],
        ).fetchall()
        links = _links(con, current)
    lines = [f"{name} was merged into {current}."] if status == "merged" else []
    lines.append(f"{current} has {len(records)} records:")
    lines += [f"  {record}" for (record,) in records]
    if links:
        lines.append("They are one because:")
    for link in links[:MOST_LINKS]:
        lines += _told(link)
    if len(links) > MOST_LINKS:
        lines.append(f"... and {len(links) - MOST_LINKS} more links.")
    return lines


def widest_customer(database: Path) -> str:
    """The customer whose records come from the most sources; the first id where several tie."""
    with _open(database) as con:
        rows = con.execute(
            """
            select customer_id
            from kindred.customer_source_records
            group by customer_id
            order by count(distinct source) desc, count(*) desc, customer_id
            limit 1
            """
        ).fetchall()
    if not rows:
        raise KindredError("There is no customer yet.", "load some data, then run `kindred build`.")
    return str(rows[0][0])


def _open(database: Path) -> duckdb.DuckDBPyConnection:
    if not database.is_file():
        raise KindredError(
            f"There is no database {database}.", "run `kindred build`, or name --database."
        )
    try:
        con = duckdb.connect(str(database), read_only=True)
    except duckdb.Error as error:
        raise KindredError(
            f"{database.name} cannot be read now.", "wait until the build has ended."
        ) from error
    marts = con.execute(
        "select count(*) from information_schema.tables where table_schema = 'kindred'"
        " and table_name in ('customer_source_records', 'account_source_records', 'identity_links')"
    ).fetchall()
    if marts[0][0] < 3:
        con.close()
        raise KindredError(f"{database.name} holds no matches yet.", "run `kindred build` first.")
    return con


def _owner(con: duckdb.DuckDBPyConnection, record: str) -> str | None:
    row = con.execute(
        """
        select customer_id from kindred.customer_source_records where record_id = $1
        union all
        select account_id from kindred.account_source_records where record_id = $1
        """,
        [record],
    ).fetchall()
    return str(row[0][0]) if row else None


def _links(con: duckdb.DuckDBPyConnection, owner: str) -> list[dict[str, Any]]:
    found = con.execute(
        """
        select entity, record_id_l, record_id_r, link_type, rule, match_weight, field_weights
        from kindred.identity_links
        where customer_id = $1 or account_id = $1
        order by link_type, match_weight desc nulls last, record_id_l, record_id_r
        """,
        [owner],
    ).to_arrow_table()
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def _told(link: dict[str, Any]) -> list[str]:
    pair = f"{link['record_id_l']} = {link['record_id_r']}"
    if link["link_type"] == "deterministic":
        return [f"- {pair}", f"    certain: {link['rule']}"]
    if link["link_type"] == "steward":
        return [f"- {pair}", "    a steward decided so"]
    weights: dict[str, float] = json.loads(link["field_weights"] or "{}")
    labels = {c.field: c.label for c in entity_named(link["entity"]).comparisons}
    start = weights.pop("starting_weight", 0.0)
    lines = [f"- {pair}", f"    {_odds(float(link['match_weight']))}"]
    for field, weight in sorted(weights.items(), key=lambda item: -abs(item[1])):
        if weight:
            side = "speaks for it" if weight > 0 else "speaks against it"
            lines.append(f"    {weight:+7.2f}  {labels.get(field, field)} {side}")
    lines.append(
        f"    {start:+7.2f}  that any two records are one, and how often such pairs are not"
    )
    return lines


def _odds(weight: float) -> str:
    if weight >= 0:
        times = f"{2 ** min(weight, 60):,.0f}"
        return f"weight {weight:+.2f}: {times} to 1 that they are the same"
    return f"weight {weight:+.2f}: even or less alone; the rest of the group speaks for it"


def _way(links: list[dict[str, Any]], one: str, two: str) -> list[dict[str, Any]]:
    """The shortest chain of links from `one` to `two`."""
    neighbours: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for link in links:
        left, right = link["record_id_l"], link["record_id_r"]
        neighbours.setdefault(left, []).append((right, link))
        neighbours.setdefault(right, []).append((left, link))
    ways: dict[str, list[dict[str, Any]]] = {one: []}
    queue = [one]
    while queue and two not in ways:
        here = queue.pop(0)
        for there, link in neighbours.get(here, []):
            if there not in ways:
                ways[there] = [*ways[here], link]
                queue.append(there)
    return ways.get(two, [])
