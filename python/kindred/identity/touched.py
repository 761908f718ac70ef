"""Which records a run has to resolve anew, and what all records together tell of them.

A component is what could ever be one: records that share a strong value or are nearly alike. What
becomes of a component hangs on its records and on what all records tell together: which values are
junk, how rare a name is, which rules block, what the model says, how low the cut lies. These come
in coarse steps, so that a few new records move few of them. A run resolves the components in which
a record changed, which a new record is near, or in which records share a value whose step moved.
Where a step moved that concerns all, it resolves everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kindred.identity import blocking, junk, links, records, settling, steps, training, weighing
from kindred.identity.components import IntArray
from kindred.identity.entity import Comparison, Entity, Shared, Step
from kindred.identity.kept import Kept, KeyArray, is_among
from kindred.identity.records import in_batches
from kindred.identity.reference import Reference
from kindred.identity.weighing import ClassArray

BoolArray = npt.NDArray[np.bool_]

# Where more of the records than this are new or changed, it is faster to resolve all.
MOST = 0.05


class EverythingTouchedError(Exception):
    """So much changed, or such a thing, that all records must be resolved."""


@dataclass(frozen=True)
class Now:
    """The records of this run.

    size: how many. hashed: gives of all their record_id and row, a hash of it and of what is given
    of the record. moved: given the place and row of records before, gives those that are otherwise:
    the place of one that is no more, record_id and row of one that was not. fetch: gives what is
    given of some, or of all; identifiers: their record_id, identifier_type, identifier_value.
    """

    size: int
    hashed: Callable[[], pa.Table]
    moved: Callable[[pa.Table], pa.Table]
    fetch: Callable[[pa.Array | None], pa.Table]
    identifiers: Callable[[pa.Array | None], pa.Table]


class Rows:
    """The records now: those of the last run that stay, at their places, and the fresh ones.

    Tables and views in `con`, from `find_changed` on: `before` (the last run's records that stay,
    with place, is_first and junk, a number whose bits say which rules of the entity found a value
    of theirs to be junk), `gone_rows` (those that are gone, the same but is_first), `prepared` (the
    fresh ones, until they `stand`), `fresh` (the same columns as `gone_rows`).
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, entity: Entity, kept: Kept) -> None:
        self.con, self.entity, self.kept = con, entity, kept
        self.base = len(kept.rows)
        self.dead = ~kept.rows.live
        self.gone = np.zeros(self.base, dtype=bool)
        self.shared = kept.shared
        self._hashes: list[tuple[pa.Array, KeyArray]] = []
        self.first = np.zeros(self.base, dtype=bool)
        told = kept.rows.told
        self.columns = [n for n in told.column_names if n not in ("record_id", "source")]
        self._told = told.append_column("place", pa.array(np.arange(self.base), pa.int32()))
        self._told = self._told.append_column("junk", pa.array(kept.rows.junk, pa.uint8()))

    def show(self) -> None:
        """Let `before` and `gone_rows` show what stays and what is gone, and which rows stand first
        for their representative."""
        table = self._told.append_column("is_here", pa.array(~(self.gone | self.dead)))
        table = table.append_column("is_first", pa.array(self.first))
        self.con.register("all_before", in_batches(table))
        self.con.execute(
            "create or replace temp view before as select * from all_before where is_here"
        )
        self.con.register("gone_rows", rows_at(self._told, np.flatnonzero(self.gone)))

    def places_where(self, condition: str) -> IntArray:
        """Places of the rows that stay and fulfil a condition."""
        found = self.con.execute(
            f"select place from before where {condition} order by place"
        ).fetchnumpy()
        return np.asarray(found["place"], dtype=np.int64)

    def places_with(self, column: str, values: list[str]) -> IntArray:
        """Places of the rows that stay and have one of some values in a column."""
        asked = pa.array(values, pa.string())
        has = pc.is_in(self.kept.rows.told[column], value_set=asked).to_numpy()
        return np.flatnonzero(has & ~(self.gone | self.dead))

    def show_some(self, places: IntArray) -> None:
        """Let `some_rows` show the rows of some places, fresh ones as well: all their columns, the
        place and junk. Rows are taken one by one: to look through all costs more."""
        old, new = places[places < self.base], places[places >= self.base]
        names = ["record_id", "source", *self.columns]
        table = rows_at(self.kept.rows.told.select(names), old)
        table = table.append_column("place", pa.array(old, pa.int32()))
        table = table.append_column("junk", pa.array(self.kept.rows.junk[old], pa.uint8()))
        if len(new):
            self.con.register("asked_places", pa.table({"place": pa.array(new, pa.int32())}))
            fresh = self.con.execute(
                f"select {', '.join(names)}, place, junk from fresh"
                " where place in (select place from asked_places)"
            ).to_arrow_table()
            self.con.unregister("asked_places")
            table = pa.concat_tables([table, fresh.cast(table.schema)])
        self.con.register("some_rows", in_batches(table))

    def take(self, places: IntArray) -> None:
        """Let rows of the last run stand among the fresh ones: their content may change."""
        if not len(places):
            return
        self.con.register("taken", pa.table({"place": pa.array(places, pa.int32())}))
        columns = ", ".join(self.columns)
        self.con.execute(
            f"insert into prepared select record_id, source, {columns} from before"
            " where place in (select place from taken)"
        )
        self.con.unregister("taken")
        self.leave(places)

    def leave(self, places: IntArray) -> None:
        """Say that rows are gone, to stand among the fresh ones with what was given of them."""
        self.came(self.ids_at(places), self.kept.rows.row[places])
        self.gone[places] = True
        self.show()

    def ids_at(self, places: IntArray) -> pa.Array:
        """The record ids of places of the last run, which ascend."""
        told = rows_at(self.kept.rows.told.select(["record_id"]), places)
        return told["record_id"].combine_chunks()

    def ids_of(self, here: BoolArray) -> pa.ChunkedArray:
        """The record ids of all rows that are here, fresh ones as well."""
        stays = self.kept.rows.told["record_id"].filter(pa.array(here[: self.base]))
        fresh = self.con.execute("select record_id from fresh").to_arrow_table()["record_id"]
        return pa.chunked_array([*stays.chunks, *fresh.chunks], pa.string())

    def came(self, ids: pa.Array, row: KeyArray) -> None:
        """Say what is given of records: a hash of it."""
        self._hashes.append((ids, row))

    def hashes_of(self, ids: pa.ChunkedArray) -> KeyArray:
        """What is given of fresh records: hashes."""
        known = pa.concat_arrays([one for one, _ in self._hashes])
        row = np.concatenate([hashes for _, hashes in self._hashes])
        return np.asarray(row[pc.index_in(ids, value_set=known).to_numpy()])


def rows_at(table: pa.Table, places: IntArray) -> pa.Table:
    """The rows of a table at some places, which ascend.

    Piece by piece: for a few of them Table.take would look through all.
    """
    pieces = table.to_batches()
    starts = np.cumsum([0, *(piece.num_rows for piece in pieces)])
    ends = np.searchsorted(places, starts)
    taken = [
        piece.take(pa.array(places[one:end] - start))
        for piece, start, one, end in zip(pieces, starts, ends, ends[1:], strict=False)
    ]
    return pa.Table.from_batches(taken, table.schema)


def find_changed(rows: Rows, now: Now, decided: set[str]) -> pa.Array:
    """Mark the rows that are gone or changed; the ids of those that are new or changed.

    decided: records that a steward's decision is about that was not there, or is no more. They
    count as changed.
    """
    live = np.flatnonzero(~rows.dead)
    row = rows.kept.rows.row
    moved = now.moved(pa.table({"place": pa.array(live, pa.int32()), "row": row[live]}))
    is_fresh = pc.is_valid(moved["record_id"])
    fresh = moved.filter(is_fresh).select(["record_id", "row"])
    rows.gone[moved["place"].filter(pc.invert(is_fresh)).to_numpy()] = True
    if decided:
        places = rows.places_with("record_id", sorted(decided))
        rows.gone[places] = True
        same = {"record_id": rows.ids_at(places), "row": row[places]}
        fresh = pa.concat_tables([fresh, pa.table(same, schema=fresh.schema)])
    if rows.gone.sum() + fresh.num_rows > MOST * max(len(live), 1):
        raise EverythingTouchedError("many records are new or changed")
    rows.show()
    fresh = fresh.sort_by("record_id")
    ids = fresh["record_id"].combine_chunks()
    rows.came(ids, fresh["row"].to_numpy().astype(np.uint64))
    return ids


def refuse_repeated(rows: Rows, now: Now) -> None:
    """EverythingTouchedError where an id repeats.

    Of a fresh record all rows are fetched, those that are as before too: its id repeats in `fresh`.
    """
    fresh, ids = rows.con.execute(
        "select count(*), count(distinct record_id) from fresh"
    ).fetchall()[0]
    staying = rows.base - int((rows.gone | rows.dead).sum())
    if ids < fresh or staying + fresh != now.size:
        raise EverythingTouchedError("record ids repeat")


def decided_about_fresh(rows: Rows, decisions: Sequence[tuple[str, str, str]]) -> IntArray:
    """Places of the records that a decision names together with a fresh one."""
    if not decisions:
        return np.empty(0, np.int64)
    fresh = set(
        rows.con.execute("select record_id from fresh").to_arrow_table()["record_id"].to_pylist()
    )
    names = {
        name for _, *pair in decisions if set(pair) & fresh for name in pair if name not in fresh
    }
    return rows.places_with("record_id", sorted(names))


def prepare(rows: Rows, fresh: pa.Array, now: Now, reference: Reference) -> None:
    """Make `prepared` of the fresh records and of those that read what they change.

    A step reads what earlier ones made. So the rows that a table of shared values concerns
    otherwise now add nothing to it that they did not add before, and need only be brought as far.
    """
    con, entity = rows.con, rows.entity
    records.register_reference(con, entity, reference)
    records.show_given(con, entity, now.fetch(fresh))
    made: list[Step] = []
    for step in entity.prepare:
        if isinstance(step, Step):
            con.execute(f"create or replace table {step.table} as {step.sql}")
            made.append(step)
            continue
        places = _share(rows, step)
        if len(places):
            rows.leave(places)
            _make_more(rows, made, now.fetch(rows.ids_at(places)))
    con.unregister("given_arrow")
    rows.shared = shared_now(con, entity, are_all=False)


def _make_more(rows: Rows, made: list[Step], given: pa.Table) -> None:
    """Add what is made of more records to the tables of steps."""
    con = rows.con
    for step in made:
        con.execute(f"alter table {step.table} rename to {step.table}_of_others")
    records.show_given(con, rows.entity, given)
    for step in made:
        con.execute(f"create table {step.table} as {step.sql}")
    for step in made:
        con.execute(f"insert into {step.table} select * from {step.table}_of_others")
        con.execute(f"drop table {step.table}_of_others")


def _share(rows: Rows, step: Shared) -> IntArray:
    """Make the table of shared values; places of rows that it now concerns otherwise."""
    con = rows.con
    columns = ", ".join(step.columns)
    shared = rows.kept.shared
    con.register("shared_before", shared.filter(pc.equal(shared["name"], step.table)))
    # What only grows need not be looked at again where rows were added, nor where some are gone
    # that did not suffice.
    was = "in (select value from shared_before)"
    added, gone = (
        (f"{step.value} not {was}", f"{step.value} {was}") if step.grows else ("true",) * 2
    )
    con.execute(
        f"""
        create or replace temp table asked_values as
        select {step.value} as value from {step.source} where {step.where} and {added}
        union
        select {step.value} from gone_rows where {step.where} and {gone}
        """
    )
    among = f"{step.value} in (select value from asked_values)"
    now = (
        f"(select {columns} from before where {among}"
        f" union all select {columns} from {step.source})"
    )
    con.execute(
        f"""
        create or replace table {step.table} as
        select value from shared_before where value not in (select value from asked_values)
        union all
        {step.sql(now, among)}
        """
    )
    found = con.execute(
        f"""
        (select value from shared_before except select value from {step.table})
        union all
        (select value from {step.table} except select value from shared_before)
        """
    ).fetchall()
    con.unregister("shared_before")
    return rows.places_with(step.reads, sorted(value for (value,) in found))


def shared_now(con: duckdb.DuckDBPyConnection, entity: Entity, *, are_all: bool) -> pa.Table:
    """The shared values: name (of the table), value.

    are_all: they are told by table `prepared` as a whole, junk not emptied yet; else their tables
    are there.
    """
    found = []
    for step in entity.prepare:
        if isinstance(step, Shared):
            rows = f"({step.sql('prepared')})" if are_all else step.table
            values = con.execute(f"select value from {rows} order by value").to_arrow_table()
            found.append(values.add_column(0, "name", pa.repeat(step.table, values.num_rows)))
    schema = pa.schema({"name": pa.string(), "value": pa.string()})
    return pa.concat_tables([schema.empty_table(), *(table.cast(schema) for table in found)])


def find_junk(rows: Rows, limits: dict[str, int]) -> pa.Table:
    """Tables junk_0, ... of the values that are junk now, by the entity's rules; the decisions.

    Rows with a value that became junk, or is none any more, are taken among the fresh ones.
    """
    con, entity, kept = rows.con, rows.entity, rows.kept
    columns = ", ".join(rows.columns)
    con.execute(
        f"create or replace temp view told_now as"
        f" select record_id, {columns} from before"
        f" union all select record_id, {columns} from prepared"
    )
    decisions, moved = [], []
    for i, rule in enumerate(entity.junk):
        value = f"coalesce({rule.value}, {rule.raw})"
        limit = limits.get(rule.identifier_type, rule.limit)
        was = kept.decided_junk.filter(
            pc.equal(kept.decided_junk["identifier_type"], rule.identifier_type)
        )
        con.register("junk_before", was)
        con.execute(
            f"""
            create or replace temp table touched_values as
            select distinct {value} as value
            from (
                select {columns} from gone_rows
                union all
                select {columns} from prepared
            )
            where {value} is not null
            """
        )
        # Their holders are not counted where patterns alone decide: nearly all values match none.
        if rule.is_by_pattern:
            reason = junk.reason_of(con, rule, "value")
            con.execute(f"delete from touched_values where ({reason}) is null")
        # Where a value is junk by how common others are, all are looked at.
        among = "true" if rule.crowd else f"{value} in (select value from touched_values)"
        stays = "false" if rule.crowd else "identifier_value not in (select * from touched_values)"
        judged = junk.values_of(con, rule, limit, "told_now", among)
        con.execute(f"create or replace temp table judged as {judged}")
        con.execute(
            f"""
            create or replace temp table junk_{i} as
            select identifier_value as value, reason, record_count, name_count, name_limit
            from junk_before
            where {stays}
            union all
            select value, reason, records, names, {limit} from judged
            """
        )
        # Of those that only fresh records hold no other need be looked for: a role mailbox is new.
        con.execute(
            f"""
            create or replace temp table flipped as
            with was_junk as (
                select identifier_value as value from junk_before
            ),
            changed as (
                (select value from was_junk except select value from junk_{i})
                union all
                (select value from junk_{i} except select value from was_junk)
            ),
            fresh as (
                select {value} as value, count(*) as records
                from prepared
                where {value} in (select value from changed)
                group by {value}
            )
            select changed.value
            from changed
            left join judged on changed.value = judged.value
            left join fresh on changed.value = fresh.value
            where judged.records is null or judged.records > coalesce(fresh.records, 0)
            """
        )
        if con.execute("select count(*) from flipped").fetchall()[0][0]:
            moved.append(rows.places_where(f"{value} in (select value from flipped)"))
        con.unregister("junk_before")
        decisions.append(
            con.execute(
                "select ? as identifier_type, value as identifier_value, 'never_links' as decision,"
                f" reason, record_count, name_count, name_limit from junk_{i}",
                [rule.identifier_type],
            ).to_arrow_table()
        )
    rows.take(np.unique(np.concatenate([np.empty(0, np.int64), *moved])))
    con.register("decided_junk", pa.concat_tables(decisions).cast(kept.decided_junk.schema))
    found = con.execute("select * from decided_junk order by all").to_arrow_table()
    con.unregister("decided_junk")
    return found


def stand(rows: Rows, policy: settling.Policy) -> None:
    """Make `fresh` of `prepared`: with junk, content, node and place, behind the rows before."""
    con, entity = rows.con, rows.entity
    mask = " + ".join(
        f"case when coalesce({rule.value}, {rule.raw}) in (select value from junk_{i})"
        f" then {1 << i} else 0 end"
        for i, rule in enumerate(entity.junk)
    )
    for is_last in (False, True):
        con.execute(
            f"create or replace table marked as select *, ({mask})::utinyint as junk from prepared"
        )
        emptied = cleared(entity, rows.columns)
        con.execute(
            f"create or replace table standing as select record_id, source, {emptied} from marked"
        )
        alone = settling.standing_alone(con, policy, entity.content, "standing")
        con.register("alone", pa.table({"record_id": pa.array(alone, pa.string())}))
        con.execute(
            f"""
            create or replace table fresh as
            select marked.*, hash(content) as content, hash(content, alone) as node,
                (row_number() over (order by marked.record_id) - 1 + {rows.base})::integer as place
            from marked
            inner join (
                select record_id, {records.content(entity)} as content,
                    {records.alone(entity)} as alone
                from standing
            ) using (record_id)
            """
        )
        con.unregister("alone")
        if is_last or not policy.sources:
            break
        # Of exact doubles, which stands alone hangs on all of them.
        content = con.execute("select distinct content from fresh").fetchnumpy()["content"]
        both = np.concatenate([content, rows.kept.rows.content[rows.gone]])
        rows.take(np.flatnonzero(is_among(rows.kept.rows.content, both) & ~(rows.gone | rows.dead)))


def cleared(entity: Entity, columns: list[str]) -> str:
    """SQL of the columns of `prepared` with junk emptied, by the bits of column junk."""
    bits: dict[str, int] = {}
    for i, rule in enumerate(entity.junk):
        for name in rule.clears:
            bits[name] = bits.get(name, 0) | 1 << i
    return ", ".join(
        f"case when junk & {bits[name]} = 0 then {name} end as {name}" if name in bits else name
        for name in columns
    )


class Nodes:
    """The representatives now, and which came and went (by place).

    In `con`: `nodes_now`, `nodes_came`, `nodes_went` (n: the place of the first row that stands
    under it, then the columns of `fields`), and `numbers_now`, `numbers_came`, `numbers_went` (n,
    then what is looked up: see `blocking.number_fields`).
    """

    def __init__(self, rows: Rows) -> None:
        self.rows, con = rows, rows.con
        self._counted_fields: set[tuple[str, ...]] = set()
        fresh = con.execute("select node, content from fresh order by place").fetchnumpy()
        fresh_node = fresh["node"].astype(np.uint64)
        before = rows.kept.rows.node
        self.node = np.concatenate([before, fresh_node])
        self.content = np.concatenate([rows.kept.rows.content, fresh["content"].astype(np.uint64)])
        here = np.concatenate([~(rows.gone | rows.dead), np.ones(len(fresh_node), dtype=bool)])
        self.here = here
        places = np.flatnonzero(here)
        # The first row of each, in the order of places.
        self.first = np.zeros(len(here), dtype=bool)
        self.first[places[_firsts(self.node[places])]] = True
        self.size = int(self.first.sum())
        went, went_at = np.unique(before[rows.gone], return_index=True)
        came, came_at = np.unique(fresh_node, return_index=True)
        staying = before[here[: rows.base]]
        touched = np.union1d(went, came)
        stays = touched[np.isin(touched, staying[is_among(staying, touched)])]
        is_gone = ~(np.isin(went, stays) | np.isin(went, came))
        is_new = ~(np.isin(came, stays) | np.isin(came, went))
        self.went = np.flatnonzero(rows.gone)[went_at[is_gone]]
        self.came = rows.base + came_at[is_new]
        is_first = np.flatnonzero(self.first[rows.base :]) + rows.base
        rows.first = self.first[: rows.base]
        rows.show()
        columns = cleared(rows.entity, [c for c in rows.columns if c not in rows.entity.beside])
        con.register("first_fresh", pa.table({"place": is_first}))
        con.register("came", pa.table({"place": self.came}))
        con.register("went", pa.table({"place": self.went}))
        told = f"place::bigint as n, {columns}"
        ways = {
            "view nodes_now": f"select {told} from before where is_first union all"
            f" select {told} from fresh where place in (select place from first_fresh)",
            "table nodes_came": f"select {told} from fresh where place in (select * from came)",
            "table nodes_went": f"select {told} from gone_rows where place in (select * from went)",
        }
        for way, sql in ways.items():
            helped = records.helped(rows.entity, sql, to_compare=False)
            con.execute(f"create or replace temp {way} as {helped}")
        # What rules and comparisons look up.
        asked = [rule for rule, _, _ in rows.kept.rules]
        asked += [rule.fields for rule in rows.entity.rules]
        for comparison in rows.entity.comparisons:
            if comparison.rarity or comparison.unique:
                asked.append((comparison.field,))
            asked.append(comparison.holders_of)
        for way in ("now", "came", "went"):
            blocking.number_fields(con, asked, f"nodes_{way}", f"numbers_{way}")

    def counts(self, fields: tuple[str, ...]) -> Counted:
        """Of each value that came or went: how many hold it now, and held it before."""
        key = blocking.key(fields, str)
        return self._counted(
            fields,
            f"select {key} as value, count(*) as held from numbers_now"
            f" where {key} in (select value from delta) group by {key}",
        )

    def counts_with_frequent(self, fields: tuple[str, ...]) -> Counted:
        """The same, of frequent values as well."""
        return self._counted(
            fields,
            f"select value, held from {self._holders(fields)}"
            f" where value in (select value from delta) or held >= {steps.FREQUENT}",
        )

    def _counted(self, fields: tuple[str, ...], held: str) -> Counted:
        key = blocking.key(fields, str)
        found = self.rows.con.execute(
            f"""
            with delta as (
                select value, sum(more)::bigint as more
                from (
                    select {key} as value, 1 as more from numbers_came
                    union all
                    select {key}, -1 from numbers_went
                )
                where value is not null
                group by value
            ),
            held as ({held})
            select
                value,
                coalesce(held, 0)::bigint as now,
                (coalesce(held, 0) - coalesce(more, 0))::bigint as before
            from delta
            full outer join held using (value)
            """
        ).fetchnumpy()
        return Counted(*(found[name] for name in ("value", "now", "before")))

    def _holders(self, fields: tuple[str, ...]) -> str:
        """The table of values (value) with how many hold each now (held). It is made once: what
        weights ask for is asked for several times."""
        table = f"holders_of_{'_and_'.join(fields)}"
        if fields not in self._counted_fields:
            self.rows.con.execute(
                f"create temp table {table} as select value, count(*) as held"
                f" from (select {blocking.key(fields, str)} as value from numbers_now)"
                " where value is not null group by value"
            )
            self._counted_fields.add(fields)
        return table

    def holders_in(self, table: str, comparisons: tuple[Comparison, ...]) -> dict[str, IntArray]:
        """By comparison that asks it, by number in a table how many now hold the fields' values."""
        return {c.field: self._held_in(table, c.holders_of, 1) for c in comparisons if c.holders_of}

    def classes_in(
        self, table: str, comparisons: tuple[Comparison, ...], totals: training.Totals
    ) -> dict[str, ClassArray]:
        """By field with rarity, by number in a table how rare the value is now."""
        return {
            c.field: weighing.classes_of(self._held_in(table, (c.field,), 0), totals[c.field][0])
            for c in comparisons
            if c.rarity
        }

    def _held_in(self, table: str, fields: tuple[str, ...], nothing: int) -> IntArray:
        found = self.rows.con.execute(
            f"""
            select n, coalesce(held, {nothing})::bigint as held
            from (select n, {blocking.key(fields)} as value from {table})
            left join {self._holders(fields)} using (value)
            """
        ).fetchnumpy()
        by_number = np.full(int(found["n"].max(initial=-1)) + 1, nothing, np.int64)
        by_number[found["n"]] = found["held"]
        return by_number

    def holding(self, fields: tuple[str, ...], values: KeyArray) -> tuple[IntArray, KeyArray]:
        """Numbers of the nodes that hold one of some values, and of each the value."""
        if not len(values):
            return np.empty(0, np.int64), np.empty(0, np.uint64)
        con, key = self.rows.con, blocking.key(fields, str)
        con.register("asked_values_of", pa.table({"value": values}))
        found = con.execute(
            f"select n, {key} as value from numbers_now"
            f" where {key} in (select * from asked_values_of)"
        ).fetchnumpy()
        con.unregister("asked_values_of")
        return found["n"].astype(np.int64), found["value"].astype(np.uint64)

    def were_together(self, left: IntArray, right: IntArray) -> BoolArray:
        """Of pairs of nodes, whether both lay in one component of the last run."""
        component, base = self.rows.kept.rows.component, self.rows.base
        old = (left < base) & (right < base)
        found = np.zeros(len(left), dtype=bool)
        found[old] = component[left[old]] == component[right[old]]
        return found

    def sharing(self, fields: tuple[str, ...]) -> IntArray:
        """Numbers of the nodes that share the values of one that came or went."""
        key = blocking.key(fields, str)
        found = self.rows.con.execute(
            f"select n from numbers_now where {key} in"
            f" (select {key} from numbers_came union select {key} from numbers_went)"
        )
        return np.asarray(found.fetchnumpy()["n"], dtype=np.int64)


def _firsts(values: KeyArray) -> IntArray:
    """Where each value stands for the first time."""
    if not len(values):
        return np.empty(0, np.int64)
    # np.unique would sort them in a way that keeps the order of equal ones, which takes longer.
    order = np.argsort(values)
    ordered = values[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    return np.minimum.reduceat(order, starts)


@dataclass(frozen=True)
class Counted:
    """Values, and by how many they are held now and were held before."""

    value: KeyArray
    now: IntArray
    before: IntArray

    def more(self, of: Callable[[IntArray], IntArray]) -> int:
        """How much a sum over all values has changed."""
        return int((of(self.now) - of(self.before)).sum())


def ordered_pairs(count: IntArray) -> IntArray:
    """How many ordered pairs so many holders of a value are."""
    return count * (count - 1)


@dataclass(frozen=True)
class Stepped:
    """totals: by field, how many representatives fill it, and how many ordered pairs share its
    value. restless: representatives with a value whose step moved; meeting: two or more of those
    that have one such value and lay in one component. names: hashes of the names of which so many
    are held now that it counts otherwise; held: by how many."""

    totals: dict[str, tuple[int, int]]
    restless: IntArray
    meeting: IntArray
    names: KeyArray
    held: IntArray


def count_values(nodes: Nodes, comparisons: tuple[Comparison, ...]) -> Stepped:
    """Count the values that came or went, and find what counts otherwise now.

    Raises EverythingTouchedError where the step of a whole field moved.
    """
    kept, con = nodes.rows.kept, nodes.rows.con
    totals: dict[str, tuple[int, int]] = {}
    restless, meeting = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    names, held = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for comparison in comparisons:
        if comparison.holders_of:
            counted = nodes.counts(comparison.holders_of)
            ends = np.array(sorted(int(level.condition) for level in comparison.levels))
            moved = np.searchsorted(ends, counted.now, side="right") != np.searchsorted(
                ends, counted.before, side="right"
            )
            having, value = nodes.holding(comparison.holders_of, counted.value[moved])
            restless.append(having)
            meeting.append(_meeting(nodes, having, value))
            names.append(counted.value[moved])
            held.append(counted.now[moved])
            continue
        name = comparison.field
        if not (comparison.rarity or comparison.unique):
            came, went = (
                con.execute(f"select count({name}) from nodes_{way}").fetchall()[0][0]
                for way in ("came", "went")
            )
            totals[name] = (kept.totals[name][0] + came - went, 0)
            continue
        count = nodes.counts_with_frequent if comparison.rarity else nodes.counts
        counted = count((name,))
        filled, same = kept.totals[name]
        totals[name] = (
            filled + counted.more(lambda n: n), same + counted.more(ordered_pairs)
        )  # fmt: skip
        if comparison.rarity:
            if weighing.total_step(filled) != weighing.total_step(totals[name][0]):
                raise EverythingTouchedError(f"the number of values of {name} moved a step")
            classes = weighing.classes_of(counted.now, totals[name][0])
            moved = classes != weighing.classes_of(counted.before, filled)
            having, value = nodes.holding((name,), counted.value[moved])
            restless.append(having)
            meeting.append(_meeting(nodes, having, value))
    return Stepped(
        totals, np.unique(np.concatenate(restless)), np.unique(np.concatenate(meeting)),
        np.concatenate(names), np.concatenate(held),
    )  # fmt: skip


def _meeting(nodes: Nodes, having: IntArray, value: KeyArray) -> IntArray:
    """Those that have a value which another of their component has: what such a pair weighs may
    be something else now."""
    old = having < nodes.rows.base
    having, value = having[old], value[old]
    component = nodes.rows.kept.rows.component[having]
    order = np.lexsort((value, component))
    component, value = component[order], value[order]
    twice = (component[1:] == component[:-1]) & (value[1:] == value[:-1])
    return np.asarray(having[order[1:][twice]])


def ask_rules(nodes: Nodes) -> blocking.Asked:
    """The blocking rules with the pairs they propose now.

    Raises EverythingTouchedError where others are used.
    """
    kept = nodes.rows.kept
    before = {rule: pairs for rule, pairs, _ in kept.rules}

    def pairs_of(rule: tuple[str, ...]) -> int:
        if rule not in before:
            raise EverythingTouchedError("other blocking rules are asked")
        counted = nodes.counts(rule)
        return before[rule] + counted.more(ordered_pairs) // 2

    found = blocking.ask_rules(nodes.rows.entity, nodes.size, pairs_of)
    if [(rule, used) for rule, _, used in found] != [(rule, used) for rule, _, used in kept.rules]:
        raise EverythingTouchedError("other blocking rules are used")
    return found


def holders_of(nodes: Nodes, now: Now) -> tuple[pa.Table, KeyArray]:
    """The identifiers with the places of their holders, and those that are touched.

    Raises EverythingTouchedError where one became held by too many, or is no more.
    """
    con, kept = nodes.rows.con, nodes.rows.kept
    before = kept.identifiers
    before_place, before_value = before["place"].to_numpy(), before["value"].to_numpy()
    # Whatever is changed of the identifiers of a record, the record is among the fresh ones.
    stays = before.filter(pa.array(nodes.here[before_place]))
    fresh = con.execute("select record_id from fresh").to_arrow_table()["record_id"]
    con.register("identifiers_now", in_batches(now.identifiers(fresh.combine_chunks())))
    came = con.execute(
        f"""
        select f.place, {links.IDENTIFIER} as value
        from identifiers_now as i
        inner join (select record_id, place from fresh) as f
            on cast(i.record_id as text) = f.record_id
        """
    ).to_arrow_table()
    con.unregister("identifiers_now")
    held = pa.concat_tables([stays, came.cast(stays.schema)])
    place, value = held["place"].to_numpy(), held["value"].to_numpy()
    touched = np.union1d(
        value[place >= nodes.rows.base], before_value[nodes.rows.gone[before_place]]
    )
    asked = is_among(value, touched)
    pairs = np.unique(np.column_stack([value[asked], nodes.node[place[asked]]]), axis=0)
    values, holders = np.unique(pairs[:, 0], return_counts=True)
    too_many = values[holders > links.MOST_HOLDERS]
    if set(too_many.tolist()) != set(np.intersect1d(kept.crowded, touched).tolist()):
        raise EverythingTouchedError("an identifier is held by too many now, or no longer")
    return held, np.setdiff1d(touched, too_many)
