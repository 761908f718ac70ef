"""How good a partition is: pairwise and B-cubed precision, recall and F1 against the truth.

Both inputs are Arrow tables. `assignments` holds record_id and entity; `truth` holds record_id and
entity (the true one). Records without a truth value are left out; a record that the assignment
forgot counts as an entity of its own, so that forgetting records cannot raise a figure.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import duckdb
import pyarrow as pa

_CELLS = """
create temp table cells as
with labelled as (
    select
        coalesce(a.entity, 'forgotten:' || t.record_id) as entity,
        t.entity as truth
    from (
        select cast(record_id as text) as record_id, cast(entity as text) as entity
        from truth
        where entity is not null
    ) as t
    left join (
        select cast(record_id as text) as record_id, 'e:' || cast(entity as text) as entity
        from assignments
    ) as a
        on t.record_id = a.record_id
),
cell_counts as (
    select entity, truth, count(*)::double as n
    from labelled
    group by entity, truth
)
select
    n,
    sum(n) over (partition by entity) as n_entity,
    sum(n) over (partition by truth) as n_truth,
    entity,
    truth
from cell_counts
"""

_SCORES = """
select
    coalesce(sum(n * n / n_entity) / nullif(sum(n), 0), 1),
    coalesce(sum(n * n / n_truth) / nullif(sum(n), 0), 1),
    coalesce(sum(n * (n - 1)) / 2, 0),
    coalesce(sum(n * (n_entity - 1)) / 2, 0),
    coalesce(sum(n * (n_truth - 1)) / 2, 0),
    count(distinct entity),
    count(distinct truth),
    coalesce(sum(n), 0)
from cells
"""


@dataclass(frozen=True)
class Score:
    """Precision, recall and F1 (each 0 to 1) of one way to count."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Evaluation:
    """Both ways to count, with the numbers of records and of found and true entities."""

    bcubed: Score
    pairwise: Score
    records: int
    entities: int
    true_entities: int

    def as_dict(self) -> dict[str, object]:
        """The figures as plain values, for JSON."""
        return asdict(self)


def evaluate(assignments: pa.Table, truth: pa.Table) -> Evaluation:
    """Score `assignments` (record_id, entity) against `truth` (record_id, entity)."""
    with duckdb.connect() as con:
        con.register("assignments", assignments)
        con.register("truth", truth)
        con.execute(_CELLS)
        row = con.execute(_SCORES).fetchall()[0]
    precision, recall, both, found, true, entities, true_entities, records = row
    return Evaluation(
        bcubed=_score(precision, recall),
        pairwise=_score(both / found if found else 1.0, both / true if true else 1.0),
        records=int(records),
        entities=int(entities),
        true_entities=int(true_entities),
    )


def bcubed(assignments: pa.Table, truth: pa.Table) -> Score:
    """B-cubed: for the average record, which share of its entity is right, and is found."""
    return evaluate(assignments, truth).bcubed


def pairwise(assignments: pa.Table, truth: pa.Table) -> Score:
    """Pairwise: of all pairs put together, which share is right, and of all true pairs, found."""
    return evaluate(assignments, truth).pairwise


def _score(precision: float, recall: float) -> Score:
    total = precision + recall
    f1 = 2 * precision * recall / total if total else 0.0
    return Score(round(precision, 6), round(recall, 6), round(f1, 6))
