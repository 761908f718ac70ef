"""Weights without labels: what kinds of pairs are there, and which kind is this one?

A plain Fellegi-Sunter model knows two kinds of pairs, matches and strangers, whose fields agree
independently. Life has more: neighbours share street, postcode and city at once; a household
shares last name, landline and address; a father and a son even the first name; and a person who
moved agrees on none of the three. Counting such agreements as independent evidence is what makes
one threshold wrong for the next data set. So the pairs are seen as a mixture of the kinds that the
entity's settings name, and expectation maximisation finds how many of each kind there are:

- strangers: every field agrees as often as among random pairs (u, measured, fixed), and there are
  as many of them as there are pairs of records at all;
- other kinds of non-matches: as strangers, but for the fields they share (learned);
- matches: agreement m (learned), one kind of which has moved.

The weight of a pair is the log2 odds that it is some kind of match. A kind that the data do not
hold gets a share of nearly nothing: one configuration serves all data sets.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from kindred.identity.entity import Comparison, PairKind

FloatArray = npt.NDArray[np.float64]

LEAST_U = 1e-7


@dataclass(frozen=True)
class Model:
    """What was learned of one entity's pairs.

    u, m, shared: by comparison (and kind), one probability per level, lowest level first.
    shares: expected number of pairs of each kind per record; `strangers` is implied by size.
    """

    fields: tuple[str, ...]
    u: tuple[FloatArray, ...]
    m: tuple[FloatArray, ...]
    kinds: dict[str, float]
    shared: dict[str, dict[str, FloatArray]]
    about: dict[str, Any] = field(default_factory=dict)


def of_fields(model: Model, fields: tuple[str, ...]) -> Model:
    """What the model knows of these fields alone, in this order."""
    place = [model.fields.index(name) for name in fields]
    shared = {
        kind: {name: x for name, x in tables.items() if name in fields}
        for kind, tables in model.shared.items()
    }
    return replace(
        model,
        fields=fields,
        u=tuple(model.u[i] for i in place),
        m=tuple(model.m[i] for i in place),
        shared=shared,
    )


def told_by_settings(comparison: Comparison) -> tuple[FloatArray, FloatArray]:
    """u and m of a field that no record fills: as the settings guess them."""
    guess = np.array([level.m for level in reversed(comparison.levels)])
    known = [level.by_chance for level in reversed(comparison.levels)]
    chance = np.array([share if share < 1 else LEAST_U for share in known])
    chance[0] = 1.0 - chance[1:].sum()
    return chance, guess / guess.sum()


def estimate_u(
    comparisons: tuple[Comparison, ...], levels: npt.NDArray[np.int8]
) -> list[FloatArray]:
    """How often strangers fall on each level, from random pairs; no level is impossible."""
    found = []
    for i, comparison in enumerate(comparisons):
        seen = levels[:, i]
        counts = np.bincount(seen[seen >= 0], minlength=len(comparison.levels)).astype(float)
        total = counts.sum()
        counts = counts + 0.5 * np.minimum(1.0, 1.0 / len(counts))
        found.append(np.maximum(counts / max(total + 0.5, 1.0), LEAST_U))
    return found


def weigh(
    model: Model,
    matches: tuple[PairKind, ...],
    others: tuple[PairKind, ...],
    size: float,
    levels: npt.NDArray[np.int8],
    rarity: dict[str, FloatArray],
    detail: bool = False,
) -> tuple[FloatArray, FloatArray]:
    """Weight (log2 odds of a match) of each pair, and what each field adds to it.

    size: how many records there are, which may be rounded.
    rarity: by field, log2(u of the level / frequency of the shared value) where both records hold
    the same value, else 0. The second array has one column a field and last the starting weight;
    its rows add up to the weight. It is empty unless `detail`.
    """
    names = model.fields
    log2 = np.log2
    strangers = log2(size * (size - 1) / 2)
    # Each sum over fields starts here: a value per pair also where no field is usable.
    nothing = np.zeros(len(levels))
    u_parts = [np.append(log2(model.u[i]), 0.0)[levels[:, i]] for i in range(len(names))]
    for i, name in enumerate(names):
        if name in rarity:
            u_parts[i] = u_parts[i] - rarity[name]
    m_parts = [np.append(log2(model.m[i]), 0.0)[levels[:, i]] for i in range(len(names))]
    against = [strangers + sum(u_parts, nothing)]
    tables_against = [u_parts]
    for kind in others:
        tables = [
            np.append(log2(np.maximum(model.shared[kind.name][name], LEAST_U)), 0.0)[levels[:, i]]
            if name in model.shared[kind.name]
            else _either(m_parts[i], u_parts[i], chance)
            for i, (name, chance) in enumerate(zip(names, kind.agreement(names), strict=True))
        ]
        against.append(log2(model.kinds[kind.name] * size) + sum(tables, nothing))
        tables_against.append(tables)
    in_favour = []
    tables_for = []
    for kind in matches:
        tables = [u_parts[i] if name in kind.shares else m_parts[i] for i, name in enumerate(names)]
        in_favour.append(log2(model.kinds[kind.name] * size) + sum(tables, nothing))
        tables_for.append(tables)
    total_for, share_for = _combine(in_favour)
    total_against, share_against = _combine(against)
    weight = total_for - total_against
    if not detail:
        return np.round(weight, 6), np.empty((0, 0))
    columns = []
    for i in range(len(names)):
        pro = sum(share * tables[i] for share, tables in zip(share_for, tables_for, strict=True))
        con = sum(
            share * tables[i] for share, tables in zip(share_against, tables_against, strict=True)
        )
        columns.append(np.round(np.asarray(pro - con), 6))
    rounded = np.round(weight, 6)
    columns.append(np.round(rounded - sum(columns), 6))
    return rounded, np.column_stack(columns)


def _either(agrees: FloatArray, stranger: FloatArray, chance: float) -> FloatArray:
    """log2 of a mixture: with this chance as a match, else as a stranger."""
    if chance in (0.0, 1.0):
        return agrees if chance else stranger
    return np.asarray(np.logaddexp2(np.log2(chance) + agrees, np.log2(1 - chance) + stranger))


def starting_weight(model: Model, matches: tuple[PairKind, ...], size: float) -> float:
    """log2 odds of a match of any two of `size` records, before a field of theirs is looked at."""
    pairs = np.log2(sum(model.kinds[kind.name] for kind in matches) * size)
    return float(pairs - np.log2(size * (size - 1) / 2))


# Evidence (log2) below which even a pair of few common fields speaks against a match.
CONTRADICTS = -3.0


def says_nothing(
    model: Model,
    start: float,
    levels: npt.NDArray[np.int8],
    weight: FloatArray,
) -> npt.NDArray[np.bool_]:
    """Pairs that have too little in common to be judged, and do not contradict each other.

    Even full agreement on the fields that both records fill could not make them a match, so their
    low weight is a lack of evidence, not evidence against. start: the starting weight.
    """
    possible = np.full(len(levels), start)
    for i in range(len(model.fields)):
        gain = max(float(np.log2(model.m[i][-1] / model.u[i][-1])), 0.0)
        possible += np.where(levels[:, i] >= 0, gain, 0.0)
    return np.asarray((possible < 0) & (weight - start > CONTRADICTS) & (weight < 0))


def _combine(logs: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
    stacked = np.stack(logs)
    peak = stacked.max(axis=0)
    parts = np.exp2(stacked - peak)
    total = parts.sum(axis=0)
    return peak + np.log2(total), parts / total
