"""Resolve what a few new, changed and gone records touch, and leave the rest as it was found.

The end is that of resolving all records; `kindred.identity.touched` says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindred.identity import (
    blocking,
    health,
    junk,
    leniency,
    mixture,
    model_files,
    pipeline,
    records,
    scoring,
    settling,
    steps,
    stewardship,
    touched,
    training,
)
from kindred.identity.components import IntArray
from kindred.identity.entity import Comparison, Entity
from kindred.identity.kept import IDENTIFIERS, Kept, KeyArray, Rows, but, is_among
from kindred.identity.levels import LevelArray, decode, encode
from kindred.identity.links import IDENTIFIER
from kindred.identity.mixture import FloatArray, Model
from kindred.identity.pipeline import Asked, Commons, Found, Tell
from kindred.identity.records import in_batches
from kindred.identity.reference import Reference
from kindred.identity.resolution import Resolution
from kindred.identity.touched import BoolArray, EverythingTouchedError, Nodes, Now, Stepped
from kindred.identity.weighing import Weigher

# Where more than this share of the first part is no more or was added, it is written anew; so it is
# where a record has left.
MOST_LOOSE = 0.2


@dataclass(frozen=True)
class Changed:
    """found: as of all records, but with assignments and links of the components that were resolved
    anew. gone: components of the last run that are no more as they were. junk: all decisions.
    records: how many there are."""

    found: Found
    gone: KeyArray
    junk: pa.Table
    records: int
    kept: Kept


def keep(
    con: duckdb.DuckDBPyConnection,
    found: Found,
    told: pa.Table,
    shared: pa.Table,
    now: Now,
    identifiers: pa.Table,
    decisions: pa.Table,
    entity: Entity,
    policy: settling.Policy,
    settings: str,
) -> Kept:
    """What the next run need not find again, after all records were resolved.

    told: table `prepared` before junk was emptied.
    """
    ids = told["record_id"]
    places = pa.array(np.arange(told.num_rows), pa.int32())
    con.register("told_ids", in_batches(pa.table({"place": places, "record_id": ids})))
    con.register("now_ids", in_batches(now.hashed()))
    rows = con.execute(
        """
        select t.place, m.n, n.row, coalesce(j.junk, 0)::utinyint as junk
        from told_ids as t
        inner join members as m using (record_id)
        inner join now_ids as n using (record_id)
        left join junk_of_records as j using (record_id)
        """
    ).fetchnumpy()
    order = np.argsort(rows["place"])
    n = rows["n"][order]
    con.register("identifiers_now", in_batches(identifiers))
    held = con.execute(
        f"""
        select t.place, {IDENTIFIER} as value
        from identifiers_now as i
        inner join told_ids as t on cast(i.record_id as text) = t.record_id
        """
    ).to_arrow_table()
    for name in ("told_ids", "now_ids", "identifiers_now"):
        con.unregister(name)
    return Kept(
        settings=settings,
        rows=Rows(
            told,
            row=rows["row"][order].astype(np.uint64),
            content=found.draw[n],
            node=found.node[n],
            component=found.component[n],
            junk=rows["junk"][order].astype(np.uint8),
            live=np.ones(told.num_rows, dtype=bool),
        ),
        shared=shared,
        identifiers=held.cast(pa.schema(list(IDENTIFIERS.items()))),
        decided_junk=decisions,
        **_counted(found),
        every=found.every,
        first_cut=found.first_cut,
        cut=found.cut,
        model=model_files.digest(found.model, entity),
        choice=found.choice,
        filled=found.filled,
        crowded=found.crowded,
        decisions=_told(policy),
        settled=told.num_rows,
        compared=scoring.splink_sql(
            scoring.compared(scoring.usable_comparisons(entity, list(found.filled)))
        ),
    )


def _counted(found: Found) -> dict[str, Any]:
    """What is kept of a run as it was found."""
    return {
        "sample": found.sample,
        "strangers": found.strangers,
        "components": found.components,
        "clusters": found.clusters,
        "review": found.review,
        "size": found.size,
        "candidates": found.pair_count,
        "rules": tuple(found.rules),
        "totals": found.totals,
    }


def _told(policy: settling.Policy) -> tuple[tuple[str, str, str], ...]:
    return tuple(sorted({(one.decision, *one.pair) for one in policy.decisions}))


def resolve_changes(
    con: duckdb.DuckDBPyConnection,
    entity: Entity,
    kept: Kept,
    now: Now,
    policy: settling.Policy,
    asked: Asked,
    reference: Reference,
    junk_limits: dict[str, int],
    tell: Tell,
) -> Changed:
    """Resolve what is touched; EverythingTouchedError where all records have to be resolved."""
    tell("looking for what changed")
    rows = touched.Rows(con, entity, kept)
    changed = set(_told(policy)) ^ set(kept.decisions)
    fresh = touched.find_changed(rows, now, {name for _, *pair in changed for name in pair})
    touched.prepare(rows, fresh, now, reference)
    decisions = touched.find_junk(rows, junk_limits)
    touched.stand(rows, policy)
    touched.refuse_repeated(rows, now)
    nodes = touched.Nodes(rows)
    comparisons = _comparisons(entity, nodes)
    stepped = touched.count_values(nodes, comparisons)
    rules = touched.ask_rules(nodes)
    held, groups = touched.holders_of(nodes, now)

    tell("comparing pairs")
    near = _near(nodes, rules, comparisons, stepped)
    model, choice, sample, strangers, seen = _model(nodes, near, comparisons, stepped, asked)
    tables = {"sample": sample}
    if model_files.digest(model, entity) != kept.model or choice != kept.choice:
        raise EverythingTouchedError("the model has changed")
    classes = nodes.classes_in("near_fields", comparisons, stepped.totals)
    weigher = Weigher(model, entity, comparisons, classes, nodes.size)
    weight, silent = weigher.weigh(near.levels, near.left)
    close = ~silent & (weight >= pipeline.reach(asked, kept.cut))
    ends = np.unique(np.concatenate([near.left[close], near.right[close]]))
    decided = touched.decided_about_fresh(rows, _told(policy))
    component = _touched(nodes, np.union1d(ends, decided), stepped.meeting, held, groups)
    places = _prepare_touched(nodes, component)
    commons = Commons(
        size=nodes.size,
        filled=kept.filled,
        rules=rules,
        model=model,
        choice=choice,
        first_cut=kept.first_cut,
        cut=kept.cut,
        crowded=kept.crowded,
        holders=lambda: nodes.holders_in("fields", comparisons),
        classes=lambda: nodes.classes_in("fields", comparisons, stepped.totals),
    )
    ids = con.execute("select record_id from prepared").to_arrow_table()["record_id"]
    held_by_some = now.identifiers(ids.combine_chunks())
    found = pipeline.resolve_prepared(con, entity, held_by_some, policy, asked, commons, tell)
    for name in ("components", "clusters", "review"):
        before = getattr(kept, name)
        others = ~is_among(before["component"].to_numpy(), component)
        tables[name] = but(before, kept.stays[name], others, getattr(found, name))
    whole = replace(
        found,
        size=nodes.size,
        gone=_gone(policy, lambda: rows.ids_of(nodes.here)),
        rules=rules,
        pair_count=near.pair_count,
        every=kept.every,
        filled=kept.filled,
        crowded=kept.crowded,
        strangers=strangers,
        totals=stepped.totals,
        fields=health.of_fields(comparisons, seen, model) if asked.with_links else [],
        **{name: table for name, (table, _) in tables.items()},
    )
    _refuse_moved(kept, whole, entity, asked)
    return Changed(
        whole, component, decisions, now.size,
        _kept_now(
            nodes, whole, places, held, decisions, policy,
            {name: stays for name, (_, stays) in tables.items()},
        ),
    )  # fmt: skip


def _comparisons(entity: Entity, nodes: Nodes) -> tuple[Comparison, ...]:
    """The comparisons of the last run; EverythingTouchedError where others are filled now."""
    kept, con = nodes.rows.kept, nodes.rows.con
    empty = [name for name in entity.fields if name not in kept.filled]
    if empty:
        asked = ", ".join(f"count({name})" for name in empty)
        if any(con.execute(f"select {asked} from nodes_came").fetchall()[0]):
            raise EverythingTouchedError("a field is filled that was empty")
    return scoring.usable_comparisons(entity, list(kept.filled))


@dataclass(frozen=True)
class Near:
    """Pairs of which one is new, and those that may be close now and were not: both have a value
    whose step moved, and they lay in different components.

    left, right: places. is_new: pairs of which one is new. levels: of all comparisons. pair_count:
    of candidate pairs now.
    """

    left: IntArray
    right: IntArray
    is_new: BoolArray
    levels: LevelArray
    pair_count: int


def _near(
    nodes: Nodes, rules: blocking.Asked, comparisons: tuple[Comparison, ...], stepped: Stepped
) -> Near:
    con, size = nodes.rows.con, len(nodes.here)
    con.execute(
        "create or replace temp view numbers_both as"
        " select * from numbers_now union all select * from numbers_went"
    )
    used = blocking.used(rules)
    asked = np.union1d(nodes.came, nodes.went)
    pairs = blocking.candidates(con, used, size, "numbers_both", asked)
    left, right = pairs // size, pairs % size
    came, went = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    came[nodes.came], went[nodes.went] = True, True
    with_new, with_gone = came[left] | came[right], went[left] | went[right]
    pair_count = nodes.rows.kept.candidates
    pair_count += int((with_new & ~with_gone).sum() - (with_gone & ~with_new).sum())
    asked_for = ~with_gone & with_new
    left, right = left[asked_for], right[asked_for]
    # A step moves what a pair weighs where both have the value.
    con.register("restless", pa.table({"n": stepped.restless[~came[stepped.restless]]}))
    con.execute(
        "create or replace temp table numbers_restless as"
        " select * from numbers_now where n in (select n from restless)"
    )
    con.unregister("restless")
    pairs = blocking.candidates(con, used, size, "numbers_restless")
    one, two = pairs // size, pairs % size
    apart = ~nodes.were_together(one, two)
    is_new = np.arange(len(left) + int(apart.sum())) < len(left)
    left, right = np.concatenate([left, one[apart]]), np.concatenate([right, two[apart]])
    levels = _compared(nodes, left, right, comparisons, "near_fields")
    return Near(left, right, is_new, levels, pair_count)


def _compared(
    nodes: Nodes,
    left: IntArray,
    right: IntArray,
    comparisons: tuple[Comparison, ...],
    table: str,
) -> LevelArray:
    """The levels of pairs of places; makes `table` of their fields."""
    con = nodes.rows.con
    nodes.rows.show_some(np.unique(np.concatenate([left, right])))
    columns = [name for name in nodes.rows.columns if name not in nodes.rows.entity.beside]
    some = (
        f"select place::bigint as n, {touched.cleared(nodes.rows.entity, columns)} from some_rows"
    )
    with records.joined_as_written(con):
        con.execute(
            f"create or replace temp table {table} as {records.helped(nodes.rows.entity, some)}"
        )
    con.unregister("some_rows")
    scorer = scoring.Scorer(con, comparisons, nodes.holders_in(table, comparisons), table)
    return scorer.with_holders(scorer.compare(left, right), left)


def _model(
    nodes: Nodes,
    near: Near,
    comparisons: tuple[Comparison, ...],
    stepped: Stepped,
    asked: Asked,
) -> tuple[Model, str, tuple[pa.Table, BoolArray], pa.Table, training.Seen]:
    """The model that all records choose, why, and the sample (see kept.but) and strangers it was
    chosen by."""
    kept, entity = nodes.rows.kept, nodes.rows.entity
    if pipeline.sampled_of(near.pair_count) != kept.every:
        raise EverythingTouchedError("another share of the pairs is sampled")
    went = nodes.node[nodes.went]
    ends = [kept.sample[name].to_numpy() for name in ("left", "right")]
    stays = ~(is_among(ends[0], went) | is_among(ends[1], went))
    code = _counted_anew(kept.sample, comparisons, stepped)
    moved = stays & (code != kept.sample["code"].to_numpy())
    counted = kept.sample.set_column(2, "code", pa.array(code)).filter(pa.array(moved))
    sampled = near.is_new & pipeline.share_of(
        nodes.content[near.left] ^ nodes.content[near.right], kept.every
    )
    new = pipeline.sample_of(
        nodes.node, _named(nodes, "near_fields"), near.left[sampled], near.right[sampled],
        near.levels[sampled], comparisons,
    )  # fmt: skip
    sample = but(
        kept.sample, kept.stays["sample"], stays & ~moved, pa.concat_tables([counted, new])
    )
    seen = training.seen_of(
        sample[0]["code"].to_numpy(), comparisons, kept.every, stepped.totals, nodes.size
    )
    strangers = kept.strangers

    def to_check() -> list[FloatArray]:
        nonlocal strangers
        strangers = _strangers(nodes, comparisons, stepped)
        levels = decode(strangers["code"].to_numpy(), comparisons)
        return training.exact_u(
            comparisons, mixture.estimate_u(comparisons, levels), stepped.totals
        )

    def to_train() -> list[FloatArray]:
        raise EverythingTouchedError("a model is trained")

    model, choice = training.choose_model(
        entity, comparisons, seen, training.Strangers(to_check, to_train), asked.model
    )
    return model, choice, sample, strangers, seen


def _named(nodes: Nodes, table: str) -> KeyArray:
    """By number, a hash of the name, for the representatives in a table."""
    found = nodes.rows.con.execute(
        f"select n, {records.name_of(nodes.rows.entity)} as named from {table}"
    ).fetchnumpy()
    named = np.zeros(len(nodes.here), np.uint64)
    named[found["n"]] = found["named"]
    return named


def _strangers(nodes: Nodes, comparisons: tuple[Comparison, ...], stepped: Stepped) -> pa.Table:
    """The pairs by which the shipped model is checked now: the last run compared most of them."""
    places = np.flatnonzero(nodes.first)
    one, two = training.pairs_by_content(nodes.content[places], training.CHECKED_PAIRS)
    left, right = pipeline.in_order(nodes.content, places[one], places[two])
    known = nodes.rows.kept.strangers
    known = known.set_column(2, "code", pa.array(_counted_anew(known, comparisons, stepped)))
    at = _found_in(known, nodes.content[left], nodes.content[right])
    new = at < 0
    levels = _compared(nodes, left[new], right[new], comparisons, "stranger_fields")
    return pa.concat_tables(
        [
            known.take(pa.array(at[~new])),
            pipeline.sample_of(
                nodes.content, _named(nodes, "stranger_fields"), left[new], right[new], levels,
                comparisons,
            ),
        ]
    )  # fmt: skip


def _found_in(known: pa.Table, left: KeyArray, right: KeyArray) -> IntArray:
    """The places of pairs among known ones; -1 where one is not known."""
    if not known.num_rows:
        return np.full(len(left), -1)
    one, two = known["left"].to_numpy(), known["right"].to_numpy()
    spread = np.uint64(0x9E3779B97F4A7C15)
    mixed, asked = one * spread ^ two, left * spread ^ right
    order = np.argsort(mixed)
    at = order[np.minimum(np.searchsorted(mixed, asked, sorter=order), len(order) - 1)]
    return np.where((one[at] == left) & (two[at] == right), at, -1)


def _counted_anew(
    sample: pa.Table, comparisons: tuple[Comparison, ...], stepped: Stepped
) -> IntArray:
    """The levels of sampled pairs, each as one number, where another number hold their name now."""
    code = sample["code"].to_numpy().copy()
    named = sample["named"].to_numpy()
    moved = is_among(named, stepped.names)
    if not moved.any():
        return np.asarray(code)
    levels = decode(code[moved], comparisons)
    order = np.argsort(stepped.names)
    place = order[np.searchsorted(stepped.names, named[moved], sorter=order)]
    for i, comparison in enumerate(comparisons):
        if comparison.holders_of:
            levels[:, i] = scoring.level_of_holders(comparison, stepped.held[place])
    code[moved] = encode(levels, comparisons)
    return np.asarray(code)


def _touched(
    nodes: Nodes, ends: IntArray, meeting: IntArray, held: pa.Table, groups: KeyArray
) -> KeyArray:
    """The components of the last run that are resolved anew."""
    rows = nodes.rows
    component = rows.kept.rows.component
    again = [rows.gone]
    rules = [rule.fields for rule in rows.entity.rules if set(rule.fields) <= set(rows.kept.filled)]
    for places in (ends, meeting, *(nodes.sharing(fields) for fields in rules)):
        again.append(np.zeros(rows.base, dtype=bool))
        again[-1][places[places < rows.base]] = True
    again.append(is_among(rows.kept.rows.node, nodes.node[rows.base :]))
    place = held["place"].to_numpy()[is_among(held["value"].to_numpy(), groups)]
    again.append(np.zeros(rows.base, dtype=bool))
    again[-1][place[place < rows.base]] = True
    return np.unique(component[np.logical_or.reduce(again) & ~rows.dead])


def _prepare_touched(nodes: Nodes, component: KeyArray) -> IntArray:
    """Let `prepared` show the records that are resolved anew, junk emptied; their places."""
    rows, con = nodes.rows, nodes.rows.con
    again = is_among(rows.kept.rows.component, component) & nodes.here[: rows.base]
    places = np.flatnonzero(again)
    places = np.concatenate([places, np.arange(rows.base, len(nodes.here))])
    rows.show_some(places)
    con.execute("drop table prepared")
    con.execute(
        "create temp view prepared as select place, record_id, source,"
        f" {touched.cleared(rows.entity, rows.columns)} from some_rows"
    )
    return places


def _gone(policy: settling.Policy, ids_of_all: Callable[[], pa.ChunkedArray]) -> int:
    """How many decisions are about records that are gone."""
    kinds = [policy.pairs(kind) for kind in (stewardship.MUST, stewardship.CANNOT)]
    pairs = [pair for of_kind in kinds for pair in of_kind]
    if not pairs:
        return 0
    names = pa.array(sorted({name for pair in pairs for name in pair}), pa.string())
    ids = ids_of_all()
    here = set(ids.filter(pc.is_in(ids, value_set=names)).to_pylist())
    return sum(not set(pair) <= here for pair in pairs)


def _refuse_moved(kept: Kept, found: Found, entity: Entity, asked: Asked) -> None:
    """Raise EverythingTouchedError where what concerns all has moved a step."""
    counts = {name: int(found.components[name].to_numpy().sum())
              for name in ("closing", "inside", "disagreeing")}  # fmt: skip
    if asked.cut is None:
        share = leniency.disagreement(counts["inside"], counts["disagreeing"])
        if leniency.lowered(entity, kept.first_cut, share) != kept.cut:
            raise EverythingTouchedError("the cut has moved a step")
    before = int(kept.components["closing"].to_numpy().sum())
    if before > pipeline.closing_budget(entity, kept.size) or counts[
        "closing"
    ] > pipeline.closing_budget(entity, found.size):
        raise EverythingTouchedError("not all components can be closed")
    if steps.stepped_size(found.size) != steps.stepped_size(kept.size):
        raise EverythingTouchedError("the number of records has moved a step")
    if not all(filled for filled, _ in found.totals.values()):
        raise EverythingTouchedError("a field is empty that was filled")


def _kept_now(
    nodes: Nodes,
    found: Found,
    places: IntArray,
    held: pa.Table,
    decisions: pa.Table,
    policy: settling.Policy,
    stays: dict[str, BoolArray],
) -> Kept:
    """What the next run need not find again. stays: see Kept."""
    rows, kept, con = nodes.rows, nodes.rows.kept, nodes.rows.con
    fresh = con.execute(
        f"select record_id, source, {', '.join(rows.columns)}, junk from fresh order by place"
    ).to_arrow_table()
    told = pa.concat_tables(
        [kept.rows.told, fresh.drop_columns(["junk"]).cast(kept.rows.told.schema)]
    )
    component = np.concatenate([kept.rows.component, np.zeros(fresh.num_rows, np.uint64)])
    asked = touched.rows_at(told.select(["record_id"]), places)["record_id"]
    at = pc.index_in(asked, value_set=found.members.record_ids)
    component[places] = found.component[found.members.n[at.to_numpy()]]
    row = np.concatenate([kept.rows.row, rows.hashes_of(fresh["record_id"])])
    junk_of = np.concatenate([kept.rows.junk, fresh["junk"].to_numpy()])
    now = Rows(told, row, nodes.content, nodes.node, component, junk_of, nodes.here)
    settled = written = kept.settled
    # Of a record that has left nothing stays: somebody may have been erased.
    gone = kept.rows.told["record_id"].filter(pa.array(rows.gone))
    has_left = not pc.all(pc.is_in(gone, value_set=fresh["record_id"]), min_count=0).as_py()
    if has_left or (~nodes.here).sum() + len(now) - settled > MOST_LOOSE * settled:
        now, held, settled = _packed_anew(now, held)
        written = -1
    return replace(
        kept,
        rows=now,
        shared=rows.shared,
        identifiers=held.cast(pa.schema(list(IDENTIFIERS.items()))),
        decided_junk=decisions,
        **_counted(found),
        decisions=_told(policy),
        settled=settled,
        written=written,
        stays=stays,
    )


def _packed_anew(rows: Rows, held: pa.Table) -> tuple[Rows, pa.Table, int]:
    """The rows without those that are no more, all in the first part."""
    live = np.flatnonzero(rows.live)
    place = np.cumsum(rows.live) - 1
    told = rows.told.filter(pa.array(rows.live)).combine_chunks()
    held = held.set_column(0, "place", pa.array(place[held["place"].to_numpy()], pa.int32()))
    now = Rows(
        told, rows.row[live], rows.content[live], rows.node[live], rows.component[live],
        rows.junk[live], rows.live[live],
    )  # fmt: skip
    return now, held, len(live)


@dataclass(frozen=True)
class Part:
    """What a run found. gone: components of the last run that are no more as they were; None where
    everything is told anew. kept: for the next run; None where nothing can be."""

    resolution: Resolution
    gone: KeyArray | None
    kept: Kept | None
    reason: str = ""


def resolve(
    now: Now,
    entity: Entity,
    policy: settling.Policy,
    asked: Asked,
    *,
    kept: Kept | None,
    settings: str,
    reference: Reference,
    junk_limits: dict[str, int],
    tell: Tell = lambda _: None,
) -> Part:
    """Resolve the records, of which only what is touched where the last run left what it kept."""
    reason = ""
    if kept is not None:
        try:
            with records.connect() as con:
                changed = resolve_changes(
                    con, entity, kept, now, policy, asked, reference, junk_limits, tell
                )
            resolution = pipeline.resolution_of(
                changed.found, entity, policy, asked, changed.junk, junk_limits, changed.records
            )
            return Part(resolution, changed.gone, changed.kept)
        except EverythingTouchedError as error:
            reason = str(error)

    with records.connect() as con:
        tell("preparing match fields")
        records.prepare(con, now.fetch(None), entity, reference)
        told, shared = None, pa.table({})
        if asked.keeps:
            told = con.execute("select * from prepared").to_arrow_table()
            shared = touched.shared_now(con, entity, are_all=True)
        decisions = junk.remove_junk(con, entity, junk_limits)
        identifiers = now.identifiers(None)
        found = pipeline.resolve_prepared(con, entity, identifiers, policy, asked, None, tell)
        keeping = None
        if told is not None and found.totals and not training.is_trained(found.choice):
            keeping = keep(
                con, found, told, shared, now, identifiers, decisions, entity, policy, settings
            )
    resolution = pipeline.resolution_of(found, entity, policy, asked, decisions, junk_limits)
    return Part(resolution, None, keeping, reason)
