"""From records as the streams hold them to match fields: spelled alike, in an order of their own.

Everything happens in a DuckDB connection of the caller (in memory). What `collapse`
leaves is numbered by content (`n`), never by record_id or arrival, so that neither shuffling nor
renaming records can change a decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindred.errors import KindredError
from kindred.identity import blocking
from kindred.identity.components import IntArray
from kindred.identity.entity import Entity, Step
from kindred.identity.reference import Reference
from kindred.identity.transliteration import in_latin_letters

# Of a longer value matching reads the beginning: two megabytes compared letter by letter would take
# all memory and days, and no name or address is so long.
_READ = 300
# Rows that one core reads at a time from what is not in the engine's own tables.
_BATCH = 16_384
_STREET_WORDS = {
    "street": "st", "strasse": "str", "road": "rd", "avenue": "ave", "av": "ave",
    "drive": "dr", "lane": "ln", "court": "ct", "place": "pl", "square": "sq", "boulevard": "blvd",
    "terrace": "ter", "crescent": "cres", "close": "cl", "circuit": "cct", "parade": "pde",
    "highway": "hwy", "parkway": "pkwy", "circle": "cir", "apartment": "apt", "suite": "ste",
    "unit": "apt", "flat": "apt", "north": "n", "south": "s", "east": "e", "west": "w",
    "saint": "st", "mount": "mt",
}  # fmt: skip

_TITLES = "mr|mrs|ms|miss|mx|dr|prof|sir|herr|frau|mme|jr|sr|ii|iii|iv|phd"

_MACROS = r"""
create or replace temp macro words(x) as nullif(trim(regexp_replace(
    strip_accents(replace(replace(replace(replace(replace(
        lower(cast(x as text)), 'ß', 'ss'), 'ø', 'o'), 'æ', 'ae'), 'ł', 'l'), '''', '')),
    '[^\p{L}\p{N}]+', ' ', 'g')), '');
create or replace temp macro digits(x) as nullif(right(ltrim(
    regexp_replace(cast(x as text), '[^0-9]', '', 'g'), '0'), 9), '');
-- The same for a column: most values are plain letters already.
create or replace temp macro spelled(x) as case
    when regexp_full_match(x, '[A-Za-z0-9]+( [A-Za-z0-9]+)*') then lower(x)
    else words(x)
end;
-- Few names begin or end with a title, and only those are worth replacing in.
create or replace temp macro untitled(x) as case
    when regexp_matches(x, '^({titles})( |$)| ({titles}|junior|senior)$')
        then nullif(trim(regexp_replace(
            regexp_replace(' ' || x || ' ', ' ({titles}) ', ' ', 'g'),
            '([^ ]) (junior|senior) $', '\1')), '')
    else x
end;
-- Which of several of one name: Sr. comes last, as in front it is Señor.
create or replace temp macro generation(x) as case
    when contains(x, ' ') then case
        regexp_extract(x, '^(jr|iii?|iv) | (jr|sr|junior|senior|iii?|iv)$')
        when '' then null
        when ' sr' then '1' when ' senior' then '1'
        when ' iii' then '3' when 'iii ' then '3'
        when ' iv' then '4' when 'iv ' then '4'
        else '2'
    end
end;
create or replace temp macro date_digits(x) as case
    when regexp_full_match(cast(x as text), '\d{4}-\d{2}-\d{2}.*')
        then replace(left(cast(x as text), 10), '-', '')
    when regexp_full_match(cast(x as text), '\d{1,2}[/.-]\d{1,2}[/.-]\d{4}')
        then regexp_extract(cast(x as text), '(\d{4})$', 1)
            || lpad(regexp_extract(cast(x as text), '^\d{1,2}[/.-](\d{1,2})', 1), 2, '0')
            || lpad(regexp_extract(cast(x as text), '^(\d{1,2})', 1), 2, '0')
    when length(regexp_replace(cast(x as text), '[^0-9]', '', 'g')) = 8
        then regexp_replace(cast(x as text), '[^0-9]', '', 'g')
end;
"""


def connect() -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB of our own: Splink's tables never reach the user's file."""
    con = duckdb.connect()
    con.execute("set preserve_insertion_order = false")
    con.execute("set enable_progress_bar = false")
    con.execute("set memory_limit = '3GB'")
    return con


@contextmanager
def joined_as_written(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Of each join the right side is what is held, the left what is followed.

    The engine takes an Arrow table for a small one and would hold it, with one core.
    """
    con.execute("set disabled_optimizers = 'build_side_probe_side'")
    try:
        yield
    finally:
        con.execute("reset disabled_optimizers")


def in_batches(table: pa.Table) -> pa.Table:
    """The same rows in batches: DuckDB reads one batch with one core, whatever its size."""
    return pa.Table.from_batches(table.to_batches(max_chunksize=_BATCH), table.schema)


def prepare(
    con: duckdb.DuckDBPyConnection, records: pa.Table, entity: Entity, reference: Reference
) -> None:
    """Make table `prepared` (record_id, source, match fields and helpers) from `records`.

    Raises KindredError where there is no column to match on or where record ids repeat.
    """
    check_columns(records.column_names, entity)
    register_reference(con, entity, reference)
    show_given(con, entity, records)
    *before, last = (
        (step.table, step.sql if isinstance(step, Step) else step.sql(step.source))
        for step in entity.prepare
    )
    # In one statement: tables in between cost more than the engine's own.
    named = ", ".join(f"{table} as ({sql})" for table, sql in before)
    con.execute(
        f"create or replace table {last[0]} as {f'with {named}' if named else ''}"
        f" select * from ({last[1]})"
    )
    con.unregister("given_arrow")
    repeated = con.execute(
        "select count(*) - count(distinct record_id), count(*) filter (where record_id is null)"
        " from prepared"
    ).fetchall()[0]
    if repeated[0] or repeated[1]:
        raise KindredError(
            f"{repeated[0] + repeated[1]} record ids are missing or repeat.",
            "give every record its own record_id, or leave the column out.",
        )


def show_given(con: duckdb.DuckDBPyConnection, entity: Entity, records: pa.Table) -> None:
    """Let view `given` show the records as `entity.prepare` reads them."""
    have = set(records.column_names)
    columns = ", ".join(
        f"substr(cast({name} as text), 1, {_READ}) as {name}"
        if name in have
        else f"cast(null as text) as {name}"
        for name in entity.inputs
    )
    source = (
        "cast(source as text)"
        if "source" in have
        else "split_part(cast(record_id as text), ':', 1)"
    )
    con.register("given_arrow", in_batches(in_latin_letters(records)))
    con.execute(
        f"""
        create or replace temp view given as
        select cast(record_id as text) as record_id, {source} as source, {columns}
        from given_arrow
        """
    )


def helped(entity: Entity, rows: str, *, to_compare: bool = True) -> str:
    """SQL: `rows` (a select) with the helpers of the entity, those of comparing on request."""
    derived = f"select *, {entity.derived} from ({rows})" if entity.derived else rows
    if not (to_compare and entity.looked_up):
        return f"select * from ({derived})"
    return f"select told.*, {entity.looked_up} from ({derived}) as told {entity.look_up}"


def content(entity: Entity) -> str:
    """SQL: one number for all match fields; to sort by it costs a fraction of sorting by these."""
    keys = ", ".join(f"coalesce(cast({name} as text), chr(1))" for name in entity.content)
    return f"md5_number(concat_ws(chr(2), {keys}))"


def alone(entity: Entity) -> str:
    """SQL: the record's id where it shares no representative with its exact doubles, else ''.

    So do those in table `alone`, and those whose filled fields are too few to tell somebody by.
    """
    enough = " or ".join(
        "(" + " and ".join(f"{name} is not null" for name in names) + ")"
        for names in entity.identifying
    )
    return (
        f"case when ({enough}) and record_id not in (select record_id from alone)"
        " then '' else record_id end"
    )


def collapse(
    con: duckdb.DuckDBPyConnection,
    entity: Entity,
    apart: tuple[str, ...] = (),
    *,
    may_be_empty: bool = False,
    place: str = "rowid",
) -> list[str]:
    """Make `members` (record_id, source, n) and `fields` (n, match fields, node, draw).

    Doubles in `prepared` are one. place: the number by which its rows are known; a table without
    one of its own is used up.

    node is a 64-bit hash by which a later run knows the representative again; draw one of the match
    fields alone, by which samples are drawn: what a record is called changes none.
    Records that agree in every match field share a representative, unless the fields filled are
    too few to tell a person by. Records in `apart` (those that must not be one) stand alone.
    Returns the match fields that are filled; KindredError where none is, unless it may be.
    """
    con.register("alone", pa.table({"record_id": pa.array(apart, pa.string())}))
    con.execute(
        f"""
        create or replace table numbered as
        select dense_rank() over (order by content, alone) - 1 as n, *
        from (
            select
                {place} as place,
                record_id,
                source,
                {content(entity)} as content,
                {alone(entity)} as alone
            from prepared
        )
        """
    )
    con.unregister("alone")
    con.execute("create or replace table members as select record_id, source, n from numbered")
    own = () if place == "rowid" else (place,)
    beside = ", ".join(("record_id", "source", *own, *entity.beside))
    chosen = f"""
        select
            firsts.n,
            prepared.* exclude ({beside}),
            hash(firsts.content, firsts.alone) as node,
            hash(firsts.content) as draw
        from prepared
        inner join firsts on prepared.{place} = firsts.place
    """
    with joined_as_written(con):
        con.execute(
            f"""
            create or replace table fields as
            with firsts as (
                select n, content, alone, arg_min(place, record_id) as place
                from numbered
                group by n, content, alone
            )
            {helped(entity, chosen)}
            """
        )
    con.execute("drop table numbered")
    if not own:
        con.execute("drop table prepared")
    return filled_fields(con, entity, may_be_empty=may_be_empty)


@dataclass(frozen=True)
class Members:
    """The records in order of their ids (text), and the representative of each."""

    record_ids: pa.Array
    n: IntArray

    @cached_property
    def first(self) -> IntArray:
        """The place of the first record of each representative."""
        found = np.empty(int(self.n.max(initial=-1)) + 1, np.int64)
        found[self.n[::-1]] = np.arange(len(self.n) - 1, -1, -1)
        return found

    def first_of(self, labels: IntArray) -> IntArray:
        """The place of the first record of each cluster, by its label."""
        found = np.empty(len(labels), np.int64)
        found[labels[self.n[::-1]]] = np.arange(len(self.n) - 1, -1, -1)
        return found

    def places(self, pairs: Sequence[tuple[str, str]]) -> tuple[IntArray, IntArray]:
        """The places of both ends of pairs of record ids, of which neither is gone."""
        asked = pa.array([one for pair in pairs for one in pair], pa.string())
        found = pc.fill_null(pc.index_in(asked, value_set=self.record_ids), -1)
        ends = found.to_numpy().astype(np.int64).reshape(-1, 2)
        ends = ends[(ends >= 0).all(axis=1)]
        return ends[:, 0], ends[:, 1]


def members_of(con: duckdb.DuckDBPyConnection) -> Members:
    """What table `members` says."""
    found = con.execute("select record_id, n from members order by record_id").to_arrow_table()
    record_ids = found["record_id"].combine_chunks()
    return Members(record_ids, found["n"].to_numpy().astype(np.int64))


def name_of(entity: Entity) -> str:
    """SQL: the fields of which it is asked how many hold them, as one number; 0 where none is."""
    asked = [c.holders_of for c in entity.comparisons if c.holders_of]
    return f"coalesce({blocking.key(asked[0])}, 0::ubigint)" if asked else "0::ubigint"


def filled_fields(
    con: duckdb.DuckDBPyConnection, entity: Entity, *, may_be_empty: bool = False
) -> list[str]:
    """The match fields that any record fills."""
    counts = con.execute(
        f"select {', '.join(f'count({name})' for name in entity.fields)} from fields"
    ).fetchall()[0]
    found = [name for name, count in zip(entity.fields, counts, strict=True) if count]
    if not (found or may_be_empty) and con.execute("select count(*) from fields").fetchall()[0][0]:
        raise KindredError(
            f"None of the columns to match on is filled ({', '.join(entity.inputs)}).",
            "name the columns as in the record streams.",
        )
    return found


def check_columns(names: Sequence[str], entity: Entity) -> None:
    """Raise KindredError where records with such columns cannot be matched."""
    if "record_id" not in names:
        raise KindredError("The records have no column record_id.", "add one, unique per row.")
    if not set(entity.inputs) & set(names):
        raise KindredError(
            f"The records have none of the columns that {entity.name} matching uses.",
            f"name at least one of: {', '.join(entity.inputs)}.",
        )


def register_reference(
    con: duckdb.DuckDBPyConnection, entity: Entity, reference: Reference
) -> None:
    """Make the reference lists as tables, and the macros that `entity.prepare` speaks in."""
    for name, table in {**reference, **{name: of() for name, of in entity.tables}}.items():
        con.register(f"{name}_arrow", table)
        con.execute(f"create or replace table {name} as select * from {name}_arrow")
        con.unregister(f"{name}_arrow")
    con.execute(_MACROS.replace("{titles}", _TITLES))
    # Forms of one word; what another sign than a letter or a number does to a pattern is not asked.
    suffixes = "|".join(
        sorted(
            row[0]
            for row in con.execute(
                "select suffix from legal_suffixes"
                " where regexp_full_match(suffix, '[\\p{L}\\p{N}]+')"
            ).fetchall()
        )
    )
    spoken = "' ' || x || ' '"
    for long, short in _STREET_WORDS.items():
        spoken = f"replace({spoken}, ' {long} ', ' {short} ')"
    con.execute(
        f"""
        -- Of what `words` or `spelled` gave.
        create or replace temp macro street_words(x) as nullif(trim(regexp_replace(
            replace({spoken}, 'strasse ', 'str '), ' [0-9]+[a-z]?\\b', '', 'g')), '');
        create or replace temp macro company_words(x) as coalesce(nullif(trim(regexp_replace(
            ' ' || regexp_replace(x, '\\b([a-z]) ([a-z])\\b', '\\1\\2', 'g') || ' ',
            ' (({suffixes}|the|and|und|et|of|de|y) )+', ' ', 'g')), ''), x);
        """
    )
    con.execute(
        """
        create or replace table nickname_lists as
        with told as (
            select nickname as name, given_name as stands_for from nicknames
            union
            select given_name, given_name from nicknames
            union
            select nickname, nickname from nicknames
        ),
        initials as (
            select name, list(distinct left(other, 1)) as initials
            from (
                select name, stands_for as other from told
                union all
                select stands_for, name from told
            )
            group by name
        )
        select
            name,
            list(stands_for order by stands_for) as stands_for,
            list_sort(initials) as initials
        from told
        inner join initials using (name)
        group by name, initials
        """
    )
