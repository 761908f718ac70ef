"""Coarse steps for what all records together determine: how many there are, how many hold a value.

A weight that moved a little with every record would have to be told anew for every pair after each
of them. In steps, a few records more hardly ever change one. The borders between steps are whole
numbers worked out exactly, so that no rounding of a logarithm decides.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from kindred.identity.components import IntArray
from kindred.identity.mixture import LEAST_U, FloatArray

# Logarithms are told in quarters of a bit; the widths of steps are whole numbers of these.
PER_BIT = 4
# Shares are known to a billionth, as models are kept.
_BILLION = 10**9
# 2**62 is more than there are records.
_MOST_BITS = 62
# A value that at least so many hold is as rare as its share says: where records of all kinds are
# added, its count grows with them, and its share stays.
FREQUENT = 64
# How wide the steps are, in quarters of a bit: of how many hold a value, how many fill a field and
# how many records there are, of pairs per record by kind, and of how often pairs share a name of so
# many holders.
HOLDERS = 4
FILLED = 2
SIZE = 2
KINDS = 4
NAMESAKES = 8


def log2_of_counts(counts: IntArray, width: int) -> IntArray:
    """log2 of whole numbers of at least 1, to the nearest step; in quarters of a bit."""
    return np.asarray(width * np.searchsorted(_borders(width, 1), counts, side="right"))


def log2_of_shares(shares: FloatArray, width: int) -> IntArray:
    """log2 of shares (pairs per record, probabilities), to the nearest step; in quarters of a bit.

    What is below a millionth counts as the lowest step.
    """
    parts = np.rint(np.asarray(shares) * _BILLION).astype(np.int64)
    lowest = _lowest(width)
    return np.asarray(
        width * (np.searchsorted(_borders(width, _BILLION), parts, side="right") + lowest)
    )


def log2_of_parts(counts: IntArray, total: int, width: int) -> IntArray:
    """log2 of the share that each count is of a total, to the nearest step; in quarters of a bit.

    counts: at least 1 and at most the total.
    """
    lowest = -(_MOST_BITS * PER_BIT // width)
    borders = np.array(_borders_from(lowest, 0, width, max(total, 1)), dtype=np.int64)
    return np.asarray(width * (np.searchsorted(borders, counts, side="right") + lowest))


def stepped_shares(shares: FloatArray, width: int) -> FloatArray:
    """Shares, each as the middle of its step."""
    return np.asarray(np.exp2(log2_of_shares(shares, width) / PER_BIT))


def stepped_size(size: int) -> float:
    """The number of records, as weights know it."""
    return float(2.0 ** (int(log2_of_counts(np.array(size), SIZE)) / PER_BIT))


def one_in(total: int, wanted: int) -> int:
    """The power of two of which taking one in so many leaves `wanted` of `total`, or up to twice
    as many; 1 where there are fewer."""
    return int(1 << max((total // wanted).bit_length() - 1, 0))


def _lowest(width: int) -> int:
    return math.floor(math.log2(LEAST_U) * PER_BIT / width)


@cache
def _borders(width: int, one: int) -> IntArray:
    """The least whole number of each step but the lowest, in parts of which `one` make 1."""
    first = 0 if one == 1 else _lowest(width)
    found = _borders_from(first, _MOST_BITS * PER_BIT // width, width, one)
    return np.array(found, dtype=np.int64)


def _borders_from(first: int, end: int, width: int, one: int) -> list[int]:
    """The borders above each of the steps from `first` to before `end`.

    Steps lie around whole multiples k of the width. A number n belongs above the border between k
    and k + 1 from n**8 = (2**((2k + 1) * width / 8) * one)**8 on.
    """
    found = []
    for k in range(first, end):
        power = (2 * k + 1) * width
        eighth = one**8 << power if power >= 0 else -(-(one**8) >> -power)
        for _ in range(3):
            eighth = math.isqrt(eighth - 1) + 1
        if eighth >= 2**_MOST_BITS:
            break
        found.append(eighth)
    return found
