"""Why two records are not one: the decision that keeps them apart, or what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass

from kindred.identity.grounds import Group, Link, StewardDecision


@dataclass(frozen=True)
class Apart:
    """What keeps two records of different groups apart.

    reasons: sentences. pair: the two records compared directly. best: the strongest pair between
    the groups. chain: the links from one record to the other by way of `best`.
    """

    reasons: tuple[str, ...]
    pair: Link | None = None
    best: Link | None = None
    chain: tuple[Link, ...] = ()


def look_apart(left: Group, right: Group) -> Apart:
    """What the tables say of two groups that are not one."""
    forbidding = forbidden(left, right)
    return Apart(
        tuple(_told(decision) for decision in forbidding)
        or ("No chain of links connects them that outweighs what speaks against it.",)
    )


def forbidden(left: Group, right: Group) -> list[StewardDecision]:
    """The stewards' decisions in force that keep a record of one from one of the other."""
    names = [{record.record_id for record in group.records} for group in (left, right)]
    return [
        decision
        for decision in left.decisions
        if decision.decision == "cannot_link"
        and decision.is_in_force
        and any(decision.left in names[i] and decision.right in names[1 - i] for i in (0, 1))
    ]


def _told(decision: StewardDecision) -> str:
    return (
        f"A steward decided that {decision.left} and {decision.right} are not one,"
        " so nothing that belongs to one of them may join the other."
    )
