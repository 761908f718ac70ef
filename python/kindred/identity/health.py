"""How well the matching of a run hangs together, and how far its data lie from its model's.

Everything is counted from arrays that the run has at hand; nothing is compared anew.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kindred.identity import training
from kindred.identity.components import IntArray
from kindred.identity.entity import Comparison
from kindred.identity.kept import CLUSTERS, KeyArray
from kindred.identity.mixture import Model
from kindred.identity.review import FIRM, Forest

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


def by_cluster(
    labels: IntArray, records: IntArray, forest: Forest, component: KeyArray
) -> pa.Table:
    """What each cluster of at least two records hangs on (columns: kindred.identity.kept.CLUSTERS).

    labels, records, component: of each node, its cluster, how many records it stands for and the
    component it lies in. weakest: the weight of the weakest of the links that hold all together,
    null where none is needed. bridges: weighed links that alone hold two parts together;
    weak_bridges: those below 10 bits.
    """
    size = len(labels)
    total = np.bincount(labels, weights=records, minlength=size).astype(np.int64)
    held = labels[forest.left] == labels[forest.right]
    owner, weight = labels[forest.left[held]], forest.weight[held]
    weakest: FloatArray = np.full(size, np.inf)
    np.minimum.at(weakest, owner, weight)
    is_bridge = forest.is_bridge[held]
    bridges = np.bincount(owner[is_bridge], minlength=size)
    weak = np.bincount(owner[is_bridge & (weight < FIRM)], minlength=size)
    several = np.flatnonzero(total > 1)
    return pa.table(
        {
            "component": component[several],
            "records": total[several],
            "weakest": pa.array(weakest[several], mask=np.isinf(weakest[several])),
            "bridges": bridges[several],
            "weak_bridges": weak[several],
        },
        schema=pa.schema(list(CLUSTERS.items())),
    )


def no_clusters() -> pa.Table:
    """`by_cluster` without any."""
    return pa.table({name: pa.nulls(0, kind) for name, kind in CLUSTERS.items()})


def of_clusters(clusters: pa.Table) -> Counts:
    """What the published clusters hang on, from `by_cluster`: metric name, dimension, value.

    entities_by_weakest_link (by the weight of the weakest link), weakest_link_percentile, bridges
    (by the size of the cluster), weak_bridges.
    """
    weighed = np.sort(clusters["weakest"].drop_null().to_numpy())
    certain = float(clusters.num_rows - len(weighed))
    found: Counts = [("entities_by_weakest_link", CERTAIN, certain)]
    found += _classed("entities_by_weakest_link", STRENGTHS, _STRENGTH_ENDS, weighed, "right")
    if len(weighed):
        found += [
            ("weakest_link_percentile", f"{share}", float(weighed[len(weighed) * share // 100]))
            for share in PERCENTILES
        ]
    bridged = np.repeat(clusters["records"].to_numpy(), clusters["bridges"].to_numpy())
    found += _classed("bridges", SIZES, _SIZE_ENDS, bridged.astype(float), "left")
    found.append(("weak_bridges", "", float(clusters["weak_bridges"].to_numpy().sum())))
    return found


def of_fields(
    comparisons: tuple[Comparison, ...],
    seen: training.Seen,
    model: Model,
) -> Counts:
    """How the fields are filled and agree, and how far that lies from the model's training.

    seen: what decided on the model. field_fill: share of the representatives that fill a field;
    drift_of_fill: by how much it is more than in training. level_share: share of the sampled pairs
    on each level; drift_of_levels: the share of likely matches that lie on other levels than in
    training (total variation distance), 0 where the model was trained on these records. A model
    without a note of its training drifts nowhere: no such rows.
    """
    trained_fill = dict(model.about.get("fill", {}))
    likely = dict(model.about.get("likely", {}))
    found: Counts = [("field_fill", name, share) for name, share in seen.fill.items()]
    found += [
        ("drift_of_fill", name, round(share - float(trained_fill[name]), 4))
        for name, share in seen.fill.items()
        if name in trained_fill
    ]
    for i, comparison in enumerate(comparisons):
        shares = training.level_frequencies(
            seen.patterns[:, i], seen.counts, len(comparison.levels)
        )
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
