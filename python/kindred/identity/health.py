"""How well the matching of a run hangs together, and how far its data lie from its model's.

Everything is counted from arrays that the run has at hand; nothing is compared anew.
"""

from __future__ import annotations

from typing import Literal

import duckdb
import numpy as np
import numpy.typing as npt

from kindred.identity import training
from kindred.identity.components import IntArray
from kindred.identity.entity import Comparison
from kindred.identity.mixture import Model
from kindred.identity.review import FIRM, Forest
from kindred.identity.scoring import LevelArray

Counts = list[tuple[str, str, float]]
FloatArray = npt.NDArray[np.float64]
Side = Literal["left", "right"]

SIZES = ("2", "3", "4", "5", "6-10", "11-25", "over 25")
_SIZE_ENDS = np.array([2.0, 3.0, 4.0, 5.0, 10.0, 25.0])
# Weights in bits: 10 is about a thousand to one.
STRENGTHS = ("below 0", "0 to 5", "5 to 10", "10 to 20", "over 20")
_STRENGTH_ENDS = np.array([0.0, 5.0, 10.0, 20.0])
CERTAIN = "certain"
PERCENTILES = (0, 5, 25, 50)
NOTHING = "nothing to compare"


def of_clusters(labels: IntArray, records: IntArray, forest: Forest) -> Counts:
    """What the published clusters hang on: metric name, dimension, value.

    labels, records: of each node, its cluster and how many records it stands for. Counted over
    clusters of at least two records: entities_by_weakest_link (by the weight of the weakest of the
    links that hold all together), weakest_link_percentile, bridges (weighed links that alone hold
    two parts together, by the size of the cluster), weak_bridges (those below 10 bits).
    """
    size = len(labels)
    total = np.bincount(labels, weights=records, minlength=size).astype(np.int64)
    held = labels[forest.left] == labels[forest.right]
    owner, weight = labels[forest.left[held]], forest.weight[held]
    weakest: FloatArray = np.full(size, np.inf)
    np.minimum.at(weakest, owner, weight)
    several = weakest[total > 1]
    weighed = np.sort(several[np.isfinite(several)])
    is_bridge = forest.is_bridge[held]
    certain = float(len(several) - len(weighed))
    found: Counts = [("entities_by_weakest_link", CERTAIN, certain)]
    found += _classed("entities_by_weakest_link", STRENGTHS, _STRENGTH_ENDS, weighed, "right")
    if len(weighed):
        found += [
            ("weakest_link_percentile", f"{share}", float(weighed[len(weighed) * share // 100]))
            for share in PERCENTILES
        ]
    found += _classed("bridges", SIZES, _SIZE_ENDS, total[owner[is_bridge]].astype(float), "left")
    found.append(("weak_bridges", "", float((weight[is_bridge] < FIRM).sum())))
    return found


def of_fields(
    con: duckdb.DuckDBPyConnection,
    comparisons: tuple[Comparison, ...],
    sample: LevelArray,
    model: Model,
) -> Counts:
    """How the fields are filled and agree, and how far that lies from the model's training.

    sample: levels of the candidate pairs that decide on the model. field_fill: share of the
    representatives that fill a field; drift_of_fill: by how much it is more than in training.
    level_share: share of the sampled pairs on each level; drift_of_levels: the share of likely
    matches that lie on other levels than in training (total variation distance), 0 where the model
    was trained on these records. A model without a note of its training drifts nowhere: no such
    rows.
    """
    fill = training.field_fill(con, comparisons)
    trained_fill = dict(model.about.get("fill", {}))
    likely = dict(model.about.get("likely", {}))
    found: Counts = [("field_fill", name, share) for name, share in fill.items()]
    found += [
        ("drift_of_fill", name, round(share - float(trained_fill[name]), 4))
        for name, share in fill.items()
        if name in trained_fill
    ]
    each = np.ones(len(sample))
    for i, comparison in enumerate(comparisons):
        shares = training.level_frequencies(sample[:, i], each, len(comparison.levels))
        names = [NOTHING, *(level.name for level in reversed(comparison.levels))]
        found += [
            ("level_share", f"{comparison.field}: {name}", share)
            for name, share in zip(names, shares, strict=True)
        ]
        if trained_fill:
            told = model.m[i]
            drift = 0.5 * float(np.abs(np.array(likely.get(comparison.field, told)) - told).sum())
            found.append(("drift_of_levels", comparison.field, round(drift, 4)))
    return found


def _classed(
    name: str, classes: tuple[str, ...], ends: FloatArray, values: FloatArray, side: Side
) -> Counts:
    """How many values fall into each class; on side right an end belongs to the class above it."""
    counts = np.bincount(np.searchsorted(ends, values, side=side), minlength=len(classes))
    return [(name, label, float(count)) for label, count in zip(classes, counts, strict=True)]
