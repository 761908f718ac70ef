"""Why two records are not one: the decision that keeps them apart, or what speaks against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kindred.identity.grounds import Group, Link, StewardDecision
from kindred.identity.link_tree import way
from kindred.identity.wording import odds, signed

if TYPE_CHECKING:
    from kindred.identity.live import Across
    from kindred.warehouse.database import Connection


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


def look_apart(con: Connection, left: Group, right: Group, pair: tuple[str, str]) -> Apart:
    """Why the records `pair`, one of each group, are not one.

    Decisions are read from the tables; the weights are those the last run would give, where the
    database holds what it compared.
    """
    from kindred.identity.live import across

    forbidding = tuple(_told(decision) for decision in forbidden(left, right))
    names = [[record.record_id for record in group.records] for group in (left, right)]
    found = across(con, left.entity, names[0], names[1], pair)
    if found is None:
        return Apart(
            forbidding
            or (
                "No chain of links connects them that outweighs what speaks against it. This "
                "database does not hold what was compared, as it is compared now: ask the working "
                "one for the weights, after a build.",
            )
        )
    reasons = forbidding or (weighed_reason(found, is_held_back(con, left, right)),)
    best = found.best
    if best is None:
        return Apart(reasons, found.pair)
    chain = (*way(left.links, pair[0], best.left), best, *way(right.links, best.right, pair[1]))
    return Apart(reasons, found.pair, best, chain)


def weighed_reason(found: Across, is_held: bool) -> str:
    """In one sentence, why their weights did not make two groups one."""
    count = f"{found.pairs:,} pair{'' if found.pairs == 1 else 's'} of records"
    cut = signed(found.cut)
    if found.best is None or found.mean is None or found.best.weight is None:
        return f"They have too little in common to be judged: none of {count} can tell."
    weight = found.best.weight
    if weight < found.cut:
        return (
            f"They do not agree enough: of {count} across, the one that speaks for it most stands "
            f"at {signed(weight)} points, {odds(weight)}; {cut} would be needed."
        )
    if found.mean < found.cut:
        return (
            f"Some of their records are alike (at best {signed(weight)} points), but the others "
            f"contradict them: over {count} across, the mean is {signed(found.mean)}; {cut} would "
            "be needed."
        )
    if found.sources:
        return (
            f"Both hold a record of {found.sources[0]}, which is said to hold everybody once, so "
            "they stay two whatever else agrees."
        )
    if is_held:
        return (
            "They would be one, but the group is too large and too loose to be published before "
            "a steward has looked at it."
        )
    if not found.is_proposed:
        return (
            "They were never compared: they agree in none of the combinations of fields that make "
            f"a pair worth comparing. Weighed now they stand at {signed(found.mean)} points."
        )
    return (
        f"On their own they would be one (mean {signed(found.mean)} points, {cut} needed), but "
        "each of them agrees better with other records, and together these speak against it."
    )


def is_held_back(con: Connection, left: Group, right: Group) -> bool:
    """Whether a group that holds records of either was held back for review."""
    from kindred.warehouse.database import has_relation

    if not has_relation(con, "kindred", "identity_review_queue"):
        return False
    base = "customer" if left.entity == "person" else "account"
    rows = con.execute(
        f"""
        select count(*)
        from kindred.identity_review_queue
        where reason like 'held back%'
            and {base}_id_l in (?, ?)
            and {base}_id_r in (?, ?)
        """,
        [left.id, right.id, left.id, right.id],
    ).fetchall()
    return bool(rows[0][0])


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
