"""What a run keeps comes back whole, is written anew where much of it is loose, and else not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import chain

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from identity_batches import SETTINGS, Batches, World, facts, town_of
from identity_town import TRAPS, people
from kindred.identity import dbt_model, incremental, kept, touched
from kindred.identity.kept import SETTLED, WHOLE, Kept, pack, unpack
from kindred.identity.person import PERSON
from kindred.identity.resolution import Resolution, as_one_table


@pytest.fixture(scope="module")
def town() -> World:
    return town_of(people(40, seed=3) + TRAPS)


@pytest.fixture(scope="module")
def left(town: World) -> Kept:
    """What a full run keeps of all that it can keep."""
    held = ((name, "user_id", "1") for name in sorted(town.rows)[:4])
    decided = town.held(*held).decided(("cannot_link", "crm:r3-1", "shop:r3-0"))
    found = Batches("shipped").resolved(decided, None).kept
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(touched, "MOST", 2.0)
    yield


def test_a_row_is_known_by_all_that_it_tells(town: World) -> None:
    found = Batches("shipped").resolved(town, None).resolution

    def hashes(told: Resolution) -> tuple[set[int], set[int]]:
        rows = as_one_table(told, None, pa.table({})).select(["part", "row_hash"]).to_pylist()
        known: dict[str, list[int | None]] = {}
        for row in rows:
            known.setdefault(row["part"], []).append(row["row_hash"])
        told_of = [set(filter(None, known.pop(part))) for part in ("cluster", "link")]
        assert not any(filter(None, chain(*known.values())))
        return told_of[0], told_of[1]

    clusters, links = hashes(found)
    assert (len(clusters), len(links)) == (found.assignments.num_rows, found.links.num_rows)
    assert not clusters & links
    for part, of_part in (("assignments", clusters), ("links", links)):
        table = getattr(found, part)
        # The cluster of a link is that of its records, and is not told again.
        for name in set(table.column_names) - ({"entity"} if part == "links" else set()):
            kind = table.schema.field(name).type
            kind = kind.value_type if pa.types.is_dictionary(kind) else kind
            other = pa.repeat(
                pa.scalar(7 if pa.types.is_primitive(kind) else "7", kind), len(table)
            )
            column = table.column_names.index(name)
            changed = replace(found, **{part: table.set_column(column, name, other)})
            now = hashes(changed)[part == "links"]
            assert not now & of_part, name


def _equal(one: Kept, other: Kept) -> None:
    for part in fields(Kept):
        if part.name == "settled_component":
            continue
        ours, theirs = getattr(one, part.name), getattr(other, part.name)
        if isinstance(ours, pa.Table):
            assert ours.equals(theirs), part.name
        elif isinstance(ours, np.ndarray):
            assert ours.dtype == theirs.dtype, part.name
            assert np.array_equal(ours, theirs), part.name
        elif part.name not in ("rows", "written", "stays"):
            assert ours == theirs, part.name
    assert one.rows.told.equals(other.rows.told)
    for part in fields(kept.Rows):
        if part.name != "told":
            ours, theirs = getattr(one.rows, part.name), getattr(other.rows, part.name)
            assert ours.dtype == theirs.dtype, part.name
            assert np.array_equal(ours, theirs), part.name


@pytest.mark.parametrize("chunk", [kept.CHUNK, 17])
def test_what_is_packed_comes_back(left: Kept, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table, array and number of a run is there for the next one, in one part or in many,
    however the warehouse orders the rows."""
    monkeypatch.setattr(kept, "CHUNK", chunk)
    packed = pack(left)
    order = np.random.default_rng(1).permutation(packed.num_rows)
    back = unpack(packed.take(pa.array(order)), SETTINGS)
    assert back is not None
    _equal(left, back)
    assert back.written == back.settled == len(left.rows)


def test_it_is_read_row_by_row(left: Kept) -> None:
    """However much was kept, all of it is read: one parcel at a time fits into a piece of Arrow."""
    with duckdb.connect() as connection:
        packed = pack(left)
        ways = dbt_model.packed_of(connection.from_arrow(packed))
        read = pa.Table.from_batches(batch for way in ways for batch in way)
        ways = dbt_model.packed_of(connection.from_arrow(packed.slice(0, 0)))
        nothing = [batch for way in ways for batch in way]
    assert read["packed"].num_chunks == read.num_rows == packed.num_rows
    back = unpack(read, SETTINGS)
    assert back is not None
    _equal(left, back)
    assert not sum(batch.num_rows for batch in nothing)


def test_identifiers_of_blanks_alone_are_not_read() -> None:
    """Those that may link are read, whatever sign they begin with; blanks alone are none."""
    values = ["a", "!", " a", "\t", "\ta", "é", "0", "", " ", "   ", None]
    told = {"record_id": [str(i) for i in range(len(values))], "identifier_value": values}
    with duckdb.connect() as connection:
        strong, weak = (
            connection.from_arrow(pa.table({**told, "identifier_type": [name] * len(values)}))
            for name in ("user_id", "email")
        )
        read = dbt_model._strong(strong, PERSON).project("identifier_value").fetchall()
        assert [value for (value,) in read] == values[:7]
        assert dbt_model._strong(weak, PERSON).fetchall() == []


def test_what_was_kept_under_other_settings_is_not_read(left: Kept) -> None:
    """Whoever changes settings, words or code, or has a table of an older version, starts anew."""
    packed = pack(left)
    assert unpack(packed, "other settings") is None
    assert unpack(packed.slice(0, 0), SETTINGS) is None
    older = pc.replace_substring(packed["kind"], "plain " + kept.FORMAT, "plain 0")
    assert unpack(packed.set_column(0, "kind", older), SETTINGS) is None


def test_what_is_written_once_is_left_out_of_what_is_added(left: Kept) -> None:
    """A run that changes little writes little: the records that were there stay as written."""
    first = unpack(pack(left), SETTINGS)
    assert first is not None
    added = pack(first, is_added=True)
    assert set(added["component"].to_pylist()) == {WHOLE}
    settled = pack(first).filter(pc.equal(pack(first)["component"], SETTLED))
    back = unpack(pa.concat_tables([settled, added]), SETTINGS)
    assert back is not None
    _equal(left, back)
    # What was packed anew since is another first part, of whatever length.
    assert SETTLED in pack(replace(first, written=-1), is_added=True)["component"].to_pylist()


def test_of_tables_a_run_writes_what_it_found(town: World) -> None:
    """A run that resolves few components writes their rows, and of the others which ones stay."""
    batches, name = Batches("shipped"), sorted(town.rows)[0]
    batches.run(town)
    before = batches.kept()
    assert before is not None
    changed = {**town.rows[name], "city": "Neu"}
    assert batches.run(town.having(changed)).gone is not None
    assert batches.findings is not None
    whole = pc.equal(batches.findings["component"], WHOLE)
    written = batches.findings.filter(pc.and_(whole, pc.equal(batches.findings["part"], "kept")))
    packed = dict(zip(written["kind"].to_pylist(), written["packed"], strict=True))
    now = batches.kept()
    assert now is not None
    for table in ("sample", "components", "clusters", "review"):
        count = kept._table(packed[f"{table} more"].as_buffer()).num_rows
        assert count < getattr(before, table).num_rows / 4, table
        assert count + now.stays[table].sum() == getattr(now, table).num_rows, table
    moved = len(packed["component moved"].as_buffer()) // 4
    assert moved < len(town.rows) / 4
    assert now.components.num_rows > 4


def _written(batches: Batches) -> bool:
    """Whether the last run wrote the first part."""
    told = batches.kept()
    assert told is not None
    return len(told.rows) == told.settled


def test_where_too_much_is_loose_it_is_written_anew(town: World) -> None:
    """Rows of records that are gone do not pile up: beyond a share of them all is written anew."""
    batches, names = Batches("shipped"), sorted(town.rows)
    batches.run(town)
    loose = []
    for start in range(0, 24, 4):
        changed = {name: {**town.rows[name], "city": "Neu"} for name in names[start : start + 4]}
        town = town.having(*changed.values())
        assert batches.check(town).gone is not None
        told = batches.kept()
        assert told is not None
        dead = int((~told.rows.live).sum())
        assert dead + len(told.rows) - told.settled <= incremental.MOST_LOOSE * told.settled
        loose.append(dead)
    assert max(loose) > 4
    assert 0 in loose


def test_as_many_that_come_as_go_are_written_anew(town: World) -> None:
    """A first part that is written anew replaces the one before even where it has as many rows."""
    batches, names = Batches("shipped"), sorted(town.rows)
    batches.run(town)
    town = town.having(*({**town.rows[name], "city": "Neu"} for name in names[:20]))
    part = batches.run(town)
    assert part.kept is not None
    told = batches.kept()
    assert told is not None
    assert _written(batches)
    for name, wanted in facts(part.kept).items():
        assert facts(told)[name] == wanted, name


def test_of_a_record_that_left_nothing_is_kept(town: World) -> None:
    """Whoever is taken out of the sources is in no packed part after the next run."""
    batches, name = Batches("shipped"), sorted(town.rows)[0]
    batches.run(town)
    assert batches.check(town.without([name])).gone is not None
    told = batches.kept()
    assert told is not None
    assert name not in told.rows.told["record_id"].to_pylist()
