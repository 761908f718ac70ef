"""From the levels of pairs to their weights, with how rare the shared values are.

Pairs that land on the same levels with values of the same rarity weigh the same, so each such
pattern is weighed once.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

from kindred.identity import mixture, steps
from kindred.identity.components import IntArray
from kindred.identity.entity import Comparison, Entity
from kindred.identity.levels import LevelArray, encode
from kindred.identity.mixture import FloatArray, Model

_CLASSES = 128

ClassArray = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Patterns:
    """The distinct patterns of some pairs: levels, what rarity adds, and each pair's pattern."""

    levels: LevelArray
    rarity: dict[str, FloatArray]
    of_pair: IntArray


@dataclass(frozen=True)
class Scored:
    """Pairs of representatives, the level of each comparison, their weight, and whether they have
    too little in common to say anything."""

    left: IntArray
    right: IntArray
    levels: LevelArray
    weight: FloatArray
    silent: npt.NDArray[np.bool_]

    def where(self, kept: npt.NDArray[np.bool_]) -> Scored:
        """Some of them."""
        return Scored(
            self.left[kept], self.right[kept], self.levels[kept], self.weight[kept],
            self.silent[kept],
        )  # fmt: skip

    def told_apart(self, comparisons: tuple[Comparison, ...]) -> tuple[IntArray, IntArray]:
        """Pairs that differ in a field of which an entity has one value."""
        apart = np.zeros(len(self.left), dtype=bool)
        for i, comparison in enumerate(comparisons):
            if comparison.distinct:
                apart |= self.levels[:, i] == 0
        return self.left[apart], self.right[apart]

    def __add__(self, more: Scored) -> Scored:
        return Scored(
            np.concatenate([self.left, more.left]),
            np.concatenate([self.right, more.right]),
            np.concatenate([self.levels, more.levels]),
            np.concatenate([self.weight, more.weight]),
            np.concatenate([self.silent, more.silent]),
        )


def nothing_scored(width: int) -> Scored:
    """No pairs, of `width` comparisons."""
    none = np.empty(0, np.int64)
    return Scored(none, none, np.empty((0, width), np.int8), np.empty(0), np.empty(0, dtype=bool))


@dataclass(frozen=True)
class Weigher:
    """A model, and how rare the values of each representative are.

    classes: by field, for each representative how rare its value is, as `classes_of` tells it.
    size: the number of representatives, which numbers pairs; weights know it in steps.
    """

    model: Model
    entity: Entity
    comparisons: tuple[Comparison, ...]
    classes: dict[str, ClassArray]
    size: int

    def patterns(self, levels: LevelArray, left: IntArray) -> Patterns:
        """Sort pairs (levels, and the left of each) by pattern."""
        code = encode(levels, self.comparisons)
        tops = {c.field: (i, len(c.levels) - 1) for i, c in enumerate(self.comparisons)}
        for name, classes in self.classes.items():
            column, top = tops[name]
            same = levels[:, column] == top
            code = code * _CLASSES
            code[same] += classes[left[same]]
        _, first, of_pair = np.unique(code, return_index=True, return_inverse=True)
        rarity = {}
        for name, classes in self.classes.items():
            column, top = tops[name]
            same = levels[first, column] == top
            gain = np.zeros(len(first))
            said = classes[left[first[same]]].astype(float) / steps.PER_BIT
            gain[same] = np.log2(self.model.u[column][top]) + said
            rarity[name] = gain
        return Patterns(levels[first], rarity, of_pair)

    @property
    def start(self) -> float:
        """The weight of any two records before a field of theirs is looked at."""
        return mixture.starting_weight(
            self.model, self.entity.matches, steps.stepped_size(self.size)
        )

    def weigh(self, levels: LevelArray, left: IntArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """Weight (log2 odds) of each pair, and whether it has too little in common to say any."""
        if not len(left):
            return np.empty(0), np.empty(0, dtype=bool)
        found = self.patterns(levels, left)
        weight, _ = self.weigh_patterns(found)
        silent = mixture.says_nothing(self.model, self.start, found.levels, weight)
        return weight[found.of_pair], silent[found.of_pair]

    def weigh_patterns(
        self, found: Patterns, detail: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """The weight of each pattern, and with `detail` what each field and the start add."""
        return mixture.weigh(
            self.model, self.entity.matches, self.entity.others, steps.stepped_size(self.size),
            found.levels, found.rarity, detail,
        )  # fmt: skip


def rarity_classes(
    con: duckdb.DuckDBPyConnection, comparisons: tuple[Comparison, ...]
) -> dict[str, ClassArray]:
    """By field with rarity, the class of each representative's value; 0 where it has none."""
    classes = {}
    for comparison in comparisons:
        if comparison.rarity:
            holders = value_holders(con, comparison.field)
            classes[comparison.field] = classes_of(holders, int((holders > 0).sum()))
    return classes


def value_holders(con: duckdb.DuckDBPyConnection, field: str) -> IntArray:
    """How many representatives hold the value of each one; 0 where it has none."""
    found = con.execute(
        f"""
        with counted as (
            select {field} as value, count(*) as holders
            from fields
            where {field} is not null
            group by {field}
        )
        select coalesce(counted.holders, 0) as holders
        from fields
        left join counted on fields.{field} = counted.value
        order by fields.n
        """
    )
    return found.fetchnumpy()["holders"].astype(np.int64, copy=False)


def total_step(filled: int) -> int:
    """The step of how many fill a field, in quarters of a bit."""
    return int(steps.log2_of_counts(np.array(max(filled, 1)), steps.FILLED))


def classes_of(holders: IntArray, filled: int) -> ClassArray:
    """-log2 of the frequency of values, in quarters of a bit; 0 where there is no holder.

    holders: how many representatives hold each value; filled: how many fill the field. Few holders
    and those who fill the field come in steps of their own, so that a class changes only when one
    of the two crosses a border. Of many holders the share comes in steps.
    """
    rare = total_step(filled) - steps.log2_of_counts(holders, steps.HOLDERS)
    frequent = -steps.log2_of_parts(holders, filled, steps.HOLDERS)
    rarity = np.clip(np.where(holders < steps.FREQUENT, rare, frequent), 0, _CLASSES - 1)
    return np.where(holders > 0, rarity, 0).astype(np.uint8)
