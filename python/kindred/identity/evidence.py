"""Why the records of a cluster are one: the links that a person can read."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from kindred.identity.components import IntArray
from kindred.identity.kept import KeyArray
from kindred.identity.records import Members
from kindred.identity.resolution import PARTS
from kindred.identity.weighing import Scored, Weigher

_LINK = (
    "record_id_l", "record_id_r", "link_type", "rule", "match_weight", "field_weights",
    "field_levels", "rule_version", "model_version", "entity", "component",
)  # fmt: skip


_TYPES = ("deterministic", "probabilistic", "steward")
# The parts that links come from; of each its type and, but for the rules, its one rule.
_DOUBLE, _RULED, _WEIGHED, _STEWARDED = range(4)
_TYPE = (0, 0, 1, 2)
_RULES = ("identical details", "", "weighed fields", "must link")


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
    _, detail = weigher.weigh_patterns(found, detail=True)
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
    members: Members,
    labels: IntArray,
    component: KeyArray,
    strong: pa.Table,
    must: list[tuple[str, str]],
    weighed: pa.Table,
    rule_version: str,
    model_version: str,
) -> pa.Table:
    """All links inside clusters: doubles and rules as stars, weighed pairs, stewards' decisions.

    labels, component: the cluster of each representative, and where it lies. strong: n_l, n_r,
    rule. must: pairs of record ids. weighed: as `weighed_links` gives it. A representative is told
    by the first of its records.
    Each link carries the version of the rules or of the model that made it; those of stewards
    neither. Ordered by cluster and representative.
    """
    doubles = np.flatnonzero(members.first[members.n] != np.arange(len(members.n)))
    inside = labels[strong["n_l"].to_numpy()] == labels[strong["n_r"].to_numpy()]
    ruled = strong.filter(pa.array(inside))
    must_left, must_right = members.places(must)
    parts = (
        (_DOUBLE, members.first[members.n[doubles]], doubles, members.n[doubles], doubles),
        (_RULED, *_told_by_first(members, ruled["n_l"], ruled["n_r"])),
        (_WEIGHED, *_told_by_first(members, weighed["l"], weighed["r"])),
        (_STEWARDED, must_left, must_right, members.n[must_left], must_right),
    )
    kind = np.concatenate([np.full(len(one), number) for number, one, *_ in parts])
    left, right, node, other = (
        np.concatenate([part[column] for part in parts]) for column in range(1, 5)
    )
    # Where in its part a link stands: its rule or its texts stand there too.
    place = np.concatenate([np.arange(len(one)) for _, one, *_ in parts])
    order = np.lexsort((place, kind, other, node, labels[node]))
    kind, place = kind[order], place[order]
    low = pa.array(np.minimum(left, right)[order])
    high = pa.array(np.maximum(left, right)[order])
    names = ruled["rule"].combine_chunks().dictionary_encode()
    names = names.combine_chunks() if isinstance(names, pa.ChunkedArray) else names
    rule = kind.copy()
    rule[kind == _RULED] = len(_RULES) + names.indices.to_numpy()[place[kind == _RULED]]
    of_weighed = pa.array(place, mask=kind != _WEIGHED)
    ruling = (kind == _DOUBLE) | (kind == _RULED)
    return pa.table(
        {
            "record_id_l": members.record_ids.take(low),
            "record_id_r": members.record_ids.take(high),
            "link_type": _shared(np.array(_TYPE)[kind], pa.array(_TYPES)),
            "rule": _shared(rule, pa.concat_arrays([pa.array(_RULES), names.dictionary])),
            **{
                name: weighed[name].take(of_weighed)
                for name in ("match_weight", "field_weights", "field_levels")
            },
            "rule_version": _shared(np.where(ruling, 0, -1), pa.array([rule_version])),
            "model_version": _shared(np.where(kind == _WEIGHED, 0, -1), pa.array([model_version])),
            "entity": _shared(members.first_of(labels)[labels[node[order]]], members.record_ids),
            "component": component[node[order]],
        }
    ).select(_LINK)


def _told_by_first(
    members: Members, left: pa.ChunkedArray, right: pa.ChunkedArray
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Of pairs of representatives: the first records of both, and both."""
    one, two = left.to_numpy(), right.to_numpy()
    return members.first[one], members.first[two], one, two


def _shared(places: IntArray, texts: pa.Array) -> pa.DictionaryArray:
    """A column of few texts, each written once; null at place -1."""
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32), mask=places < 0), texts)


def numbers(records: int, counts: list[tuple[str, str, float]], junk: pa.Table) -> pa.Table:
    """Counts of the run, for identity_health: metric_name, dimension, value."""
    rows = [("records", "", float(records))]
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
