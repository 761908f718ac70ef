"""Which model weighs: the shipped one where it fits, one from a file, or one trained here."""

from __future__ import annotations

from dataclasses import replace
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


def no_model(entity: Entity) -> Model:
    """What weighs where there is no pair to weigh."""
    return Model((), (), (), {k.name: k.share for k in (*entity.matches, *entity.others)}, {})


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
    asked: auto, shipped, train, or the path of a file.
    """
    comparisons = scorer.comparisons
    codes, counts = np.unique(encode(levels, comparisons), return_counts=True)
    patterns = decode(codes, comparisons)
    counted = counts.astype(float) * pairs_each
    fill = field_fill(con, comparisons)
    frequencies = {
        c.field: level_frequencies(patterns[:, i], counted, len(c.levels))
        for i, c in enumerate(comparisons)
    }
    usable, choice = _given_model(entity, asked, fill, frequencies)
    if usable is not None:
        usable = mixture.of_fields(usable, tuple(frequencies))
    if usable is None:
        left, right = random_pairs(size, SEED)
        strangers = scorer.with_holders(scorer.compare(left, right), left)
        u = _exact_u(con, comparisons, mixture.estimate_u(comparisons, strangers))
        learned = learning.learn(
            comparisons, entity.matches, entity.others, size, u, patterns, counted
        )
        about = {**learned.about, "fill": fill, "levels": frequencies, "records": size}
        usable = replace(learned, about=about)
    return usable, choice


def _given_model(
    entity: Entity, model: str, fill: dict[str, float], levels: dict[str, list[float]]
) -> tuple[Model | None, str]:
    """The model to use as it is, or None where one is to be trained; and why."""
    optional = frozenset(c.field for c in entity.comparisons if c.optional)
    if model == "train":
        return None, "trained on these records, as asked"
    if model not in ("auto", "shipped"):
        found = model_files.load(Path(model), entity)
        if not _knows(found, levels, optional):
            raise KindredError(
                f"The model {model} compares other fields than these records fill.",
                "use --model auto, or train one on such records.",
            )
        return found, f"read from {Path(model).name}"
    shipped = model_files.shipped(entity)
    if shipped is None:
        return None, "trained on these records: no model is shipped"
    reason = model_files.misfit(shipped, fill, levels, optional)
    if model == "shipped":
        if not _knows(shipped, levels, optional):
            raise KindredError(f"The shipped model cannot be used: {reason}.", "use --model auto.")
        return shipped, "the shipped model, as asked"
    if reason:
        return None, f"trained on these records: {reason}"
    return shipped, "the shipped model: fill and level frequencies fit it"


def _knows(model: Model, levels: dict[str, list[float]], optional: frozenset[str]) -> bool:
    """Whether the model weighs all fields that are compared, and optional ones at most beside."""
    return set(levels) <= set(model.fields) <= set(levels) | optional


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
