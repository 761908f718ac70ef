"""Why the records of a cluster are one: the links that a person can read."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from kindred.identity import mixture
from kindred.identity.weighing import Scored, Weigher

_NO_LINKS = {
    "record_id_l": pa.string(),
    "record_id_r": pa.string(),
    "link_type": pa.string(),
    "rule": pa.string(),
    "match_weight": pa.float64(),
    "field_weights": pa.string(),
    "entity": pa.string(),
}


def no_links() -> pa.Table:
    """The table of links without any."""
    return pa.table({name: pa.nulls(0, kind) for name, kind in _NO_LINKS.items()})


def weighed_links(weigher: Weigher | None, pairs: Scored) -> pa.Table:
    """l, r, match_weight, and field_weights: JSON of what each field adds, and of the start."""
    if weigher is None or not len(pairs.left):
        return pa.table(
            {
                "l": pa.nulls(0, pa.int64()),
                "r": pa.nulls(0, pa.int64()),
                "match_weight": pa.nulls(0, pa.float64()),
                "field_weights": pa.nulls(0, pa.string()),
            }
        )
    found = weigher.patterns(pairs.levels, pairs.left)
    _, detail = mixture.weigh(
        weigher.model, weigher.entity.matches, weigher.entity.others, weigher.size, found.levels,
        found.rarity, detail=True,
    )  # fmt: skip
    names = [*weigher.model.fields, "starting_weight"]
    with duckdb.connect() as con:
        con.register("detail", pa.table({name: detail[:, i] for i, name in enumerate(names)}))
        told = con.execute(
            "select cast(to_json(struct_pack("
            + ", ".join(f"{name} := {name}" for name in names)
            + ")) as text) as field_weights from detail"
        ).to_arrow_table()["field_weights"]
    return pa.table(
        {
            "l": pairs.left,
            "r": pairs.right,
            "match_weight": pairs.weight,
            "field_weights": told.take(pa.array(found.of_pair)),
        }
    )


def links(
    con: duckdb.DuckDBPyConnection,
    strong: pa.Table,
    must: list[tuple[str, str]],
    weighed: pa.Table,
) -> pa.Table:
    """All links inside the clusters of table `clustered` (n, label): doubles and rules as stars.

    strong: n_l, n_r, rule. must: pairs of record ids. weighed: as `weighed_links` gives it, told
    between the first records of two representatives.
    """
    con.register("weighed", weighed)
    con.register("strong", strong)
    con.register(
        "must", pa.table({"l": [p[0] for p in must], "r": [p[1] for p in must]},
                         schema=pa.schema([("l", pa.string()), ("r", pa.string())])),
    )  # fmt: skip
    found = con.execute(
        """
        with firsts as (
            select n, min(record_id) as record_id from members group by n
        ),
        doubles as (
            select
                f.record_id as a,
                m.record_id as b,
                'deterministic' as link_type,
                'identical details' as rule,
                cast(null as double) as match_weight,
                cast(null as text) as field_weights,
                m.n
            from members as m
            inner join firsts as f on m.n = f.n
            where m.record_id <> f.record_id
        ),
        ruled as (
            select
                l.record_id, r.record_id, 'deterministic', s.rule,
                cast(null as double), cast(null as text), s.n_l
            from strong as s
            inner join firsts as l on s.n_l = l.n
            inner join firsts as r on s.n_r = r.n
            inner join clustered as cl on s.n_l = cl.n
            inner join clustered as cr on s.n_r = cr.n and cl.label = cr.label
        ),
        stewarded as (
            select must.l, must.r, 'steward', 'must link', cast(null as double),
                cast(null as text), m.n
            from must
            inner join members as m on must.l = m.record_id
            inner join members as o on must.r = o.record_id
        ),
        likely as (
            select
                l.record_id, r.record_id, 'probabilistic', 'weighed fields', weighed.match_weight,
                weighed.field_weights, weighed.l
            from weighed
            inner join firsts as l on weighed.l = l.n
            inner join firsts as r on weighed.r = r.n
        ),
        everything as (
            select * from doubles
            union all
            select * from ruled
            union all
            select * from stewarded
            union all
            select * from likely
        )
        select
            least(a, b) as record_id_l,
            greatest(a, b) as record_id_r,
            link_type,
            rule,
            match_weight,
            field_weights,
            cast(c.label as text) as entity
        from everything
        inner join clustered as c on everything.n = c.n
        order by 1, 2, 3, 4
        """
    ).to_arrow_table()
    for name in ("weighed", "strong", "must"):
        con.unregister(name)
    return found


def numbers(
    con: duckdb.DuckDBPyConnection, counts: list[tuple[str, str, float]], junk: pa.Table
) -> pa.Table:
    """Counts of the run, for identity_health: metric_name, dimension, value."""
    rows = [("records", "", float(con.execute("select count(*) from members").fetchall()[0][0]))]
    rows += counts
    kinds, per_kind = np.unique(np.array(junk["identifier_type"].to_pylist()), return_counts=True)
    rows += [
        ("junk_values", str(kind), float(count))
        for kind, count in zip(kinds, per_kind, strict=True)
    ]
    names, dimensions, values = zip(*rows, strict=True)
    return pa.table(
        {"metric_name": list(names), "dimension": list(dimensions), "value": list(values)}
    )
