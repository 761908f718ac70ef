"""What anyone would try first, to stand beside our figures: union-find and a plain Splink script.

Both take records as an Arrow table with columns named as in the record streams (record_id and any
subset of the others) and return record_id and entity. They are honest: cleaned values, compound
blocking, trained on the given records with fixed seeds, term frequencies where Splink offers them.
"""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from kindred.identity.components import components
from kindred.identity.metrics import Score, bcubed

Entity = str
"""`person` or `account`."""

_UNION_FIELDS = {"person": ("email", "phone"), "account": ("domain", "phone")}
_TEXT_FIELDS = {
    "person": (
        "first_name",
        "last_name",
        "full_name",
        "email",
        "phone",
        "street",
        "city",
        "postcode",
        "birth_date",
        "company_name",
    ),
    "account": ("name", "domain", "phone", "street", "city", "postcode", "registration_number"),
}
_BLOCKS = {
    "person": (
        ("email",),
        ("phone",),
        ("first_name", "last_name"),
        ("last_name", "birth_date"),
        ("first_name", "birth_date"),
        ("last_name", "postcode"),
        ("street", "postcode"),
        ("first_name", "postcode"),
        ("last_name", "city"),
    ),
    "account": (("name",), ("domain",), ("phone",), ("street",), ("postcode",), ("name_start",)),
}
_TRAIN = {
    "person": (("first_name", "last_name"), ("birth_date",), ("email",), ("postcode",)),
    "account": (("name_start",), ("domain",), ("phone",), ("postcode",)),
}
PLAIN_WEIGHT = 4.0


def union_find(records: pa.Table, entity: Entity = "person") -> pa.Table:
    """Join records with an equal email or phone (accounts: domain or phone), transitively."""
    with duckdb.connect() as con:
        fields = _clean(con, records, entity)
        edges = [(np.empty(0, np.int64), np.empty(0, np.int64))]
        for field in _UNION_FIELDS[entity]:
            if field not in fields:
                continue
            arrays = con.execute(
                f"""
                select n as l, min(n) over (partition by {field}) as r
                from cleaned where {field} is not null
                """
            ).fetchnumpy()
            edges.append((np.asarray(arrays["l"]), np.asarray(arrays["r"])))
        left = np.concatenate([edge[0] for edge in edges])
        right = np.concatenate([edge[1] for edge in edges])
        return _assign(con, left, right)


def plain_splink(
    records: pa.Table, entity: Entity = "person", weight: float = PLAIN_WEIGHT
) -> pa.Table:
    """A plain Splink 5 script: library comparisons, trained here, components at `weight`."""
    with duckdb.connect() as con:
        fields = _clean(con, records, entity)
        left, right, weights = _splink_pairs(con, fields, entity)
        keep = weights >= weight
        return _assign(con, left[keep], right[keep])


def best_labelled_threshold(
    records: pa.Table, truth: pa.Table, entity: Entity = "person"
) -> tuple[float, Score]:
    """The plain script at the weight (-5 to 20) that its labels like best: an unfair rival."""
    best = (0.0, Score(0.0, 0.0, 0.0))
    with duckdb.connect() as con:
        fields = _clean(con, records, entity)
        left, right, weights = _splink_pairs(con, fields, entity)
        for weight in range(-5, 21):
            keep = weights >= weight
            score = bcubed(_assign(con, left[keep], right[keep]), truth)
            if score.f1 > best[1].f1:
                best = (float(weight), score)
    return best


def _clean(con: duckdb.DuckDBPyConnection, records: pa.Table, entity: Entity) -> list[str]:
    """Make table `cleaned` (n, record_id, lower-case fields); return the fields it has."""
    con.register("given", records)
    fields = [name for name in _TEXT_FIELDS[entity] if name in records.column_names]
    columns = [
        f"nullif(lower(trim(cast({name} as text))), '') as {name}"
        if name != "phone"
        else "nullif(regexp_replace(cast(phone as text), '[^0-9]', '', 'g'), '') as phone"
        for name in fields
    ]
    if "full_name" in fields and not {"first_name", "last_name"} & set(fields):
        fields += ["first_name", "last_name"]
        columns += [
            "split_part(lower(trim(full_name)), ' ', 1) as first_name",
            "split_part(lower(trim(full_name)), ' ', -1) as last_name",
        ]
    if "name" in fields:
        fields.append("name_start")
        columns.append("nullif(lower(left(trim(name), 6)), '') as name_start")
    con.execute(
        f"""
        create temp table cleaned as
        select
            row_number() over (order by cast(record_id as text)) - 1 as n,
            cast(record_id as text) as record_id
            {"".join(", " + column for column in columns)}
        from given
        """
    )
    filled = [
        name
        for name in fields
        if con.execute(f"select count(distinct {name}) from cleaned").fetchall()[0][0] >= 1
    ]
    return filled


def _splink_pairs(
    con: duckdb.DuckDBPyConnection, fields: list[str], entity: Entity
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    have = set(fields)
    comparisons: list[Any] = []
    if entity == "person":
        makers: dict[str, Any] = {
            "first_name": lambda: cl.NameComparison("first_name").configure(
                term_frequency_adjustments=True
            ),
            "last_name": lambda: cl.NameComparison("last_name").configure(
                term_frequency_adjustments=True
            ),
            "birth_date": lambda: cl.DamerauLevenshteinAtThresholds("birth_date", [1, 2]),
            "email": lambda: cl.EmailComparison("email"),
            "phone": lambda: cl.LevenshteinAtThresholds("phone", [1, 2]),
            "street": lambda: cl.JaroWinklerAtThresholds("street", [0.9]),
            "postcode": lambda: cl.LevenshteinAtThresholds("postcode", [1]),
            "city": lambda: cl.ExactMatch("city").configure(term_frequency_adjustments=True),
        }
    else:
        makers = {
            "name": lambda: cl.JaroWinklerAtThresholds("name", [0.95, 0.88]).configure(
                term_frequency_adjustments=True
            ),
            "domain": lambda: cl.ExactMatch("domain"),
            "phone": lambda: cl.LevenshteinAtThresholds("phone", [1]),
            "street": lambda: cl.JaroWinklerAtThresholds("street", [0.9]),
            "postcode": lambda: cl.ExactMatch("postcode"),
            "city": lambda: cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            "registration_number": lambda: cl.ExactMatch("registration_number"),
        }
    comparisons = [make() for name, make in makers.items() if name in have]
    rules = [rule for rule in _BLOCKS[entity] if set(rule) <= have]
    empty = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))
    # Without two records that agree on the strictest rule, Splink has no odds to start from.
    if not comparisons or not rules or not _repeats(con, rules[0]):
        return empty
    api = DuckDBAPI(connection=con)
    data = api.register(con.sql("select * from cleaned").to_arrow_table())
    linker = Linker(
        data,
        SettingsCreator(
            link_type="dedupe_only",
            comparisons=comparisons,
            blocking_rules_to_generate_predictions=[block_on(*rule) for rule in rules],
            unique_id_column_name="n",
            retain_matching_columns=False,
        ),
        log_level="ERROR",
    )
    _train(linker, [block_on(*rule) for rule in rules[:3]], entity, have)
    scored: pa.Table = linker.inference.predict(warning_mode="never").as_pyarrow_table()  # type: ignore[no-untyped-call]
    return (
        scored["n_l"].to_numpy().astype(np.int64),
        scored["n_r"].to_numpy().astype(np.int64),
        np.round(scored["match_weight"].to_numpy(), 6),
    )


def _repeats(con: duckdb.DuckDBPyConnection, rule: tuple[str, ...]) -> bool:
    """Whether two records agree on all columns of a rule."""
    columns = ", ".join(rule)
    known = " and ".join(f"{name} is not null" for name in rule)
    twice = f"select 1 from cleaned where {known} group by {columns} having count(*) > 1 limit 1"
    return bool(con.execute(twice).fetchall())


def _train(linker: Any, strict: list[Any], entity: Entity, have: set[str]) -> None:
    from splink import block_on
    from splink.internals.exceptions import EMTrainingException, SplinkException

    try:
        linker.training.estimate_probability_two_random_records_match(strict[:1], recall=0.7)
    except ValueError:
        linker.training.estimate_probability_two_random_records_match(strict[:1], recall=1.0)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    for rule in _TRAIN[entity]:
        if not set(rule) <= have:
            continue
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(
                block_on(*rule), estimate_without_term_frequencies=True, max_pairs=5e5
            )
        except (EMTrainingException, SplinkException, ValueError):
            continue


def _assign(con: duckdb.DuckDBPyConnection, left: np.ndarray, right: np.ndarray) -> pa.Table:
    ids = con.sql("select record_id from cleaned order by n").to_arrow_table()
    labels = components(ids.num_rows, left, right)
    return pa.table({"record_id": ids["record_id"], "entity": pa.array(labels).cast(pa.string())})
