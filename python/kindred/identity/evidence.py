"""Why the records of a cluster are one: the links that a person can read."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from kindred.identity import mixture
from kindred.identity.records import in_batches
from kindred.identity.resolution import PARTS
from kindred.identity.weighing import Scored, Weigher

_LINK = (
    "record_id_l", "record_id_r", "link_type", "rule", "match_weight", "field_weights",
    "field_levels", "rule_version", "model_version", "entity",
)  # fmt: skip


def no_links() -> pa.Table:
    """The table of links without any."""
    return pa.table({name: pa.nulls(0, PARTS[name]) for name in _LINK})


def weighed_links(weigher: Weigher | None, pairs: Scored) -> pa.Table:
    """l, r, match_weight, and two columns of JSON.

    field_weights: what each field adds, and the start. field_levels: how alike the two are in each
    field, in the words of the entity's settings, without the fields that one of them lacks.
    """
    if weigher is None or not len(pairs.left):
        return pa.table(
            {
                "l": pa.nulls(0, pa.int64()),
                "r": pa.nulls(0, pa.int64()),
                "match_weight": pa.nulls(0, pa.float64()),
                "field_weights": pa.nulls(0, pa.string()),
                "field_levels": pa.nulls(0, pa.string()),
            }
        )
    found = weigher.patterns(pairs.levels, pairs.left)
    _, detail = mixture.weigh(
        weigher.model, weigher.entity.matches, weigher.entity.others, weigher.size, found.levels,
        found.rarity, detail=True,
    )  # fmt: skip
    names = [*weigher.model.fields, "starting_weight"]
    of_pair = pa.array(found.of_pair.astype(np.int32))
    weights = _as_json({name: pa.array(detail[:, i]) for i, name in enumerate(names)})
    levels = _as_json(
        {
            c.field: pa.array([None, *(level.name for level in reversed(c.levels))]).take(
                pa.array(found.levels[:, i].astype(np.int64) + 1)
            )
            for i, c in enumerate(weigher.comparisons)
        }
    )
    return pa.table(
        {
            "l": pairs.left,
            "r": pairs.right,
            "match_weight": pairs.weight,
            # Each text once, however many pairs share it.
            "field_weights": pa.DictionaryArray.from_arrays(of_pair, weights.combine_chunks()),
            "field_levels": pa.DictionaryArray.from_arrays(of_pair, levels.combine_chunks()),
        }
    )


def _as_json(columns: dict[str, pa.Array]) -> pa.ChunkedArray:
    """Each row of the columns as a JSON object, without what is null."""
    packed = ", ".join(f"{name} := {name}" for name in columns)
    with duckdb.connect() as con:
        con.execute("set enable_progress_bar = false")
        con.register("columns_of", pa.table(columns))
        return con.execute(
            f"select cast(json_merge_patch('{{}}', to_json(struct_pack({packed}))) as text) as told"
            " from columns_of"
        ).to_arrow_table()["told"]


def links(
    con: duckdb.DuckDBPyConnection,
    strong: pa.Table,
    must: list[tuple[str, str]],
    weighed: pa.Table,
    rule_version: str,
    model_version: str,
) -> pa.Table:
    """All links inside the clusters of table `clustered` (n, label): doubles and rules as stars.

    strong: n_l, n_r, rule. must: pairs of record ids. weighed: as `weighed_links` gives it, told
    between the first records of two representatives. Each link carries the version of the rules
    or of the model that made it; those of stewards neither.
    """
    pairs = weighed.select(["l", "r", "match_weight"])
    places = pa.array(np.arange(len(pairs), dtype=np.int64))
    con.register("weighed", in_batches(pairs.append_column("place", places)))
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
                cast(null as bigint) as place,
                m.n,
                row_number() over (partition by m.n order by m.record_id) as other
            from members as m
            inner join firsts as f on m.n = f.n
            where m.record_id <> f.record_id
        ),
        ruled as (
            select
                l.record_id, r.record_id, 'deterministic', s.rule,
                cast(null as double), cast(null as bigint), s.n_l, s.n_r
            from strong as s
            inner join firsts as l on s.n_l = l.n
            inner join firsts as r on s.n_r = r.n
            inner join clustered as cl on s.n_l = cl.n
            inner join clustered as cr on s.n_r = cr.n and cl.label = cr.label
        ),
        stewarded as (
            select must.l, must.r, 'steward', 'must link',
                cast(null as double), cast(null as bigint), m.n, row_number() over (order by l, r)
            from must
            inner join members as m on must.l = m.record_id
            inner join members as o on must.r = o.record_id
        ),
        likely as (
            select
                l.record_id, r.record_id, 'probabilistic', 'weighed fields',
                weighed.match_weight, weighed.place, weighed.l, weighed.r
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
            place,
            case when link_type = 'deterministic' then $1 end as rule_version,
            case when link_type = 'probabilistic' then $2 end as model_version,
            cast(c.label as text) as entity
        from everything
        inner join clustered as c on everything.n = c.n
        order by c.label, everything.n, other, link_type, rule
        """,
        [rule_version, model_version],
    ).to_arrow_table()
    for name in ("weighed", "strong", "must"):
        con.unregister(name)
    place = found["place"]
    told = {name: weighed[name].take(place) for name in ("field_weights", "field_levels")}
    return pa.table({name: told[name] if name in told else found[name] for name in _LINK})


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
