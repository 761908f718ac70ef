"""Why records are one, or are not, in plain English; the facts come from kindred.identity.grounds.

`explain` gathers, `as_text` tells in lines for a terminal, kindred.identity.explanation_page
draws a page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kindred.errors import KindredError, harmless
from kindred.identity import grounds, past
from kindred.identity.apart import Apart, look_apart
from kindred.identity.grounds import Group, Link
from kindred.identity.link_tree import way
from kindred.identity.wording import decided, finding, happened, odds, reason, strength
from kindred.project import Profile

MOST_LINKS = 50


@dataclass(frozen=True)
class Explanation:
    """The answer to a question about one customer or account, or about two records.

    groups: one, or two where the records are not the same. pair: the records asked about.
    chain: the links that lead from one to the other, one where they are linked directly.
    apart: how the pair compares, where it is not one. cut: the weight from which groups are one.
    """

    groups: tuple[Group, ...]
    run: int
    moment: str
    pair: tuple[str, str] | None = None
    chain: tuple[Link, ...] = ()
    apart: Apart | None = None
    cut: float = 0.0

    @property
    def with_values(self) -> bool:
        """Whether it holds personal values."""
        return any(record.values for group in self.groups for record in group.records)


def explain(
    place: Path | Profile,
    names: Sequence[str],
    *,
    with_values: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Explanation:
    """Explain two records, one record, customer or account, or the widest customer for no name.

    place: the working database, a file of DuckDB or the target of a profile. tell: told what
    takes long.
    """
    with grounds.opened(place) as con:
        run, moment = grounds.last_run(con)
        if len(names) == 2:
            one, two = names
            if one == two:
                raise KindredError(
                    "The two records are the same one.", "name two different records."
                )
            (entity, owner), (other, owner_too) = (grounds.owner_of(con, x) for x in names)
            if entity != other:
                raise KindredError(
                    "One is a record of a person, the other of a company.",
                    "name two records of people, or two of companies.",
                )
            groups = tuple(
                grounds.group_of(con, name, with_values=with_values)
                for name in dict.fromkeys((owner, owner_too))
            )
            cut = grounds.cut_of(con, entity)
            if len(groups) == 2:
                tell("weighing their records against each other")
                apart = look_apart(con, *groups, (one, two))
                return Explanation(groups, run, moment, (one, two), apart.chain, apart, cut)
            chain = tuple(way(groups[0].links, one, two))
            return Explanation(groups, run, moment, (one, two), chain, cut=cut)
        name = names[0] if names else grounds.widest_customer(con)
        if ":" in name:
            _, name = grounds.owner_of(con, name)
        group = grounds.group_of(con, name, with_values=with_values)
        return Explanation((group,), run, moment, cut=grounds.cut_of(con, group.entity))


def as_text(found: Explanation) -> list[str]:
    """The explanation as lines for a terminal, which keys from sources cannot steer."""
    if found.apart is not None:
        lines = _apart(found, found.apart)
    elif found.pair is not None:
        lines = _pair(found, found.pair)
    else:
        lines = _entity(found.groups[0])
    return [harmless(line) for line in lines]


def _pair(found: Explanation, pair: tuple[str, str]) -> list[str]:
    owner = found.groups[0]
    lines = [f"{pair[0]} and {pair[1]} both belong to {owner.id}."]
    direct = [link for link in owner.links if link.ends == frozenset(pair)]
    if direct:
        return lines + [text for link in direct for text in _told(link)]
    lines.append(f"No direct link joins them; {len(found.chain)} links lead from one to the other:")
    return lines + [text for link in found.chain for text in _told(link)]


def _entity(group: Group) -> list[str]:
    if not group.records:
        return [
            f"{group.asked} is retired: all its records are gone from the sources.",
            *(f"  run {change.generation}: {happened(change)}" for change in group.changes),
        ]
    lines = [f"{group.asked} was merged into {group.id}."] if group.is_merged else []
    count = len(group.records)
    lines.append(f"{group.id} has {count} record{'' if count == 1 else 's'}:")
    lines += [f"  {record.record_id}" for record in group.records]
    if group.links:
        lines.append("They are one because:")
    for link in group.links[:MOST_LINKS]:
        lines += _told(link)
    if len(group.links) > MOST_LINKS:
        lines.append(f"... and {len(group.links) - MOST_LINKS} more links.")
    if group.decisions:
        lines.append("Stewards decided:")
        lines += [f"  {decided(decision)}" for decision in group.decisions]
    return lines


def _apart(found: Explanation, apart: Apart) -> list[str]:
    one, two = found.pair or ("", "")
    lines = [
        f"{one} and {two} are not the same:"
        f" they belong to {found.groups[0].id} and {found.groups[1].id}.",
        *(f"  {text}" for text in apart.reasons),
    ]
    if apart.pair is not None:
        lines += ["Compared with each other:", *_told(apart.pair)]
    if apart.best is not None and apart.best != apart.pair:
        lines += ["The pair of their records that agrees best:", *_told(apart.best)]
    if len(apart.chain) > 1:
        lines.append("The best chain from one to the other:")
        for link in apart.chain:
            lines.append(f"- {link.left} = {link.right}")
            lines.append(f"    {reason(link)}")
    return lines


def _told(link: Link) -> list[str]:
    lines = [f"- {link.left} = {link.right}"]
    if link.weight is None:
        return [*lines, f"    {reason(link)}"]
    lines.append(f"    weight {link.weight:+.2f}: {odds(link.weight)}")
    for part in sorted(link.fields, key=lambda item: (-abs(item.weight), item.field)):
        if part.weight:
            lines.append(f"    {part.weight:+7.2f}  {finding(part)}: {strength(part.weight)}")
    lines.append(
        f"    {link.start:+7.2f}  that any two records are one, and how often such pairs are not"
    )
    return lines


def told_as_of(place: Path | Profile, names: Sequence[str], generation: int) -> list[str]:
    """Lines that say where each record belonged, or what an id held, after a past run."""
    if not names:
        raise KindredError(
            "--as-of-generation asks about nobody.", "name a record, or a customer or account id."
        )
    with grounds.opened(place) as con:
        return [harmless(text) for name in names for text in past.told(con, name, generation)]
