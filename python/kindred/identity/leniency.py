"""How low the cut may lie, by how often the records of one entity contradict each other.

Where one person's records disagree as a rule, the mean weight between two parts of them is low
although they belong together. That shows without labels: in clusters formed carefully, pairs have
hardly more in common than strangers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kindred.identity.clusters import CERTAIN, SILENT, FloatArray
from kindred.identity.components import IntArray
from kindred.identity.entity import Entity

BoolArray = npt.NDArray[np.bool_]

# The mean weight down to which clusters are merged to see how their pairs disagree.
CAREFUL = -1.0
# A pair with less evidence than this (log2, its weight without the starting weight) disagrees. The
# starting weight is left out as it hangs on how many records there are.
FAINT = 6.0
# The share of pairs that disagree where records are as clean as most, and how many pairs' worth of
# belief there is in it: a few clusters show nothing.
USUAL = 0.003
BELIEF = 3000.0
# The cut comes in steps, so that a few more pairs hardly ever change it.
STEP = 0.5


def disagreeing(
    labels: IntArray, left: IntArray, right: IntArray, weight: FloatArray, start: float
) -> tuple[IntArray, BoolArray]:
    """The left nodes of the weighed pairs inside clusters of three or more; which pairs disagree.

    labels: the cluster of each node, formed down to CAREFUL; pairs are named once. start: the
    starting weight. A cluster of two holds no pair but the one that made it, and says nothing.
    """
    large = np.bincount(labels, minlength=len(labels))[labels] > 2
    inside = (labels[left] == labels[right]) & large[left] & (weight < CERTAIN) & (weight > SILENT)
    return left[inside], weight[inside] - start < FAINT


def disagreement(inside: int, disagree: int) -> float:
    """The share of pairs that disagree, by how many there are and how many do."""
    return (disagree + USUAL * BELIEF) / (inside + BELIEF)


def lowered(entity: Entity, cut: float, share: float) -> float:
    """The cut of `entity`'s settings or of its model, or a lower one as pairs disagree.

    It goes down from one to the other end in equal steps of about STEP.
    """
    first, last = entity.disagreeing
    steps = max(round((entity.cut - entity.lowest_cut) / STEP), 1)
    taken = round(min(max((share - first) / (last - first), 0.0), 1.0) * steps)
    return round(min(cut, entity.cut - taken * (entity.cut - entity.lowest_cut) / steps), 3)
