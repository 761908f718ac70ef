"""The levels of a pair as one number."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kindred.identity.components import IntArray
from kindred.identity.entity import Comparison

LevelArray = npt.NDArray[np.int8]


def encode(levels: LevelArray, comparisons: tuple[Comparison, ...]) -> IntArray:
    """The levels of each pair as one number, in mixed radix."""
    code = np.zeros(len(levels), dtype=np.int64)
    for i, comparison in enumerate(comparisons):
        code = code * (len(comparison.levels) + 1) + levels[:, i] + 1
    return code


def decode(code: IntArray, comparisons: tuple[Comparison, ...]) -> LevelArray:
    """The levels that `encode` was given."""
    levels = np.empty((len(code), len(comparisons)), dtype=np.int8)
    rest = code
    for i in range(len(comparisons) - 1, -1, -1):
        rest, level = np.divmod(rest, len(comparisons[i].levels) + 1)
        levels[:, i] = level - 1
    return levels
