"""The size guard: a large cluster is published only where its records hold together closely.

Size alone says little. A customer of many years may have three hundred records that agree
throughout; a hundred strangers may be chained by one weak link after another. So a cluster of more
records than the limit is grouped once more, strictly: its certain parts (rules, stewards, exact
doubles) are weighed against each other by all pairs between them, and a pair that was never
compared or has too little in common to be judged counts against. Where
one group then holds nearly all of the records, the cluster is published as it is. Otherwise it is
held back: only its certain parts are published, and the links between them wait for a steward.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from kindred.errors import KindredError
from kindred.identity.clusters import CERTAIN
from kindred.identity.components import IntArray, components
from kindred.identity.grouping import Bonds, regroup

FloatArray = npt.NDArray[np.float64]

# Clusters of more records than this must hold together closely.
LARGEST = {"person": 100, "account": 500}
# The share of its records that must hold together: a loose fringe does not make a large customer
# suspicious.
SHARE = 0.8


def largest_of(setting: Any, entity: str) -> int:
    """The limit of an entity as the var identity_largest_cluster gives it; its default if unset.

    setting: a mapping of entity to number, or that mapping as text, as dbt renders it.
    """
    given = yaml.safe_load(setting) if isinstance(setting, str) else setting
    if not given:
        return LARGEST[entity]
    problem = KindredError(
        "vars.identity_largest_cluster does not say a number of records per entity.",
        "write it as {person: 100, account: 500}.",
    )
    if not isinstance(given, Mapping) or set(given) - set(LARGEST):
        raise problem
    limit: Any = given.get(entity, LARGEST[entity])
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 2:
        raise problem
    return int(limit)


def hold_back(
    labels: IntArray,
    left: IntArray,
    right: IntArray,
    weight: FloatArray,
    records: IntArray,
    largest: int,
    cut: float,
) -> IntArray:
    """The clusters that are published: `labels`, the suspicious ones split into certain parts.

    left, right, weight: every judged pair, with its certain, silent and forbidden ones as
    `clusters.cluster` reads them. records: records of each node. A label is the smallest node.
    """
    counts = np.bincount(labels, weights=records, minlength=len(labels))
    large = np.flatnonzero(counts > largest)
    closely = regroup(labels, large, left, right, weight, cut, Bonds(), strict=True)
    held = np.bincount(closely, weights=records, minlength=len(labels))
    best = np.zeros(len(labels))
    np.maximum.at(best, labels, held[closely])
    loose = np.zeros(len(labels), dtype=bool)
    loose[large] = best[large] < SHARE * counts[large]
    sure = (weight >= CERTAIN) & loose[labels[left]] & (labels[left] == labels[right])
    parts = components(len(labels), left[sure], right[sure])
    return np.where(loose[labels], parts, labels)
