"""How low the cut may lie, by how often the records of one entity contradict each other.

Where one person's records disagree as a rule, the mean weight between two parts of them is low
although they belong together. That shows without labels: in clusters formed carefully, pairs have
hardly more in common than strangers.
"""

from __future__ import annotations

import numpy as np

from kindred.identity.clusters import CERTAIN, SILENT, FloatArray
from kindred.identity.components import IntArray
from kindred.identity.entity import Entity

# The mean weight down to which clusters are merged to see how their pairs disagree.
CAREFUL = -1.0
# A pair with less evidence than this (log2, its weight without the starting weight) disagrees. The
# starting weight is left out as it hangs on how many records there are.
FAINT = 6.0
# The share of pairs that disagree where records are as clean as most, and how many pairs' worth of
# belief there is in it: a few clusters show nothing.
USUAL = 0.003
BELIEF = 3000.0


def disagreement(
    labels: IntArray, left: IntArray, right: IntArray, weight: FloatArray, start: float
) -> float:
    """The share of weighed pairs inside clusters of three or more that disagree.

    labels: the cluster of each node, formed down to CAREFUL; pairs are named once. start: the
    starting weight. A cluster of two holds no pair but the one that made it, and says nothing.
    """
    large = np.bincount(labels, minlength=len(labels))[labels] > 2
    inside = (labels[left] == labels[right]) & large[left] & (weight < CERTAIN) & (weight > SILENT)
    disagreeing = int((weight[inside] - start < FAINT).sum())
    return (disagreeing + USUAL * BELIEF) / (int(inside.sum()) + BELIEF)


def lowered(entity: Entity, cut: float, share: float) -> float:
    """The cut of `entity`'s settings or of its model, or a lower one as pairs disagree."""
    first, last = entity.disagreeing
    step = min(max((share - first) / (last - first), 0.0), 1.0)
    return round(min(cut, entity.cut + step * (entity.lowest_cut - entity.cut)), 3)
