"""Junk identifiers: values shared by too many different names, and values nobody owns.

They never link. Every decision is a row with its counts.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from kindred.identity.entity import Entity, JunkRule

COLUMNS = (
    "identifier_type text, identifier_value text, decision text, reason text, "
    "record_count bigint, name_count bigint, name_limit bigint"
)


def remove_junk(
    con: duckdb.DuckDBPyConnection, entity: Entity, limits: dict[str, int] | None = None
) -> pa.Table:
    """Find junk in table `prepared`, empty it there, and return the table of decisions.

    Beside it, table junk_of_records (record_id, junk: bits of the rules that found some in it).

    limits: most distinct names a value may be shared by, by identifier type (else the settings').
    Columns: identifier_type, identifier_value, decision, reason, record_count, name_count,
    name_limit.
    """
    con.execute(f"create or replace table junk ({COLUMNS})")
    for i, rule in enumerate(entity.junk):
        limit = (limits or {}).get(rule.identifier_type, rule.limit)
        con.execute(f"create or replace temp table junk_{i} as " + values_of(con, rule, limit))
        con.execute(
            "insert into junk select ?, value, 'never_links', reason, records, names, ?"
            f" from junk_{i} order by value",
            [rule.identifier_type, limit],
        )
    # All are looked for before any is emptied: one rule may empty what another looks at.
    for i, rule in enumerate(entity.junk):
        con.execute(
            f"create or replace temp table holders_{i} as"
            " select rowid as place, record_id from prepared"
            f" where coalesce({rule.value}, {rule.raw}) in (select value from junk_{i})"
        )
    held = " union all ".join(
        f"select record_id, {1 << i} as bit from holders_{i}" for i in range(len(entity.junk))
    )
    con.execute(
        "create or replace table junk_of_records as"
        f" select record_id, sum(bit)::utinyint as junk from ({held}) group by record_id"
    )
    _empty(con, entity)
    return con.execute("select * from junk order by all").to_arrow_table()


def _empty(con: duckdb.DuckDBPyConnection, entity: Entity) -> None:
    """Empty in `prepared` what holds junk: few rows, written anew, as to update them costs more."""
    tables = [f"holders_{i}" for i in range(len(entity.junk))]
    rules: dict[str, list[str]] = {}
    for table, rule in zip(tables, entity.junk, strict=True):
        for name in rule.clears:
            rules.setdefault(name, []).append(f"rowid in (select place from {table})")
    emptied = ", ".join(
        f"case when {' or '.join(is_junk)} then null else {name} end as {name}"
        for name, is_junk in rules.items()
    )
    held = " union all ".join(f"select place from {table}" for table in tables)
    con.execute(f"create or replace temp table held as {held}")
    con.execute(
        f"create or replace temp table emptied as select * replace ({emptied})"
        " from prepared where rowid in (select place from held)"
    )
    con.execute("delete from prepared where rowid in (select place from held)")
    con.execute("insert into prepared select * from emptied")


def values_of(
    con: duckdb.DuckDBPyConnection,
    rule: JunkRule,
    limit: int,
    table: str = "prepared",
    among: str = "true",
) -> str:
    """SQL of the values that are junk by a rule: value, records, names, reason.

    limit: the most names. among: a condition on the rows of `table` that are looked at.
    """
    names = [f"count(distinct {name})" for name in rule.names] or ["0"]
    most = f"greatest({', '.join(names)})" if len(names) > 1 else names[0]
    # Names are counted of the few values that may have too many: as many holders at least.
    return f"""
        with held as (
            select *, coalesce({rule.value}, {rule.raw}) as value
            from {table}
            where {among}
        ),
        counted as (
            select value, min({rule.raw}) as raw, count(*) as records
            from held
            where value is not null
            group by value
        ),
        suspected as (
            select value, records, pattern_reason
            from (select *, {reason_of(con, rule)} as pattern_reason from counted)
            where pattern_reason is not null or ({limit} > 0 and records > {limit}
                and records > {rule.crowd} * (select avg(records) from counted))
        ),
        named as (
            select value, {most} as names
            from held
            where value in (select value from suspected)
            group by value
        )
        select
            value, records, names, coalesce(pattern_reason, 'shared by too many names') as reason
        from suspected
        inner join named using (value)
        where pattern_reason is not null or names > {limit}
    """


def reason_of(con: duckdb.DuckDBPyConnection, rule: JunkRule, raw: str = "raw") -> str:
    """SQL of why patterns call a value junk, null where none does; raw: what they look at."""
    # Patterns are written out: DuckDB would compile one from a column anew for every row.
    patterns = con.execute(
        "select pattern, reason from junk_patterns where identifier_type = ? order by pattern",
        [rule.patterns or rule.identifier_type],
    ).fetchall()
    if not patterns:
        return "cast(null as text)"
    cases = " ".join(
        f"when regexp_matches({raw}, {_quoted(pattern)}) then {_quoted(reason)}"
        for pattern, reason in patterns
    )
    # Nearly all values match none of them, which one pattern of all tells.
    any_of_them = _quoted("|".join(f"(?:{pattern})" for pattern, _ in patterns))
    return f"case when regexp_matches({raw}, {any_of_them}) then case {cases} end end"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
