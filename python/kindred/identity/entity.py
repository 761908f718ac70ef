"""The words in which the settings of an entity are written (see person.py and account.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class Level:
    """One degree of likeness of a field.

    condition: SQL over the columns `<field>_l` and `<field>_r`; must be symmetric.
    m: a first guess of how often true pairs land here; the data correct it, up to `most`.
    by_chance: how often strangers land here at most, where that is known of the world at large:
        data that hold few entities many times over cannot tell it.
    """

    name: str
    condition: str
    m: float
    most: float = 1.0
    by_chance: float = 1.0


@dataclass(frozen=True)
class Comparison:
    """How one field of two records is compared: the first level whose condition holds.

    field: the match field; where it is null on either side nothing is said.
    skip: a further condition under which nothing is said.
    rarity: whether an exact match of a rare value counts more (term frequency).
    holders_of: instead of comparing a field, look how many records hold the values of these fields
        that the pair shares; the conditions of the levels are least numbers of holders.
    unique: the value is meant to belong to one entity, so its frequency says nothing more.
    optional: few organisations hold the field, and how full it is says nothing of the others: a
        model that knows it also fits records without it.
    distinct: an entity has one such value: two records on the lowest level are kept apart at any
        remove, unless a steward joins them.
    errs_as: another field whose share of outright errors among matches bounds this one's, where
        relatives differ in this field and in nothing else; least_errors: no less than this.
    as_wrong: this field is another's at least as often, as a share of how often the other field is
        wrong: what no relative explains there, none need explain here.
    """

    field: str
    label: str
    levels: tuple[Level, ...]
    skip: str = ""
    rarity: bool = False
    unique: bool = False
    holders_of: tuple[str, ...] = ()
    optional: bool = False
    distinct: bool = False
    errs_as: str = ""
    least_errors: float = 0.002
    as_wrong: float = 0.0


@dataclass(frozen=True)
class PairKind:
    """A way in which two records can be related.

    shares: for a kind of non-match, the fields on which such pairs agree more than strangers do;
        for a kind of match, the fields on which they agree no more than strangers (a person who
        moved house).
    same: for a kind of non-match, the fields on which they agree as often as matches.
    at_times: fields on which that many of them (a share) agree as matches do, the rest as
        strangers: half the households have one landline.
    share: a first guess of how many pairs there are of it per record; most, least: what it may be
    at most and at least, where life knows better than the data at hand.
    akin: for a kind of non-match, how often such pairs agree outright on a shared field at most, as
        a share of how often matches do: without it nothing but the first guess tells kin from the
        same, and few records can turn the two around.
    told: for a kind of non-match, how often such pairs fall on a level of a field (field, level,
        share), where life knows better than the data at hand; the field's other levels share what
        is left. seldom: the same, as what is at most.
    """

    name: str
    shares: tuple[str, ...]
    share: float
    most: float = 1e9
    same: tuple[str, ...] = ()
    least: float = 1e-9
    akin: float = 1.0
    told: tuple[tuple[str, str, float], ...] = ()
    seldom: tuple[tuple[str, str, float], ...] = ()
    at_times: tuple[tuple[str, float], ...] = ()

    def agreement(self, fields: Iterable[str]) -> list[float]:
        """By field, how many of such pairs of a kind of non-match agree as matches do."""
        at_times = dict(self.at_times)
        return [1.0 if name in self.same else at_times.get(name, 0.0) for name in fields]


@dataclass(frozen=True)
class Rule:
    """A deterministic link: records equal in all `fields` are the same.

    unless: where the records of such a group differ in one of these fields, the rule is silent
    and the weighed fields decide: a father and a son share a name and a landline.
    """

    name: str
    fields: tuple[str, ...]
    unless: tuple[str, ...] = ()


# SQL of the value of a rule that has none but what its patterns look at.
NO_VALUE = "cast(null as text)"


@dataclass(frozen=True)
class JunkRule:
    """A value that is shared by more than `limit` distinct values of one of `names` never links.

    crowd: for values that many share by chance, how many times the mean number of holders it must
    have besides. patterns: the identifier type whose seeded patterns are used, where another.
    value: SQL of the value over the prepared columns; clears: the match fields that are emptied
    where it is junk; raw: SQL of what the patterns of this identifier type are held against.
    """

    identifier_type: str
    value: str
    raw: str
    clears: tuple[str, ...]
    names: tuple[str, ...]
    limit: int
    crowd: float = 0.0
    patterns: str = ""

    @property
    def is_by_pattern(self) -> bool:
        """Whether the value alone decides: it is what the patterns look at, and no names count."""
        return not self.names and self.value == NO_VALUE


@dataclass(frozen=True)
class Step:
    """A table of the way from `given` to the match fields, by SQL over those before it."""

    table: str
    sql: str


@dataclass(frozen=True)
class Shared:
    """Values that all records together tell, as a table of one column `value`.

    A value belongs to it by the rows of `source` that have it in column `value`, where they fulfil
    `where`, if together they fulfil `having`. reads: the column of a row by which what becomes of
    the row hangs on the table. columns: those named, which `prepared` has as well. grows: whether
    more rows never take a value out.
    """

    table: str
    source: str
    value: str
    where: str
    having: str
    reads: str
    columns: tuple[str, ...]
    grows: bool = False

    def sql(self, source: str, among: str = "true") -> str:
        """The values, from the rows of `source` that fulfil `among`."""
        return (
            f"select {self.value} as value from {source}"
            f" where {self.where} and {among} group by {self.value} having {self.having}"
        )


@dataclass(frozen=True)
class Entity:
    """All settings of an entity; `prepare` leads from `given` to the match fields (`prepared`)."""

    name: str
    inputs: tuple[str, ...]
    prepare: tuple[Step | Shared, ...]
    fields: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    blocking: tuple[tuple[str, ...], ...]
    matches: tuple[PairKind, ...]
    others: tuple[PairKind, ...]
    rules: tuple[Rule, ...]
    junk: tuple[JunkRule, ...]
    names: tuple[str, ...]
    # Records equal in every match field are one where one of these sets of fields is filled.
    identifying: tuple[tuple[str, ...], ...]
    # SQL over `l` and `r`: the names of two records with an equal strong identifier contradict.
    contradiction: str
    # Identifier types that are shared too loosely to link alone.
    weak_identifiers: tuple[str, ...]
    id_prefix: str
    # Clusters are merged while the mean weight between them is at least this. Below 0, the odds of
    # a single pair: that two records of one component belong together is likelier than of any two.
    cut: float = -2.0
    # By how much less will do where records err often: there the same person's records contradict
    # each other in some field as a rule, and a mean over pairs holds the same error many times.
    leniency: float = 0.0
    # Between which shares of pairs that disagree with their own cluster the cut goes down from the
    # one above to the lowest (see kindred.identity.leniency).
    disagreeing: tuple[float, float] = (0.005, 0.015)
    lowest_cut: float = -4.5
    # The candidate pairs that are always worth comparing, however few the records.
    least_pairs: int = 1_000_000
    # Columns of `prepared` beside the match fields in which exact doubles are alike as well: they
    # are compared, or pairs are proposed by them.
    told_apart_by: tuple[str, ...] = ()
    # Columns of `prepared` that are no part of a record's content.
    beside: tuple[str, ...] = ()
    # SQL of what follows from a record's own columns of `prepared`, junk emptied: helpers of
    # comparing and blocking. looked_up: of what only comparing needs, over those as `told` and what
    # `look_up` joins.
    derived: str = ""
    looked_up: str = ""
    look_up: str = ""
    # Small tables of the package that `prepare` joins, by name.
    tables: tuple[tuple[str, Callable[[], pa.Table]], ...] = ()

    @property
    def content(self) -> tuple[str, ...]:
        """The columns in which exact doubles are alike."""
        return (*self.fields, *self.told_apart_by)
