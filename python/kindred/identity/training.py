"""Which model weighs: the shipped one where it fits, one from a file, or one trained here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np

from kindred.errors import KindredError
from kindred.identity import learning, mixture, model_files
from kindred.identity.compared import decode, encode
from kindred.identity.components import IntArray
from kindred.identity.entity import Comparison, Entity
from kindred.identity.mixture import FloatArray, Model
from kindred.identity.scoring import RANDOM_PAIRS, LevelArray, Scorer

SEED = 20260101
# Random pairs by which to see whether strangers are alike as the shipped model says.
CHECKED_PAIRS = 60_000


def no_model(entity: Entity) -> Model:
    """What weighs where there is no pair to weigh."""
    return Model((), (), (), {k.name: k.share for k in (*entity.matches, *entity.others)}, {})


@dataclass(frozen=True)
class _Seen:
    """What a run knows of its pairs when it chooses: patterns of levels among the candidates, how
    many pairs have each, and the share of records that fill each field."""

    scorer: Scorer
    patterns: LevelArray
    counts: FloatArray
    fill: dict[str, float]
    size: int

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(c.field for c in self.scorer.comparisons)


def choose_model(
    con: duckdb.DuckDBPyConnection,
    entity: Entity,
    scorer: Scorer,
    levels: LevelArray,
    pairs_each: int,
    size: int,
    asked: str,
) -> tuple[Model, str]:
    """The model to weigh with, and why it is this one.

    levels: of a sample of the candidate pairs, each of which stands for `pairs_each`.
    asked: auto, shipped, train, or the path of a file. `about` of a model that was not trained here
    says under `likely` how the fields agree in its likely matches.
    """
    codes, counts = np.unique(encode(levels, scorer.comparisons), return_counts=True)
    seen = _Seen(
        scorer,
        decode(codes, scorer.comparisons),
        counts.astype(float) * pairs_each,
        field_fill(con, scorer.comparisons),
        size,
    )
    if asked == "train":
        return _trained(con, entity, seen), "trained on these records, as asked"
    if asked != "auto":
        given, choice = _asked_for(entity, asked, seen.fields)
        return _adapted(entity, seen, given).beside(given), choice
    shipped = model_files.shipped(entity)
    if shipped is None:
        return _trained(con, entity, seen), "trained on these records: no model is shipped"
    optional = frozenset(c.field for c in entity.comparisons if c.optional)
    reason = model_files.other_records(shipped, seen.fields, seen.fill, optional)
    if not reason:
        known = mixture.of_fields(shipped, seen.fields)
        strangers = _random_levels(con, seen, CHECKED_PAIRS)
        found = _adapted(entity, seen, known, strangers)
        reason = model_files.misfit(known, scorer.comparisons, found.likely, found.strangers)
        if not reason:
            return found.beside(found.model), "the shipped model: likely matches agree as it says"
    return _trained(con, entity, seen), f"trained on these records: {reason}"


def cut_of(entity: Entity, comparisons: tuple[Comparison, ...], model: Model) -> float:
    """The mean weight down to which clusters are merged, by how dirty the model finds records."""
    return round(entity.cut - entity.leniency * learning.dirt(comparisons, model.m), 3)


def _asked_for(entity: Entity, asked: str, fields: tuple[str, ...]) -> tuple[Model, str]:
    """The shipped model or that of a file, as it is; KindredError where it cannot weigh."""
    optional = frozenset(c.field for c in entity.comparisons if c.optional)
    if asked != "shipped":
        found = model_files.load(Path(asked), entity)
        if not _knows(found, fields, optional):
            raise KindredError(
                f"The model {asked} compares other fields than these records fill.",
                "use --model auto, or train one on such records.",
            )
        return mixture.of_fields(found, fields), f"read from {Path(asked).name}"
    shipped = model_files.shipped(entity)
    if shipped is None:
        raise KindredError(f"No model of {entity.name} is shipped.", "use --model auto.")
    if not _knows(shipped, fields, optional):
        reason = model_files.other_records(shipped, fields, {}, optional)
        raise KindredError(f"The shipped model cannot be used: {reason}.", "use --model auto.")
    return mixture.of_fields(shipped, fields), "the shipped model, as asked"


def _trained(con: duckdb.DuckDBPyConnection, entity: Entity, seen: _Seen) -> Model:
    learned = learning.learn(
        seen.scorer.comparisons, entity.matches, entity.others, seen.size,
        _random_levels(con, seen, RANDOM_PAIRS), seen.patterns, seen.counts,
    )  # fmt: skip
    return replace(learned, about={**learned.about, "fill": seen.fill, "records": seen.size})


def _adapted(
    entity: Entity, seen: _Seen, model: Model, strangers: list[FloatArray] | None = None
) -> learning.Adapted:
    return learning.adapt(
        model, seen.scorer.comparisons, entity.matches, entity.others, seen.size,
        list(model.u) if strangers is None else strangers, seen.patterns, seen.counts,
    )  # fmt: skip


def _random_levels(con: duckdb.DuckDBPyConnection, seen: _Seen, pairs: int) -> list[FloatArray]:
    """How often random pairs fall on each level of each field."""
    left, right = random_pairs(seen.size, SEED, pairs)
    levels = seen.scorer.with_holders(seen.scorer.compare(left, right), left)
    comparisons = seen.scorer.comparisons
    return _exact_u(con, comparisons, mixture.estimate_u(comparisons, levels))


def _knows(model: Model, fields: tuple[str, ...], optional: frozenset[str]) -> bool:
    """Whether the model weighs all fields that are compared, and optional ones at most beside."""
    return set(fields) <= set(model.fields) <= set(fields) | optional


def with_optional(model: Model, entity: Entity) -> Model:
    """The model, with what the settings say of optional fields that its records did not fill.

    So a model trained on records without registration numbers also weighs those that have them.
    """
    missing = [c for c in entity.comparisons if c.optional and c.field not in model.fields]
    told = {c.field: mixture.told_by_settings(c) for c in missing}
    u = dict(zip(model.fields, model.u, strict=True)) | {name: x[0] for name, x in told.items()}
    m = dict(zip(model.fields, model.m, strict=True)) | {name: x[1] for name, x in told.items()}
    names = tuple(c.field for c in entity.comparisons if c.field in m)
    return replace(
        model, fields=names, u=tuple(u[name] for name in names), m=tuple(m[name] for name in names)
    )


def level_frequencies(levels: LevelArray, counts: FloatArray, size: int) -> list[float]:
    """The share of pairs on each of the `size` levels, first of those that say nothing."""
    sums = np.bincount(levels + 1, weights=counts, minlength=size + 1)
    return [round(float(x), 4) for x in sums / max(sums.sum(), 1.0)]


def field_fill(
    con: duckdb.DuckDBPyConnection, comparisons: tuple[Comparison, ...]
) -> dict[str, float]:
    """The share of representatives that fill each field."""
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


def random_pairs(size: int, seed: int, wanted: int = RANDOM_PAIRS) -> tuple[IntArray, IntArray]:
    """Pairs of strangers: a seeded sample, or all pairs where there are few."""
    every = size * (size - 1) // 2
    if every <= wanted:
        left, right = np.triu_indices(size, 1)
        return left.astype(np.int64), right.astype(np.int64)
    rng = np.random.default_rng(seed)
    draws = int(np.ceil(wanted * 1.1))
    one, two = rng.integers(0, size, draws), rng.integers(0, size, draws)
    left, right = np.minimum(one, two), np.maximum(one, two)
    keys = np.unique((left * size + right)[left < right])
    rng.shuffle(keys)
    keys = np.sort(keys[:wanted])
    return keys // size, keys % size
