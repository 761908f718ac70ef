"""What differs between two states of identity, as plain values: counts, and a few examples."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

# What the marts call one of each entity.
ENTITIES = {"person": "customer", "account": "account"}
# Consent flags of `customers`.
FLAGS = (
    "can_email",
    "can_sms",
    "can_phone",
    "can_post",
    "can_personalise",
    "can_profile",
    "can_share_with_ads",
)


@dataclass(frozen=True)
class Side:
    """One of the two states: the marts' schema in the file, the run it stems from.

    is_masked: whether the file is the publication for everybody, which hides contact points.
    """

    name: str
    marts: str
    generation: int
    as_of: datetime
    overrides: str | None = None
    is_masked: bool = False


@dataclass(frozen=True)
class EntityChange:
    """What became of all customers, or of all accounts.

    Each one of the base is counted once: unchanged (the same set of records), merged (all its
    records are in one that also holds records of others), split (in several), merged_and_split
    (both), records_changed (records came or went, nothing else) or retired (none is left). Each of
    the candidate that holds no record of the base is new.

    merges, splits: how many of the candidate hold records of several of the base, and how many of
    the base have records in several of the candidate. records_moved: records in both whose id
    differs. unknown_ids: ids of the base that the candidate's id map does not know.
    """

    entity: str
    base: int
    candidate: int
    unchanged: int
    merged: int
    split: int
    merged_and_split: int
    records_changed: int
    retired: int
    new: int
    merges: int
    splits: int
    base_records: int
    candidate_records: int
    shared_records: int
    records_added: int
    records_gone: int
    records_moved: int
    unknown_ids: int


@dataclass(frozen=True)
class SegmentChange:
    """Members of a segment; base - joined - lost + gained + parted = candidate.

    gained, lost: members that came or went. joined: members that are now one with another member.
    parted: new ids of records that a member held before. base or candidate is None where the
    segment does not exist there.
    """

    segment: str
    entity: str
    base: int | None
    candidate: int | None
    gained: int
    lost: int
    joined: int
    parted: int

    @property
    def changed(self) -> int:
        """Members gained and lost."""
        return self.gained + self.lost


@dataclass(frozen=True)
class FlagChange:
    """Customers for whom a consent flag is true; gained and lost count customers of the base."""

    flag: str
    base: int
    candidate: int
    gained: int
    lost: int


@dataclass(frozen=True)
class ConsentGain:
    """Permissions that no customer of the base gave, or that one of them denied, now in force."""

    purpose: str
    channel: str
    permissions: int
    customers: tuple[str, ...]


@dataclass(frozen=True)
class Cause:
    """A link that joins (or, for a split, joined) records of different ones."""

    record_id_l: str
    record_id_r: str
    link_type: str
    rule: str
    match_weight: float | None


@dataclass(frozen=True)
class CauseTotal:
    """In how many merges a rule joins, or in how many splits it joined, records of several."""

    entity: str
    kind: str
    link_type: str
    rule: str
    count: int


@dataclass(frozen=True)
class Part:
    """A customer or account in an example, with the records that stay or come together."""

    entity_id: str
    records: int
    record_ids: tuple[str, ...]


@dataclass(frozen=True)
class Example:
    """A merge (entity_id is the candidate's, parts the base's) or a split (the other way round).

    ranked_by: records or money. money: revenue per currency of all that take part, in the base.
    """

    entity: str
    kind: str
    ranked_by: str
    entity_id: str
    records: int
    money: dict[str, Decimal]
    part_count: int
    parts: tuple[Part, ...]
    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class Diff:
    """Everything that differs."""

    base: Side
    candidate: Side
    entities: tuple[EntityChange, ...]
    segments: tuple[SegmentChange, ...]
    flags: tuple[FlagChange, ...]
    consent_gains: tuple[ConsentGain, ...]
    causes: tuple[CauseTotal, ...]
    examples: tuple[Example, ...]

    @property
    def consent_gained(self) -> int:
        """Permissions gained, over all purposes and channels."""
        return sum(gain.permissions for gain in self.consent_gains)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all differs."""
        return (
            all(c.unchanged == c.base == c.candidate and not c.records_moved for c in self.entities)
            and not any(
                s.changed + s.joined + s.parted or s.base != s.candidate for s in self.segments
            )
            and not any(f.gained + f.lost for f in self.flags)
            and not self.consent_gained
        )
