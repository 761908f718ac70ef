"""The health of matching over runs, read from the mart identity_health and put into figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from kindred.identity.health import CERTAIN, SIZES, STRENGTHS
from kindred.identity.model_files import FILL_TOLERANCE, LEVEL_TOLERANCE
from kindred.identity.pipeline import entity_named
from kindred.warehouse.database import has_relation, quoted

# Runs that trends go back.
MOST_RUNS = 30
# What stands out from one run to the next: shares of the records.
FALL_OF_MATCH_RATE = 0.02
MUCH_CHURN = 0.01
STRENGTH_WORDS = {
    "below 0": "less likely than not, as a pair alone",
    "0 to 5": "up to 32 to 1",
    "5 to 10": "32 to 1,000 to 1",
    "10 to 20": "1,000 to a million to 1",
    "over 20": "more than a million to 1",
    CERTAIN: "certain: a rule or a steward",
}


@dataclass(frozen=True)
class Run:
    """The figures of one entity in one run: value by metric and dimension."""

    generation: int
    moment: str
    values: dict[str, dict[str, float]] = field(default_factory=dict)

    def of(self, metric: str) -> dict[str, float]:
        """The values of a metric by dimension."""
        return self.values.get(metric, {})

    def one(self, metric: str, dimension: str = "") -> float | None:
        """One value, None where the run did not measure it."""
        return self.of(metric).get(dimension)

    @property
    def entities(self) -> float:
        """How many customers, or accounts."""
        return sum(self.of("entities_by_size").values())


@dataclass(frozen=True)
class Drift:
    """How a field is filled and how alike pairs are in it, against the training of the model.

    likeness: share of pairs on other levels than in training. Shares; None where not known.
    """

    label: str
    filled: float
    before: float | None
    trained: float | None
    likeness: float | None

    @property
    def stands_out(self) -> bool:
        """Whether the model was not made for such data."""
        fill = self.trained is not None and abs(self.filled - self.trained) > FILL_TOLERANCE
        return fill or (self.likeness is not None and self.likeness > LEVEL_TOLERANCE)


@dataclass(frozen=True)
class UsedModel:
    """The model of the last run, as int_person_model or int_account_model keeps it."""

    version: str
    choice: str
    cut: float
    content: dict[str, Any]


@dataclass(frozen=True)
class Health:
    """The runs of an entity, oldest first, and the model of the last one where it is known."""

    entity: str
    runs: tuple[Run, ...]
    model: UsedModel | None = None

    @property
    def last(self) -> Run:
        """The run told about."""
        return self.runs[-1]

    @property
    def before(self) -> Run | None:
        """The run before it."""
        return self.runs[-2] if len(self.runs) > 1 else None


def read_health(
    con: duckdb.DuckDBPyConnection, entity: str, marts: str, identity: str, generation: int
) -> Health | None:
    """The runs up to `generation`; None where the warehouse has measured none of its records."""
    if not (
        has_relation(con, marts, "identity_health") and has_relation(con, marts, "run_history")
    ):
        return None
    rows = con.execute(
        f"""
        with runs as (
            select generation, as_of
            from {quoted(marts, "run_history")}
            where generation <= $2
            order by generation desc
            limit {MOST_RUNS}
        )
        select
            r.generation, strftime(r.as_of, '%Y-%m-%d %H:%M'), h.metric_name, h.dimension, h.value
        from runs as r
        inner join {quoted(marts, "identity_health")} as h on r.generation = h.generation
        where h.entity = $1
        order by r.generation, h.metric_name, h.dimension
        """,
        [entity, generation],
    ).fetchall()
    runs: dict[int, Run] = {}
    for number, moment, metric, dimension, value in rows:
        run = runs.setdefault(int(number), Run(int(number), str(moment)))
        run.values.setdefault(str(metric), {})[str(dimension)] = float(value)
    known = tuple(run for run in runs.values() if run.entities)
    if not known or known[-1].generation != generation:
        return None
    return Health(entity, known, _model(con, entity, identity))


def _model(con: duckdb.DuckDBPyConnection, entity: str, identity: str) -> UsedModel | None:
    name = f"int_{entity}_model"
    if not has_relation(con, identity, name):
        return None
    rows = con.execute(
        f"select model_version, choice, cut, content from {quoted(identity, name)}"
    ).fetchall()
    if not rows:
        return None
    version, choice, cut, content = rows[0]
    return UsedModel(str(version), str(choice), float(cut), json.loads(content))


def drifts(health: Health) -> list[Drift]:
    """A row for each field that is compared, in the order of the settings.

    Of an optional field it does not matter how its records were filled in training.
    """
    now, before = health.last, health.before
    found = []
    for comparison in entity_named(health.entity).comparisons:
        name = comparison.field
        filled = now.one("field_fill", name)
        if filled is None:
            continue
        gap = None if comparison.optional else now.one("drift_of_fill", name)
        found.append(
            Drift(
                comparison.label,
                filled,
                before.one("field_fill", name) if before else None,
                None if gap is None else filled - gap,
                None if comparison.optional else now.one("drift_of_levels", name),
            )
        )
    return found


def standing_out(health: Health, noun: str) -> list[str]:
    """What a person should look at, in sentences; noun: customer or account."""
    now, before = health.last, health.before
    found = []
    rate, earlier = (run.one("match_rate", "all sources") if run else None for run in (now, before))
    if rate is not None and earlier is not None and earlier - rate > FALL_OF_MATCH_RATE:
        found.append(
            f"Fewer records found another one than in the run before: {rate:.1%} after"
            f" {earlier:.1%}. Look at the sources below: one may have lost its emails or phones."
        )
    churn = now.one("id_churn")
    if before is not None and churn is not None and churn > MUCH_CHURN:
        found.append(
            f"{churn:.1%} of the records went to another {noun} than before. Was the matching"
            " changed, or did much data come in?"
        )
    for drift in drifts(health):
        if drift.stands_out:
            found.append(
                f"The field {drift.label} is filled, or agrees, otherwise than where the model was"
                " trained. Train one on your records, or let identity_model be auto."
            )
    held = now.one("clusters_held_back")
    if held:
        found.append(
            f"{held:,.0f} group{'s are' if held > 1 else ' is'} too large and too loose to be"
            " published whole; a steward should look (kindred identity review)."
        )
    return found


@dataclass(frozen=True)
class Bar:
    """A labelled bar; share: of its track, 0 to 1."""

    label: str
    figure: str
    share: float
    kind: str = ""


def shares(values: dict[str, float], order: Sequence[str] | None = None) -> list[Bar]:
    """Bars of shares (0 to 1), the longest first unless an order is given."""
    names = [name for name in order if name in values] if order else _longest_first(values)
    return [Bar(name, f"{values[name]:.1%}", values[name]) for name in names]


def counts(values: dict[str, float], order: Sequence[str] | None = None) -> list[Bar]:
    """Bars of counts against the largest, the longest first unless an order is given."""
    names = [name for name in order if name in values] if order else _longest_first(values)
    most = max(values.values(), default=0.0) or 1.0
    return [Bar(name, f"{values[name]:,.0f}", values[name] / most) for name in names]


def _longest_first(values: dict[str, float]) -> list[str]:
    return sorted(values, key=lambda name: (-values[name], name))


def by_source(run: Run) -> list[Bar]:
    """Share of the records of each source that found another."""
    rates = run.of("match_rate")
    return shares({name: rate for name, rate in rates.items() if name != "all sources"})


def by_size(run: Run) -> list[Bar]:
    """Customers or accounts by the number of their records."""
    return counts(run.of("entities_by_size"), ("1", *SIZES))


def by_strength(run: Run) -> list[Bar]:
    """Customers or accounts of several records by what they hang on, the surest first."""
    values = run.of("entities_by_weakest_link")
    most = max(values.values(), default=0.0) or 1.0
    kinds = {CERTAIN: "good", "over 20": "good", "0 to 5": "warn", "below 0": "bad"}
    return [
        Bar(STRENGTH_WORDS[name], f"{values[name]:,.0f}", values[name] / most, kinds.get(name, ""))
        for name in (CERTAIN, *reversed(STRENGTHS))
        if name in values
    ]


def blocking(run: Run) -> list[Bar]:
    """Pairs that each blocking rule proposes."""
    values = run.of("blocking_rule_pairs")
    return counts({name.replace("_", " "): pairs for name, pairs in values.items()})


@dataclass(frozen=True)
class Trend:
    """A figure over runs: now, and the points of its line in a box of 100 by 30."""

    label: str
    now: str
    before: str
    line: str
    end: tuple[float, float] | None


def trends(health: Health, noun: str) -> list[Trend]:
    """The figures that people watch, over the runs that measured them."""
    wanted = {
        "of the records found another": ("match_rate", "all sources", True),
        f"{noun}s": ("entities_by_size", None, False),
        "of the links are certain": ("deterministic_share", "", True),
        f"of the records changed their {noun}": ("id_churn", "", True),
    }
    found = []
    for label, (metric, dimension, is_share) in wanted.items():
        values = [
            (run.generation, run.entities if dimension is None else run.one(metric, dimension))
            for run in health.runs
        ]
        series = [(place, value) for place, value in values if value is not None]
        if series and series[-1][0] == health.last.generation:
            found.append(_trend(label, [value for _, value in series], is_share))
    return found


def _trend(label: str, values: Sequence[float], is_share: bool) -> Trend:
    def told(value: float) -> str:
        return f"{value:.1%}" if is_share else f"{value:,.0f}"

    before = told(values[-2]) if len(values) > 1 else ""
    if len(values) < 2:
        return Trend(label, told(values[-1]), before, "", None)
    low, high = min(values), max(values)
    # A line that hardly moves should look so.
    span = max(high - low, 0.02 if is_share else 0.02 * max(abs(high), 1.0))
    middle = (high + low) / 2
    points = [
        (
            round(100 * i / (len(values) - 1), 2),
            round(15 - 24 * (value - middle) / span, 2),
        )
        for i, value in enumerate(values)
    ]
    return Trend(
        label, told(values[-1]), before, " ".join(f"{x},{y}" for x, y in points), points[-1]
    )
