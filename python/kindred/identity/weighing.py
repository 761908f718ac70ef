"""From the levels of pairs to their weights, with how rare the shared values are.

Pairs that land on the same levels with values of the same rarity weigh the same, so each such
pattern is weighed once.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

from kindred.identity import mixture
from kindred.identity.compared import encode
from kindred.identity.components import IntArray
from kindred.identity.entity import Comparison, Entity
from kindred.identity.mixture import FloatArray, Model
from kindred.identity.scoring import LevelArray

# A value's frequency is known to a quarter of a bit: what a record more or less changes is nothing.
STEPS_PER_BIT = 4
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

    classes: by field, for each representative -log2 of its value's frequency, in steps.
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
            said = classes[left[first[same]]].astype(float) / STEPS_PER_BIT
            gain[same] = np.log2(self.model.u[column][top]) + said
            rarity[name] = gain
        return Patterns(levels[first], rarity, of_pair)

    def weigh(self, levels: LevelArray, left: IntArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """Weight (log2 odds) of each pair, and whether it has too little in common to say any."""
        if not len(left):
            return np.empty(0), np.empty(0, dtype=bool)
        found = self.patterns(levels, left)
        weight, _ = mixture.weigh(
            self.model, self.entity.matches, self.entity.others, self.size, found.levels,
            found.rarity,
        )  # fmt: skip
        silent = mixture.says_nothing(
            self.model, self.entity.matches, self.size, found.levels, weight
        )
        return weight[found.of_pair], silent[found.of_pair]


def rarity_classes(
    con: duckdb.DuckDBPyConnection, comparisons: tuple[Comparison, ...]
) -> dict[str, ClassArray]:
    """By field with rarity: -log2 of the frequency of each representative's value, in steps."""
    classes = {}
    for comparison in comparisons:
        if not comparison.rarity:
            continue
        name = comparison.field
        classes[name] = (
            con.execute(
                f"""
            with counted as (
                select {name} as value, count(*) as holders
                from fields
                where {name} is not null
                group by {name}
            ),
            classed as (
                select
                    value,
                    least(round(-log2(holders / sum(holders) over ()) * {STEPS_PER_BIT}),
                        {_CLASSES - 1})::utinyint as class
                from counted
            )
            select coalesce(classed.class, 0) as class
            from fields
            left join classed on fields.{name} = classed.value
            order by fields.n
            """
            )
            .fetchnumpy()["class"]
            .astype(np.uint8, copy=False)
        )
    return classes
