"""Which model weighs: the shipped one where it fits, one from a file, or one trained here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np

from kindred.errors import KindredError
from kindred.identity import learning, mixture, model_files, steps
from kindred.identity.components import IntArray
from kindred.identity.entity import Comparison, Entity
from kindred.identity.kept import KeyArray
from kindred.identity.levels import LevelArray, decode
from kindred.identity.mixture import FloatArray, Model
from kindred.identity.scoring import RANDOM_PAIRS, Scorer

SEED = 20260101
# Pairs by which to see whether strangers are alike as the shipped model says.
CHECKED_PAIRS = 60_000
TRAINED = "trained on these records"


def no_model(entity: Entity) -> Model:
    """What weighs where there is no pair to weigh."""
    return Model((), (), (), {k.name: k.share for k in (*entity.matches, *entity.others)}, {})


def is_trained(choice: str) -> bool:
    """Whether a model was trained on the records of the run, by why it was chosen."""
    return choice.startswith(TRAINED)


@dataclass(frozen=True)
class Seen:
    """What decides on the model.

    patterns: the distinct patterns of levels among the sampled candidate pairs. counts: how many of
    all candidate pairs have each. fill: the share of representatives that fill each field. size:
    how many representatives there are.
    """

    patterns: LevelArray
    counts: FloatArray
    fill: dict[str, float]
    size: int


@dataclass(frozen=True)
class Strangers:
    """By comparison, how often strangers fall on each level; counted only where it is asked for.

    to_check: of the pairs by which the shipped model is judged; to_train: of more, to train on.
    """

    to_check: Callable[[], list[FloatArray]]
    to_train: Callable[[], list[FloatArray]]


# By field, how many representatives fill it, and how many ordered pairs of them share its value
# (0 where that is not asked).
Totals = dict[str, tuple[int, int]]


def totals_of(con: duckdb.DuckDBPyConnection, comparisons: tuple[Comparison, ...]) -> Totals:
    """Count the values of table `fields`."""
    found = {}
    for comparison in comparisons:
        if comparison.holders_of:
            continue
        name = comparison.field
        asked = f"select count(*)::hugeint as c from fields where {name} is not null"
        if comparison.rarity or comparison.unique:
            asked += f" group by {name}"
        filled, pairs = con.execute(
            "select coalesce(sum(c), 0)::bigint, coalesce(sum(c * (c - 1)), 0)::bigint"
            f" from ({asked})"
        ).fetchall()[0]
        found[name] = (int(filled), int(pairs) if "group" in asked else 0)
    return found


def seen_of(
    codes: IntArray,
    comparisons: tuple[Comparison, ...],
    pairs_each: int,
    totals: Totals,
    size: int,
) -> Seen:
    """Count the patterns of a sample of the candidate pairs, each of which stands for so many.

    codes: the levels of each, as one number.
    """
    distinct, counts = np.unique(codes, return_counts=True)
    fill = {name: round(filled / max(size, 1), 4) for name, (filled, _) in totals.items()}
    return Seen(decode(distinct, comparisons), counts.astype(float) * pairs_each, fill, size)


def checked_strangers(scorer: Scorer, draw: KeyArray) -> tuple[IntArray, IntArray, LevelArray]:
    """The pairs by which the shipped model is checked, with their levels."""
    left, right = pairs_by_content(draw, CHECKED_PAIRS)
    return left, right, scorer.with_holders(scorer.compare(left, right), left)


def strangers_of(
    scorer: Scorer, size: int, checked: Callable[[], LevelArray], totals: Totals
) -> Strangers:
    """Strangers among so many representatives. checked: the levels of those to check by."""

    def told(levels: LevelArray) -> list[FloatArray]:
        return exact_u(scorer.comparisons, mixture.estimate_u(scorer.comparisons, levels), totals)

    def to_train() -> list[FloatArray]:
        left, right = random_pairs(size, SEED, RANDOM_PAIRS)
        return told(scorer.with_holders(scorer.compare(left, right), left))

    return Strangers(lambda: told(checked()), to_train)


def choose_model(
    entity: Entity,
    comparisons: tuple[Comparison, ...],
    seen: Seen,
    strangers: Strangers,
    asked: str,
) -> tuple[Model, str]:
    """The model to weigh with, and why it is this one.

    asked: auto, shipped, train, or the path of a file. `about` of a model that was not trained here
    says under `likely` how the fields agree in its likely matches.
    """
    fields = tuple(c.field for c in comparisons)
    if asked == "train":
        return _trained(entity, comparisons, seen, strangers), f"{TRAINED}, as asked"
    if asked != "auto":
        given, choice = _asked_for(entity, asked, fields)
        return _adapted(entity, comparisons, seen, given).beside(given), choice
    shipped = model_files.shipped(entity)
    if shipped is None:
        return _trained(entity, comparisons, seen, strangers), f"{TRAINED}: no model is shipped"
    optional = frozenset(c.field for c in entity.comparisons if c.optional)
    reason = model_files.other_records(shipped, fields, seen.fill, optional)
    if not reason:
        known = mixture.of_fields(shipped, fields)
        found = _adapted(entity, comparisons, seen, known, strangers.to_check())
        reason = model_files.misfit(known, comparisons, found.likely, found.strangers)
        if not reason:
            model = learning.in_steps(found.model, comparisons)
            return found.beside(model), "the shipped model: likely matches agree as it says"
    return _trained(entity, comparisons, seen, strangers), f"{TRAINED}: {reason}"


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


def _trained(
    entity: Entity, comparisons: tuple[Comparison, ...], seen: Seen, strangers: Strangers
) -> Model:
    learned = learning.learn(
        comparisons, entity.matches, entity.others, seen.size, strangers.to_train(), seen.patterns,
        seen.counts,
    )  # fmt: skip
    return replace(learned, about={**learned.about, "fill": seen.fill, "records": seen.size})


def _adapted(
    entity: Entity,
    comparisons: tuple[Comparison, ...],
    seen: Seen,
    model: Model,
    strangers: list[FloatArray] | None = None,
) -> learning.Adapted:
    return learning.adapt(
        model, comparisons, entity.matches, entity.others, seen.size,
        list(model.u) if strangers is None else strangers, seen.patterns, seen.counts,
    )  # fmt: skip


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


def exact_u(
    comparisons: tuple[Comparison, ...], u: list[FloatArray], totals: Totals
) -> list[FloatArray]:
    """How often strangers agree exactly can be counted; no sample sees it better."""
    found = []
    for comparison, guess in zip(comparisons, u, strict=True):
        if not (comparison.rarity or comparison.unique):
            found.append(guess)
            continue
        filled, pairs = totals[comparison.field]
        same = max(pairs / max(filled * (filled - 1), 1), mixture.LEAST_U)
        rest = guess[:-1] * (1 - same) / max(float(guess[:-1].sum()), mixture.LEAST_U)
        found.append(np.append(rest, same))
    return found


def pairs_by_content(draw: KeyArray, wanted: int) -> tuple[IntArray, IntArray]:
    """Pairs of strangers chosen by what the records hold: about `wanted`, or all where these are
    fewer.

    draw: a hash of each record's content. Records in the order of their hashes are neighbours by
    chance, so each is paired with the next, of few records with several: of many, a new one changes
    two pairs. Of records of one content, which are no strangers, one is taken; of many records,
    those of low hashes.
    """
    size = len(draw)
    if size * (size - 1) // 2 <= wanted:
        return random_pairs(size, SEED, wanted)
    low = np.flatnonzero(draw <= np.uint64((2**64 - 1) // steps.one_in(size, wanted)))
    row = low[np.unique(draw[low], return_index=True)[1]]
    # Of few records each is paired with several of the next.
    ahead = range(1, max(wanted // max(len(row), 1), 1) + 1)
    one = np.concatenate([row[:-step] for step in ahead])
    two = np.concatenate([row[step:] for step in ahead])
    return np.minimum(one, two), np.maximum(one, two)


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
