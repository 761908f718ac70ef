"""How two groups of records compare now, weighed as the last run weighed.

Read from the working database: the records, the stewards' decisions, the reference lists, and the
model and policy that the run kept. The same steps as in kindred.identity.pipeline, for a few pairs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kindred.errors import KindredError
from kindred.identity import evidence, junk, model_files, records, settling
from kindred.identity.clusters import CAP, FLOOR
from kindred.identity.components import IntArray
from kindred.identity.entity import Entity
from kindred.identity.grounds import Link, field_weights
from kindred.identity.pipeline import entity_named
from kindred.identity.reference import NAMES, as_text, load_reference
from kindred.identity.scoring import Scorer, usable_comparisons
from kindred.identity.weighing import Scored, Weigher, rarity_classes
from kindred.warehouse.database import Connection, arrow_rows, engine_errors, has_relation

# Of a larger group only so many different records are compared with the other.
MOST_OF_A_GROUP = 250


@dataclass(frozen=True)
class Across:
    """How the records of two groups compare.

    pair: the two asked about. best: the strongest pair; None where nothing can be told from any.
    pairs: how many there are, exact doubles counted once. mean: the mean weight over them, as
    groups are judged by it; None where nothing can be told. cut: the weight it would have to reach.
    is_proposed: whether any pair agrees in what a pair must agree in to be compared at all.
    sources: those that hold everybody once and have a record in both.
    """

    pair: Link
    best: Link | None
    pairs: int
    mean: float | None
    cut: float
    is_proposed: bool
    sources: tuple[str, ...]


def across(
    con: Connection,
    entity: str,
    left: Sequence[str],
    right: Sequence[str],
    pair: tuple[str, str],
) -> Across | None:
    """Compare records `left` with records `right`; pair: one of each, as asked about.

    None where the database does not hold what was compared, or the settings of the matching have
    changed since.
    """
    settings = entity_named(entity)
    kept = _kept(con, entity)
    if kept is None:
        return None
    try:
        model = model_files.from_dict(json.loads(kept["content"]), settings, "the run's model")
    except KindredError:
        return None
    policy = json.loads(kept["policy"])
    with records.connect() as own:
        try:
            filled = _prepared(con, own, settings, policy)
        except engine_errors():
            # The tables of an earlier version of Kindred.
            return None
        comparisons = usable_comparisons(settings, filled)
        if model.fields != tuple(c.field for c in comparisons):
            return None
        size = int(own.execute("select count(*) from fields").fetchall()[0][0])
        weigher = Weigher(model, settings, comparisons, rarity_classes(own, comparisons), size)
        names = {**_first_names(own, left, pair[0]), **_first_names(own, right, pair[1])}
        ours, theirs = _nodes(own, left, pair[0]), _nodes(own, right, pair[1])
        scored = _scored(Scorer(own, comparisons), weigher, ours, theirs)
        is_proposed = _is_proposed(own, _rules(con, entity), ours, theirs)

    asked = {int(ours[0]), int(theirs[0])}
    is_pair = np.array([{x, y} == asked for x, y in zip(scored.left, scored.right, strict=True)])
    told = np.flatnonzero(~scored.silent)
    best = told[np.lexsort((scored.right[told], scored.left[told], -scored.weight[told]))[:1]]
    mean = np.clip(scored.weight[told], FLOOR, CAP).mean() if len(told) else None
    links = {
        place: _link(weigher, scored, place, names, set(left), kept["model_version"])
        for place in (int(np.flatnonzero(is_pair)[0]), *best.tolist())
    }
    return Across(
        pair=links[int(np.flatnonzero(is_pair)[0])],
        best=links[int(best[0])] if len(best) else None,
        pairs=len(scored.left),
        mean=None if mean is None else round(float(mean), 6),
        cut=float(kept["cut"]),
        is_proposed=is_proposed,
        sources=tuple(
            prefix.rstrip(":")
            for prefix in policy["deduplicated_sources"]
            if all(any(name.startswith(prefix) for name in side) for side in (left, right))
        ),
    )


def _kept(con: Connection, entity: str) -> dict[str, Any] | None:
    """What the last run kept of its model; None where it kept nothing."""
    table = f"int_{entity}_model"
    if not all(
        has_relation(con, "identity", name) for name in (table, f"int_{entity}_match_records")
    ):
        return None
    rows: list[dict[str, Any]] = arrow_rows(con, f"select * from identity.{table}").to_pylist()
    return rows[0] if rows and rows[0].get("policy") else None


def _prepared(
    con: Connection,
    own: duckdb.DuckDBPyConnection,
    entity: Entity,
    policy: dict[str, Any],
) -> list[str]:
    """Make `members` and `fields` in `own` as the run did; the match fields that are filled."""
    given = arrow_rows(con, f"select * from identity.int_{entity.name}_match_records")
    overrides = arrow_rows(con, f"select * from identity.int_{entity.name}_overrides")
    if all(has_relation(con, "reference", name) for name in NAMES):
        reference = {
            name: as_text(arrow_rows(con, f"select * from reference.{name}")) for name in NAMES
        }
    else:
        reference = load_reference()
    records.prepare(own, given, entity, reference)
    junk.remove_junk(own, entity, policy["junk_limits"])
    decided = settling.policy_of(
        entity.name, overrides, policy["deduplicated_sources"], policy["largest_cluster"], 0
    )
    return records.collapse(
        own, entity, settling.standing_alone(own, decided, entity.content)
    )  # fmt: skip


def _nodes(own: duckdb.DuckDBPyConnection, names: Sequence[str], first: str) -> IntArray:
    """The nodes of some records, that of `first` before the others, at most MOST_OF_A_GROUP."""
    rows = own.execute(
        """
        select n
        from members
        where list_contains($1, record_id)
        group by n
        order by bool_or(record_id = $2) desc, min(record_id)
        limit $3
        """,
        [list(names), first, MOST_OF_A_GROUP],
    ).fetchall()
    return np.array([row[0] for row in rows], dtype=np.int64)


def _first_names(
    own: duckdb.DuckDBPyConnection, names: Sequence[str], first: str
) -> dict[int, str]:
    """A record of each node: `first`, or else the first by name."""
    rows = own.execute(
        """
        select n, coalesce(min(record_id) filter (where record_id = $2), min(record_id))
        from members
        where list_contains($1, record_id)
        group by n
        """,
        [list(names), first],
    ).fetchall()
    return {int(n): str(name) for n, name in rows}


def _scored(scorer: Scorer, weigher: Weigher, ours: IntArray, theirs: IntArray) -> Scored:
    """Every pair of one of ours and one of theirs, weighed; sorted."""
    one, two = np.repeat(ours, len(theirs)), np.tile(theirs, len(ours))
    keys = np.unique(np.minimum(one, two) * weigher.size + np.maximum(one, two))
    left, right = keys // weigher.size, keys % weigher.size
    levels = scorer.with_holders(scorer.compare(left, right), left)
    weight, silent = weigher.weigh(levels, left)
    return Scored(left, right, levels, weight, silent)


def _rules(con: Connection, entity: str) -> list[tuple[str, ...]]:
    """The blocking rules of the last run; the empty one where every pair was compared."""
    rows = con.execute(
        f"""
        select dimension
        from identity.int_{entity}_resolution_numbers
        where metric_name = 'blocking_rule_pairs'
        order by dimension
        """
    ).fetchall()
    return [() if name == "all pairs" else tuple(name.split(" + ")) for (name,) in rows]


def _is_proposed(
    own: duckdb.DuckDBPyConnection,
    rules: Sequence[tuple[str, ...]],
    ours: IntArray,
    theirs: IntArray,
) -> bool:
    own.register("ours", pa.table({"n": ours}))
    own.register("theirs", pa.table({"n": theirs}))
    agrees = " or ".join(
        "(" + (" and ".join(f"l.{name} = r.{name}" for name in rule) or "true") + ")"
        for rule in rules
    )
    found = own.execute(
        f"""
        select count(*)
        from (select * from fields where n in (select n from ours)) as l
        cross join (select * from fields where n in (select n from theirs)) as r
        where {agrees or "false"}
        """
    ).fetchall()
    return bool(found[0][0])


def _link(
    weigher: Weigher,
    scored: Scored,
    place: int,
    names: dict[int, str],
    ours: set[str],
    version: str,
) -> Link:
    """The pair at a place as a link from one of ours to one of theirs."""
    only: npt.NDArray[np.bool_] = np.zeros(len(scored.left), dtype=bool)
    only[place] = True
    (row,) = evidence.weighed_links(weigher, scored.where(only)).to_pylist()
    ends = [names[int(row["l"])], names[int(row["r"])]]
    ends.sort(key=lambda name: name not in ours)
    weights: dict[str, float] = json.loads(row["field_weights"])
    return Link(
        ends[0],
        ends[1],
        "weighed",
        "weighed fields",
        float(row["match_weight"]),
        weights["starting_weight"],
        field_weights(weigher.entity.name, weights, json.loads(row["field_levels"])),
        version,
    )
