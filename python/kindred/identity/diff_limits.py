"""Limits of a diff: how much may change before a change of matching is stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from kindred.errors import KindredError
from kindred.identity.diff_changes import Diff, EntityChange

VARIABLE = "identity_diff_limits"
# Name of the limit -> what it bounds, for messages and pages.
NAMES: Mapping[str, str] = {
    "merged": "merged",
    "split": "split",
    "moved": "moved to another id",
    "segment_change": "members gained and lost",
    "consent_gained": "permissions that nobody gave",
}
_NOUNS = {"person": "customers", "account": "accounts"}


@dataclass(frozen=True)
class Limit:
    """The most that may change: a number, or (is_share) percent of what there was."""

    amount: Decimal
    is_share: bool

    def is_passed(self, changed: int, total: int) -> bool:
        """Whether `changed` of `total` is more than the limit allows."""
        if not self.is_share:
            return changed > self.amount
        return changed * 100 > self.amount * total

    def __str__(self) -> str:
        return f"{self.amount.normalize():f}{'%' if self.is_share else ''}"


@dataclass(frozen=True)
class Verdict:
    """One limit held against one thing: customers, accounts, a segment, or consent."""

    limit: str
    subject: str
    changed: int
    total: int
    allowed: Limit
    is_passed: bool

    def __str__(self) -> str:
        share = f" ({share_of(self.changed, self.total)})" if self.total else ""
        of = f" of {self.total:,}" if self.total else ""
        return (
            f"{self.subject}: {self.changed:,}{of} {NAMES[self.limit]}{share}; "
            f"at most {self.allowed} may be"
        )


def parse_limit(value: Any, where: str) -> Limit | None:
    """Read `0.5%`, `12` or null (no limit); KindredError naming `where` for anything else."""
    if value is None or value == "":
        return None
    text = str(value).strip()
    is_share = text.endswith("%")
    try:
        amount = Decimal(text.removesuffix("%").strip())
    except InvalidOperation:
        amount = Decimal("NaN")
    is_fine = amount.is_finite() and amount >= 0 and not isinstance(value, bool)
    if is_fine and is_share:
        is_fine = amount <= 100
    elif is_fine:
        is_fine = amount == amount.to_integral_value()
    if not is_fine:
        raise KindredError(
            f"{where} is neither a share nor a number: {text}.",
            "write a share from 0% to 100%, as 0.5%, or a whole number, as 20.",
        )
    return Limit(amount, is_share)


def read_limits(variables: Mapping[str, Any], given: Mapping[str, str | None]) -> dict[str, Limit]:
    """The limits in force: those `given` on the command line over those of the project's vars.

    variables: the project's, of which `identity_diff_limits` is read. given: name -> text or None.
    """
    declared = variables.get(VARIABLE) or {}
    if not isinstance(declared, Mapping):
        raise KindredError(
            f"vars.{VARIABLE} is not a mapping of limits.", "write one a line, as `merged: 1%`."
        )
    unknown = sorted(str(name) for name in declared if name not in NAMES)
    if unknown:
        raise KindredError(
            f"vars.{VARIABLE} holds a limit that does not exist: {', '.join(unknown)}.",
            f"choose from: {', '.join(NAMES)}.",
        )
    limits: dict[str, Limit] = {}
    for name in NAMES:
        text = given.get(name)
        option = f"--max-{name.replace('_', '-')}"
        limit = (
            parse_limit(text, option)
            if text is not None
            else parse_limit(declared.get(name), f"vars.{VARIABLE}, {name},")
        )
        if limit is None:
            continue
        if name == "consent_gained" and limit.is_share:
            raise KindredError(
                f"The limit {name} is a share: {limit}.", "write a whole number, as 0."
            )
        limits[name] = limit
    return limits


def judge(diff: Diff, limits: Mapping[str, Limit]) -> tuple[Verdict, ...]:
    """Every limit held against everything it bounds, those passed first."""
    found: list[Verdict] = []

    def hold(limit: str, subject: str, changed: int, total: int) -> None:
        if limit in limits:
            allowed = limits[limit]
            is_passed = allowed.is_passed(changed, total)
            found.append(Verdict(limit, subject, changed, total, allowed, is_passed))

    for change in diff.entities:
        noun = _NOUNS[change.entity]
        hold("merged", noun, merged_count(change), change.base)
        hold("split", noun, split_count(change), change.base)
        hold("moved", f"records of {noun}", change.records_moved, change.shared_records)
    for segment in diff.segments:
        # A segment that only one side has was added or removed, not changed by matching.
        if segment.base is not None and segment.candidate is not None:
            hold(
                "segment_change",
                f"segment {segment.segment}",
                segment.changed,
                segment.base or segment.candidate,
            )
    hold("consent_gained", "consent", diff.consent_gained, 0)
    return tuple(sorted(found, key=lambda verdict: not verdict.is_passed))


def merged_count(change: EntityChange) -> int:
    """Customers or accounts that merged with another, whether or not they split as well."""
    return change.merged + change.merged_and_split


def split_count(change: EntityChange) -> int:
    """Customers or accounts that split, whether or not a part of them merged as well."""
    return change.split + change.merged_and_split


def share_of(count: int, total: int) -> str:
    """`1.4%`; two digits more where a small share would read as none."""
    if not total:
        return ""
    share = Decimal(count) * 100 / Decimal(total)
    digits = 1 if share == 0 or share >= Decimal("0.1") else 3
    return f"{share:.{digits}f}%"
