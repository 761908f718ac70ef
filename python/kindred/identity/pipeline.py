"""Identity resolution from records to clusters: one machinery for people and companies."""

# SQL is put together from the settings of this package only, never from values of users.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kindred.errors import KindredError
from kindred.identity import clusters, junk, links, mixture, model_files, records, scoring
from kindred.identity.components import IntArray
from kindred.identity.entity import Comparison, Entity
from kindred.identity.mixture import FloatArray, Model
from kindred.identity.reference import Reference, load_reference

SEED = 20260101
CLOSING_PAIRS_PER_RECORD = 5
CANNOT = -1e9

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Resolution:
    """What a run of identity resolution found.

    assignments: record_id, entity (label; an id of no meaning). links: record_id_l, record_id_r,
    link_type, rule, match_weight, field_weights (JSON), entity. junk: the table of decisions.
    numbers: name, dimension, value.
    """

    assignments: pa.Table
    links: pa.Table
    junk: pa.Table
    numbers: pa.Table
    model: Model
    model_choice: str
    notes: tuple[str, ...] = field(default_factory=tuple)


def entity_named(name: str) -> Entity:
    """The settings of `person` or `account`."""
    from kindred.identity.account import ACCOUNT
    from kindred.identity.person import PERSON

    found = {"person": PERSON, "account": ACCOUNT}.get(name)
    if found is None:
        raise KindredError(f"There is no entity '{name}'.", "choose person or account.")
    return found


def resolve(
    given: pa.Table,
    entity: Entity,
    *,
    identifiers: pa.Table | None = None,
    overrides: pa.Table | None = None,
    reference: Reference | None = None,
    model: str = "auto",
    cut: float | None = None,
    junk_limits: dict[str, int] | None = None,
    with_links: bool = True,
    tell: Tell = lambda _: None,
) -> Resolution:
    """Resolve `given` records (columns as in the record streams, record_id first) to entities.

    identifiers: record_id, identifier_type, identifier_value. overrides: decision (must_link or
    cannot_link), record_id_l, record_id_r. model: auto, shipped, train, or the path of a file.
    """
    with records.connect() as con:
        return _resolve(
            con, given, entity, identifiers, overrides, reference, model,
            entity.cut if cut is None else cut, junk_limits, with_links, tell,
        )  # fmt: skip


def _resolve(
    con: duckdb.DuckDBPyConnection,
    given: pa.Table,
    entity: Entity,
    identifiers: pa.Table | None,
    overrides: pa.Table | None,
    reference: Reference | None,
    model: str,
    cut: float,
    junk_limits: dict[str, int] | None,
    with_links: bool,
    tell: Tell,
) -> Resolution:
    tell("preparing match fields")
    records.prepare(con, given, entity, reference or load_reference())
    decisions = junk.remove_junk(con, entity, junk_limits)
    must, cannot = _overrides(overrides)
    filled = records.collapse(con, entity, tuple({name for pair in cannot for name in pair}))
    size = int(con.execute("select count(*) from fields").fetchall()[0][0])
    strong = links.deterministic_links(con, entity, identifiers)
    comparisons = scoring.usable_comparisons(entity, filled)

    tell("scoring pairs")
    rules = scoring.choose_blocking(con, entity)
    scorer, candidates, chosen, choice, rarity = _score(
        con, entity, comparisons, rules, size, model, tell
    )
    weights, _ = mixture.weigh(
        chosen, entity.matches, entity.others, size, candidates.levels, rarity(candidates)
    )

    tell("forming clusters")
    left, right = strong["n_l"].to_numpy(), strong["n_r"].to_numpy()
    must_left, must_right = _nodes(con, must)
    cannot_left, cannot_right = _nodes(con, cannot)
    known = scoring.Pairs(candidates.left, candidates.right, candidates.levels)
    everything, weight, silent = _close(
        known, weights, scorer, chosen, entity, size, rarity, cut,
        np.concatenate([left, must_left]), np.concatenate([right, must_right]),
    )  # fmt: skip
    edge_left, edge_right, edge_weight = _overlay(
        size,
        [
            (everything.left, everything.right, np.where(silent, clusters.SILENT, weight)),
            (left, right, np.full(len(left), clusters.CERTAIN)),
            (must_left, must_right, np.full(len(must_left), clusters.CERTAIN)),
            (cannot_left, cannot_right, np.full(len(cannot_left), CANNOT)),
        ],
    )
    labels = clusters.cluster(size, edge_left, edge_right, edge_weight, cut)
    con.register("labels", pa.table({"n": np.arange(size, dtype=np.int64), "label": labels}))
    con.execute("create or replace table clustered as select * from labels")
    con.unregister("labels")
    assignments = con.execute(
        """
        select m.record_id, cast(c.label as text) as entity
        from members as m
        inner join clustered as c on m.n = c.n
        order by m.record_id
        """
    ).to_arrow_table()
    evidence = (
        _evidence(con, entity, chosen, size, everything, weight, labels, strong, must, rarity, cut)
        if with_links
        else pa.table({})
    )
    numbers = _numbers(con, size, rules, candidates, decisions, chosen, choice, strong)
    return Resolution(assignments, evidence, decisions, numbers, chosen, choice)


Rarity = Callable[[scoring.Pairs], dict[str, FloatArray]]


def _score(
    con: duckdb.DuckDBPyConnection,
    entity: Entity,
    comparisons: tuple[Comparison, ...],
    rules: list[tuple[tuple[str, ...], int]],
    size: int,
    model: str,
    tell: Tell,
) -> tuple[scoring.Scorer | None, scoring.Pairs, Model, str, Rarity]:
    """Candidate pairs with their levels, and the model that is to weigh them."""
    empty = np.empty(0, np.int64)
    if not rules or not comparisons:
        none = scoring.Pairs(empty, empty, np.empty((0, len(comparisons)), np.int8))
        found = Model((), (), (), {k.name: k.share for k in (*entity.matches, *entity.others)}, {})
        return None, none, found, "no candidate pairs", lambda _: {}
    scorer = scoring.Scorer(con, comparisons, [rule for rule, _ in rules])
    candidates = scorer.candidates()
    patterns, counts = _patterns(candidates.levels, comparisons)
    fill = _fill(con, comparisons)
    frequencies = {
        c.field: _frequencies(patterns[:, i], counts, len(c.levels))
        for i, c in enumerate(comparisons)
    }
    usable, choice = _given_model(entity, model, fill, frequencies)
    if usable is None:
        tell("training on these records")
        strangers = scorer.compare(*scoring.random_pairs(size, SEED))
        u = _exact_u(con, comparisons, mixture.estimate_u(comparisons, strangers.levels))
        learned = mixture.learn(
            comparisons, entity.matches, entity.others, size, u, patterns, counts
        )
        about = {**learned.about, "fill": fill, "levels": frequencies, "records": size}
        usable = replace(learned, about=about)
    return scorer, candidates, usable, choice, _rarity(con, comparisons, usable)


def _given_model(
    entity: Entity, model: str, fill: dict[str, float], levels: dict[str, list[float]]
) -> tuple[Model | None, str]:
    """The model to use as it is, or None where one is to be trained; and why."""
    if model == "train":
        return None, "trained on these records, as asked"
    if model not in ("auto", "shipped"):
        found = model_files.load(Path(model), entity)
        if set(found.fields) != set(levels):
            raise KindredError(
                f"The model {model} compares other fields than these records fill.",
                "use --model auto, or train one on such records.",
            )
        return found, f"read from {Path(model).name}"
    shipped = model_files.shipped(entity)
    if shipped is None:
        return None, "trained on these records: no model is shipped"
    reason = model_files.misfit(shipped, fill, levels)
    if model == "shipped":
        if set(shipped.fields) != set(levels):
            raise KindredError(f"The shipped model cannot be used: {reason}.", "use --model auto.")
        return shipped, "the shipped model, as asked"
    if reason:
        return None, f"trained on these records: {reason}"
    return shipped, "the shipped model: fill and level frequencies fit it"


def _patterns(
    levels: npt.NDArray[np.int8], comparisons: tuple[Comparison, ...]
) -> tuple[npt.NDArray[np.int8], FloatArray]:
    """Distinct combinations of levels, and how many pairs have each."""
    code = np.zeros(len(levels), dtype=np.int64)
    for i, comparison in enumerate(comparisons):
        code = code * (len(comparison.levels) + 1) + levels[:, i] + 1
    codes, counts = np.unique(code, return_counts=True)
    columns = []
    for comparison in reversed(comparisons):
        codes, rest = np.divmod(codes, len(comparison.levels) + 1)
        columns.append(rest - 1)
    return np.column_stack(columns[::-1]).astype(np.int8), counts.astype(float)


def _frequencies(levels: npt.NDArray[np.int8], counts: FloatArray, size: int) -> list[float]:
    sums = np.bincount(levels + 1, weights=counts, minlength=size + 1)
    return [round(float(x), 4) for x in sums / max(sums.sum(), 1.0)]


def _fill(con: duckdb.DuckDBPyConnection, comparisons: tuple[Comparison, ...]) -> dict[str, float]:
    compared = [c for c in comparisons if not c.holders_of]
    asked = ", ".join(f"count({c.field}) / count(*)" for c in compared)
    row = con.execute(f"select {asked} from fields").fetchall()[0]
    return {c.field: round(x, 4) for c, x in zip(compared, row, strict=True)}


def _exact_u(
    con: duckdb.DuckDBPyConnection, comparisons: tuple[Comparison, ...], u: list[FloatArray]
) -> list[FloatArray]:
    """How often strangers agree exactly can be counted; no sample sees it better."""
    found = []
    for comparison, guess in zip(comparisons, u, strict=True):
        if not (comparison.rarity or comparison.unique):
            found.append(guess)
            continue
        field_name = comparison.field
        same = con.execute(
            f"""
            select sum(n * (n - 1)) / greatest(sum(n) * (sum(n) - 1), 1)
            from (select count(*)::double as n from fields where {field_name} is not null
                  group by {field_name})
            """
        ).fetchall()[0][0]
        same = max(float(same or 0.0), mixture.LEAST_U)
        rest = guess[:-1] * (1 - same) / max(float(guess[:-1].sum()), mixture.LEAST_U)
        found.append(np.append(rest, same))
    return found


def _rarity(
    con: duckdb.DuckDBPyConnection, comparisons: tuple[Comparison, ...], model: Model
) -> Rarity:
    """How much more an agreement on a rare value says than one on a common value."""
    frequency: dict[int, FloatArray] = {}
    for i, comparison in enumerate(comparisons):
        if comparison.rarity:
            name = comparison.field
            frequency[i] = con.execute(
                f"""
                select
                    case when {name} is null then 1.0
                    else count(*) over (partition by {name})::double
                        / count({name}) over () end as f
                from fields
                order by n
                """
            ).fetchnumpy()["f"]

    def of(pairs: scoring.Pairs) -> dict[str, FloatArray]:
        found = {}
        for i, values in frequency.items():
            top = len(comparisons[i].levels) - 1
            same = pairs.levels[:, i] == top
            gain = np.zeros(len(pairs))
            gain[same] = np.log2(model.u[i][top] / values[pairs.left[same]])
            found[comparisons[i].field] = gain
        return found

    return of


def _close(
    pairs: scoring.Pairs,
    weights: FloatArray,
    scorer: scoring.Scorer | None,
    model: Model,
    entity: Entity,
    size: int,
    rarity: Rarity,
    cut: float,
    left: IntArray,
    right: IntArray,
) -> tuple[scoring.Pairs, FloatArray, npt.NDArray[np.bool_]]:
    """Add the pairs inside components that blocking never proposed; say which say nothing."""
    if scorer is None:
        return pairs, weights, np.zeros(len(pairs), dtype=bool)
    more_left, more_right = clusters.missing_pairs(
        size,
        np.concatenate([pairs.left, left]),
        np.concatenate([pairs.right, right]),
        np.concatenate([weights, np.full(len(left), clusters.CERTAIN)]),
        cut,
        max(scoring.LEAST_PAIRS, CLOSING_PAIRS_PER_RECORD * size),
    )
    more = scorer.compare(more_left, more_right)
    more_weights, _ = mixture.weigh(
        model, entity.matches, entity.others, size, more.levels, rarity(more)
    )
    both = scoring.Pairs(
        np.concatenate([pairs.left, more.left]),
        np.concatenate([pairs.right, more.right]),
        np.concatenate([pairs.levels, more.levels]),
    )
    together = np.concatenate([weights, more_weights])
    silent = mixture.says_nothing(model, entity.matches, size, both.levels, together)
    return both, together, silent


def _overlay(
    size: int, layers: list[tuple[IntArray, IntArray, FloatArray]]
) -> tuple[IntArray, IntArray, FloatArray]:
    """One weight a pair: that of the last layer that names it."""
    left = np.concatenate([layer[0] for layer in layers]).astype(np.int64)
    right = np.concatenate([layer[1] for layer in layers]).astype(np.int64)
    weight = np.concatenate([layer[2] for layer in layers])
    keys = np.minimum(left, right) * size + np.maximum(left, right)
    _, last = np.unique(keys[::-1], return_index=True)
    keep = len(keys) - 1 - last
    return np.minimum(left, right)[keep], np.maximum(left, right)[keep], weight[keep]


def _overrides(
    overrides: pa.Table | None,
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    must: list[tuple[str, str]] = []
    cannot: list[tuple[str, str]] = []
    for row in overrides.to_pylist() if overrides is not None else []:
        pair = (str(row["record_id_l"]), str(row["record_id_r"]))
        decision = row["decision"]
        if decision not in ("must_link", "cannot_link"):
            raise KindredError(
                f"identity_overrides: '{decision}' is not a decision.",
                "write must_link or cannot_link.",
            )
        (must if decision == "must_link" else cannot).append(pair)
    both = {frozenset(pair) for pair in must} & {frozenset(pair) for pair in cannot}
    if both:
        raise KindredError(
            f"identity_overrides: {len(both)} pairs are both must_link and cannot_link.",
            "end the validity of one of the two decisions.",
        )
    return must, cannot


def _nodes(
    con: duckdb.DuckDBPyConnection, pairs: list[tuple[str, str]]
) -> tuple[IntArray, IntArray]:
    """Representatives of pairs of records; pairs of records that are gone say nothing."""
    empty = np.empty(0, np.int64)
    if not pairs:
        return empty, empty
    con.register("pairs", pa.table({"l": [p[0] for p in pairs], "r": [p[1] for p in pairs]}))
    found = con.execute(
        """
        select a.n as l, b.n as r
        from pairs
        inner join members as a on pairs.l = a.record_id
        inner join members as b on pairs.r = b.record_id
        where a.n <> b.n
        order by 1, 2
        """
    ).fetchnumpy()
    con.unregister("pairs")
    return found["l"].astype(np.int64), found["r"].astype(np.int64)


def _evidence(
    con: duckdb.DuckDBPyConnection,
    entity: Entity,
    model: Model,
    size: int,
    pairs: scoring.Pairs,
    weight: FloatArray,
    labels: IntArray,
    strong: pa.Table,
    must: list[tuple[str, str]],
    rarity: Rarity,
    cut: float,
) -> pa.Table:
    """Why the records of a cluster are one: doubles and rules as stars, weighed pairs as they are.

    A probabilistic link is told between the first records of two representatives.
    """
    kept = (labels[pairs.left] == labels[pairs.right]) & (weight >= cut)
    likely = scoring.Pairs(pairs.left[kept], pairs.right[kept], pairs.levels[kept])
    _, detail = mixture.weigh(
        model, entity.matches, entity.others, size, likely.levels, rarity(likely), detail=True
    )
    names = [*model.fields, "starting_weight"]
    columns: dict[str, Any] = {"l": likely.left, "r": likely.right, "w": weight[kept]}
    for i, name in enumerate(names):
        columns[name] = detail[:, i] if len(likely) else np.empty(0)
    con.register("weighed", pa.table(columns))
    parts = ", ".join(f"{name} := weighed.{name}" for name in names)
    con.register("strong", strong)
    con.register(
        "must", pa.table({"l": [p[0] for p in must], "r": [p[1] for p in must]},
                         schema=pa.schema([("l", pa.string()), ("r", pa.string())])),
    )  # fmt: skip
    found = con.execute(
        f"""
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
                l.record_id, r.record_id, 'probabilistic', 'weighed fields', weighed.w,
                cast(to_json(struct_pack({parts})) as text), weighed.l
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


def _numbers(
    con: duckdb.DuckDBPyConnection,
    size: int,
    rules: list[tuple[tuple[str, ...], int]],
    candidates: scoring.Pairs,
    decisions: pa.Table,
    model: Model,
    choice: str,
    strong: pa.Table,
) -> pa.Table:
    """Counts of the run, for identity_health: metric_name, dimension, value."""
    rows: list[tuple[str, str, float]] = [
        ("records", "", float(con.execute("select count(*) from members").fetchall()[0][0])),
        ("representatives", "", float(size)),
        ("candidate_pairs", "", float(len(candidates))),
        ("deterministic_links_between_representatives", "", float(strong.num_rows)),
        ("model", choice, 1.0),
    ]
    rows += [
        ("blocking_rule_pairs", " + ".join(rule) or "all pairs", float(n)) for rule, n in rules
    ]
    rows += [("pairs_per_record", kind, share) for kind, share in sorted(model.kinds.items())]
    for kind in sorted(set(decisions["identifier_type"].to_pylist())):
        count = decisions["identifier_type"].to_pylist().count(kind)
        rows.append(("junk_values", kind, float(count)))
    names, dimensions, values = zip(*rows, strict=True)
    return pa.table(
        {"metric_name": list(names), "dimension": list(dimensions), "value": list(values)}
    )


PARTS: dict[str, pa.DataType] = {
    "part": pa.string(),
    "record_id": pa.string(),
    "entity": pa.string(),
    "record_id_l": pa.string(),
    "record_id_r": pa.string(),
    "link_type": pa.string(),
    "rule": pa.string(),
    "match_weight": pa.float64(),
    "field_weights": pa.string(),
    "identifier_type": pa.string(),
    "identifier_value": pa.string(),
    "decision": pa.string(),
    "reason": pa.string(),
    "record_count": pa.int64(),
    "name_count": pa.int64(),
    "name_limit": pa.int64(),
    "metric_name": pa.string(),
    "dimension": pa.string(),
    "value": pa.float64(),
}


def as_one_table(found: Resolution) -> pa.Table:
    """Everything of a run in one table, as a dbt Python model returns one; `part` tells which.

    cluster: record_id, entity. link: record_id_l, record_id_r, link_type, rule, match_weight,
    field_weights, entity. junk: identifier_type, identifier_value, decision, reason, counts.
    number: metric_name, dimension, value.
    """
    parts = {
        "cluster": found.assignments,
        "link": found.links,
        "junk": found.junk,
        "number": found.numbers,
    }
    tables = []
    for part, table in parts.items():
        rows = table.num_rows
        columns = {
            name: table[name].cast(kind) if name in table.column_names else pa.nulls(rows, kind)
            for name, kind in PARTS.items()
        }
        columns["part"] = pa.array([part] * rows, pa.string())
        tables.append(pa.table(columns, schema=pa.schema(list(PARTS.items()))))
    return pa.concat_tables(tables)
