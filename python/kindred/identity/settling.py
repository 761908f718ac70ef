"""From evidence to what is published: stewards, sources and the size guard have their say.

Everything here is a function of the records, the configuration and the decisions in force; no
earlier run is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kindred.identity import clusters, deduplicated, guard, review, stewardship
from kindred.identity.components import IntArray, components
from kindred.identity.grouping import Bonds
from kindred.identity.kept import KeyArray
from kindred.identity.stewardship import CANNOT, MUST, Decision

FloatArray = npt.NDArray[np.float64]
Layer = tuple[IntArray, IntArray, FloatArray]

REVIEW = {
    "priority": pa.int64(),
    "reason": pa.string(),
    "record_id_l": pa.string(),
    "record_id_r": pa.string(),
    "match_weight": pa.float64(),
    "field_weights": pa.string(),
    "record_count": pa.int64(),
    "records_at_stake": pa.int64(),
    "doubt": pa.float64(),
}

REVIEW_ROWS = {
    "component": pa.uint64(),
    "key_l": pa.uint64(),
    "key_r": pa.uint64(),
    **{name: kind for name, kind in REVIEW.items() if name != "priority"},
}


@dataclass(frozen=True)
class Policy:
    """What an organisation says beside the evidence.

    decisions: of stewards, in force. sources: beginnings of record ids of sources that hold
    everybody once. largest: records beyond which a cluster must hold together closely.
    review_limit: most rows of the review queue.
    """

    decisions: tuple[Decision, ...] = ()
    sources: tuple[str, ...] = ()
    largest: int = guard.LARGEST["person"]
    review_limit: int = review.LIMIT

    def pairs(self, kind: str) -> list[tuple[str, str]]:
        """The record pairs of one kind of decision, each once, in order."""
        return sorted({one.pair for one in self.decisions if one.decision == kind})


def policy_of(
    entity: str,
    overrides: pa.Table | None,
    sources: Sequence[str],
    largest: int | None,
    review_limit: int,
) -> Policy:
    """The policy of a run; raises KindredError where decisions contradict each other."""
    decisions = stewardship.of_table(overrides, entity)
    stewardship.refuse_contradictions(decisions)
    limit = guard.LARGEST[entity] if largest is None else largest
    return Policy(tuple(decisions), tuple(sources), limit, review_limit)


def standing_alone(
    con: duckdb.DuckDBPyConnection, policy: Policy, fields: Sequence[str], table: str = "prepared"
) -> tuple[str, ...]:
    """Records of a table that must not be collapsed with their exact doubles."""
    named = {name for pair in policy.pairs(CANNOT) for name in pair}
    doubles = deduplicated.doubles_apart(con, policy.sources, fields, table)
    return tuple(sorted(named | set(doubles)))


def bonds_of(con: duckdb.DuckDBPyConnection, policy: Policy) -> tuple[Bonds, int]:
    """What must and must not be together among the nodes; and how many decisions are moot."""
    must_left, must_right, must_gone = stewardship.nodes_of(con, policy.pairs(MUST))
    cannot_left, cannot_right, cannot_gone = stewardship.nodes_of(con, policy.pairs(CANNOT))
    marked, mark = deduplicated.marks_of(con, policy.sources)
    bonds = Bonds(must_left, must_right, cannot_left, cannot_right, marked, mark)
    return bonds, must_gone + cannot_gone


def surely_one(size: int, left: IntArray, right: IntArray, bonds: Bonds) -> IntArray:
    """Label of each node's certain component, within which no pair needs to be weighed.

    A component in which something is forbidden is no such: how it parts is weighed.
    """
    labels = components(
        size,
        np.concatenate([left, bonds.must_left]),
        np.concatenate([right, bonds.must_right]),
    )
    open_again = np.isin(labels, stewardship.broken(labels, bonds))
    return np.where(open_again, np.arange(size, dtype=np.int64), labels)


@dataclass(frozen=True)
class Settled:
    """The judged pairs with what is decided, the clusters before the guard, and those published."""

    left: IntArray
    right: IntArray
    weight: FloatArray
    whole: IntArray
    labels: IntArray
    records: IntArray


def settle(
    con: duckdb.DuckDBPyConnection,
    labels: IntArray,
    evidence: Layer,
    cut: float,
    bonds: Bonds,
    largest: int,
    apart: tuple[IntArray, IntArray] | None = None,
) -> Settled:
    """From the clusters that the evidence (weighed pairs, each once) makes down to `cut`, by the
    policy, to those that are published.

    apart: pairs of nodes that are two entities, unless a steward joins them.
    """
    left, right, weight = evidence
    held = bonds if apart is None else bonds.with_apart(labels, *apart)
    whole = stewardship.honour(labels, left, right, weight, cut, held)
    if len(bonds.must_left):
        certain = np.full(len(bonds.must_left), clusters.CERTAIN)
        left, right, weight = overlay(
            len(labels), [(left, right, weight), (bonds.must_left, bonds.must_right, certain)]
        )
    records = con.execute("select count(*) as c from members group by n order by n").fetchnumpy()[
        "c"
    ]
    published = guard.hold_back(whole, left, right, weight, records, largest, cut)
    return Settled(left, right, weight, whole, published, records)


def overlay(size: int, layers: Sequence[Layer]) -> Layer:
    """One weight a pair: that of the last layer that names it."""
    left = np.concatenate([layer[0] for layer in layers]).astype(np.int64)
    right = np.concatenate([layer[1] for layer in layers]).astype(np.int64)
    weight = np.concatenate([layer[2] for layer in layers])
    keys = np.minimum(left, right) * size + np.maximum(left, right)
    _, last = np.unique(keys[::-1], return_index=True)
    keep = len(keys) - 1 - last
    return np.minimum(left, right)[keep], np.maximum(left, right)[keep], weight[keep]


def judged(settled: Settled) -> review.Judged:
    """What the review queue and the figures of health are read from."""
    return review.Judged(
        settled.left, settled.right, settled.weight, settled.records, settled.whole, settled.labels
    )


def review_rows(
    con: duckdb.DuckDBPyConnection,
    settled: Settled,
    policy: Policy,
    bonds: Bonds,
    cut: float,
    forest: review.Forest,
    node: KeyArray,
    component: KeyArray,
    weighed: Callable[[IntArray], pa.Table],
) -> pa.Table:
    """What is worth a steward's minute, in record ids (columns: REVIEW_ROWS), by table `members`.

    node, component: of each node its key and where it lies. weighed: for pairs (l * size + r) what
    `evidence.weighed_links` tells of those that were.
    """
    asked = review.rows(judged(settled), bonds, cut, policy.largest, forest)
    n_l, n_r = asked["n_l"].to_numpy(), asked["n_r"].to_numpy()
    low, high = np.minimum(n_l, n_r), np.maximum(n_l, n_r)
    keys = {"component": component[n_l], "key_l": node[n_l], "key_r": node[n_r]}
    for name, values in keys.items():
        asked = asked.append_column(name, pa.array(values, pa.uint64()))
    con.register("asked", asked)
    con.register("told", weighed(np.unique(low * len(settled.labels) + high)))
    found = con.execute(
        """
        with ends as (
            select n, min(record_id) as first_id, max(record_id) as last_id
            from members
            where n in (select n_l from asked union all select n_r from asked)
            group by n
        ),
        named as (
            select
                asked.*,
                l.first_id as one,
                case when asked.n_l = asked.n_r then r.last_id else r.first_id end as two,
                told.match_weight,
                told.field_weights
            from asked
            inner join ends as l on asked.n_l = l.n
            inner join ends as r on asked.n_r = r.n
            left join told
                on least(asked.n_l, asked.n_r) = told.l and greatest(asked.n_l, asked.n_r) = told.r
        )
        select
            component, key_l, key_r, reason, least(one, two) as record_id_l,
            greatest(one, two) as record_id_r, match_weight, field_weights, record_count,
            records_at_stake, doubt
        from named
        order by key_l, key_r, reason
        """
    ).to_arrow_table()
    for name in ("asked", "told"):
        con.unregister(name)
    return found.cast(pa.schema(list(REVIEW_ROWS.items())))


def review_queue(rows: pa.Table, policy: Policy) -> pa.Table:
    """The review queue (columns: REVIEW): of `review_rows` the most worthwhile."""
    order = review.ranked(rows, rows["key_l"].to_numpy(), rows["key_r"].to_numpy())
    chosen = rows.take(pa.array(order[: policy.review_limit]))
    confirmed = set(policy.pairs(MUST))
    ends = zip(chosen["record_id_l"].to_pylist(), chosen["record_id_r"].to_pylist(), strict=True)
    chosen = chosen.filter(pa.array([pair not in confirmed for pair in ends], pa.bool_()))
    places = pa.array(range(1, chosen.num_rows + 1), pa.int64())
    told = chosen.append_column("priority", places).select(list(REVIEW))
    return told.cast(pa.schema(list(REVIEW.items())))


def no_review_rows() -> pa.Table:
    """`review_rows` without any."""
    return pa.table({name: pa.nulls(0, kind) for name, kind in REVIEW_ROWS.items()})


def no_review() -> pa.Table:
    """The review queue without any row."""
    return pa.table({name: pa.nulls(0, kind) for name, kind in REVIEW.items()})


def counts(policy: Policy, gone: int, held: int, queue: pa.Table) -> list[tuple[str, str, float]]:
    """Counts for identity_health: metric_name, dimension, value.

    gone: decisions about records that are gone. held: clusters that were held back.
    """
    found = [("steward_decisions", kind, float(len(policy.pairs(kind)))) for kind in (MUST, CANNOT)]
    found += [
        ("steward_decisions", "about records that are gone", float(gone)),
        ("clusters_held_back", "", float(held)),
    ]
    reasons = queue["reason"].to_pylist()
    found += [("review_rows", reason, float(reasons.count(reason))) for reason in review.REASONS]
    return found
