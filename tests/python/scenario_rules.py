"""The named rules that identity scenarios depend on, and how each is disabled.

A rule of matching lives in the settings of an entity, in the reference lists or in a function of
`kindred.identity`. The rules that live in SQL are those of scenario_sql_rules.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pytest

from kindred.identity import clusters, records, stewardship
from kindred.identity.account import ACCOUNT
from kindred.identity.components import components
from kindred.identity.entity import Comparison, Entity, Level, Step
from kindred.identity.person import PERSON
from kindred.identity.reference import Reference, load_reference

Patch = tuple[Any, str, Any]
JUNK_LIMITS = {"email": 6, "phone": 6, "address": 40}


@dataclass(frozen=True)
class Matching:
    """What the matching of a run is set to; patches: attributes that are replaced meanwhile."""

    person: Entity
    account: Entity
    reference: Reference
    junk_limits: dict[str, int]
    decisions: tuple[str, ...] = ("must_link", "cannot_link")
    with_identifiers: bool = True
    patches: tuple[Patch, ...] = ()

    def entity(self, name: str) -> Entity:
        """The settings of person or account."""
        return self.person if name == "person" else self.account

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Hold the patches while the block runs."""
        with pytest.MonkeyPatch.context() as patch:
            for target, name, value in self.patches:
                patch.setattr(target, name, value)
            yield


def as_shipped() -> Matching:
    """The matching with every rule in force."""
    return Matching(PERSON, ACCOUNT, load_reference(), JUNK_LIMITS)


Disable = Callable[[Matching], Matching]


def _without_evidence(name: str) -> Disable:
    """A field that says nothing: not compared, in no rule and no double."""

    def disable(given: Matching) -> Matching:
        entity = given.person
        return replace(
            given,
            person=replace(
                entity,
                comparisons=_silenced(entity.comparisons, name),
                rules=tuple(r for r in entity.rules if name not in r.fields),
                identifying=tuple(f for f in entity.identifying if name not in f),
            ),
        )

    return disable


def _silenced(comparisons: tuple[Comparison, ...], *names: str) -> tuple[Comparison, ...]:
    return tuple(replace(c, skip="true") if c.field in names else c for c in comparisons)


def _without_rule(entity: str, name: str) -> Disable:
    def disable(given: Matching) -> Matching:
        settings = given.entity(entity)
        assert name in {r.name for r in settings.rules}, f"{entity} has no rule '{name}'"
        kept = tuple(r for r in settings.rules if r.name != name)
        return _with(given, entity, rules=kept)

    return disable


def _with(given: Matching, entity: str, **changes: Any) -> Matching:
    changed = replace(given.entity(entity), **changes)
    return replace(given, person=changed) if entity == "person" else replace(given, account=changed)


def _without_unless(entity: str) -> Disable:
    def disable(given: Matching) -> Matching:
        rules = tuple(replace(r, unless=()) for r in given.entity(entity).rules)
        return _with(given, entity, rules=rules)

    return disable


def _without_level(field: str, level: str) -> Disable:
    """A degree of likeness that never holds."""

    def disable(given: Matching) -> Matching:
        def never(one: Level) -> Level:
            return replace(one, condition="false") if one.name == level else one

        found = [c for c in given.person.comparisons if c.field == field]
        assert found and level in {one.name for one in found[0].levels}, f"no level '{level}'"
        return _with(
            given,
            "person",
            comparisons=tuple(
                replace(c, levels=tuple(never(one) for one in c.levels), skip="")
                if c.field == field
                else c
                for c in given.person.comparisons
            ),
        )

    return disable


def _without_kind(entity: str, kind: str) -> Disable:
    """A kind of non-match that no pair is taken for."""

    def disable(given: Matching) -> Matching:
        others = given.entity(entity).others
        assert kind in {k.name for k in others}, f"no kind '{kind}'"
        return _with(given, entity, others=tuple(k for k in others if k.name != kind))

    return disable


def _prepare(entity: str, old: str, new: str) -> Disable:
    """Other SQL in the preparation of match fields."""

    def disable(given: Matching) -> Matching:
        settings = given.entity(entity)
        steps = tuple(
            replace(step, sql=step.sql.replace(old, new)) if isinstance(step, Step) else step
            for step in settings.prepare
        )
        helpers = {
            name: getattr(settings, name).replace(old, new) for name in ("derived", "looked_up")
        }
        found = _with(given, entity, prepare=steps, **helpers)
        assert found != given, f"the preparation of {entity} does not hold: {old}"
        return found

    return disable


def _macro(old: str, new: str) -> Disable:
    """Other SQL in the macros that spell values alike."""

    def disable(given: Matching) -> Matching:
        text = records._MACROS
        assert old in text, f"the macros do not hold: {old}"
        return replace(given, patches=((records, "_MACROS", text.replace(old, new)),))

    return disable


def _without_list(name: str) -> Disable:
    """A reference list that names nothing that anybody has."""

    def disable(given: Matching) -> Matching:
        table = given.reference[name]
        nothing = pa.table({c: ["no such value"] for c in table.column_names})
        return replace(given, reference={**given.reference, name: nothing})

    return disable


def _without_decision(kind: str) -> Disable:
    def disable(given: Matching) -> Matching:
        return replace(given, decisions=tuple(k for k in given.decisions if k != kind))

    return disable


def _connected_components(
    size: int, left: Any, right: Any, weight: Any, cut: float, *_: Any, **__: Any
) -> Any:
    """Clusters of old: whoever is linked by any likely pair is one."""
    likely = weight >= cut
    return components(size, left[likely], right[likely])


MATCHING_RULES: dict[str, Disable] = {
    "phones are evidence": _without_evidence("phone"),
    "emails are evidence": _without_evidence("email"),
    "birth dates are evidence": _without_evidence("birth"),
    "first names are evidence": lambda m: _with(
        m, "person", comparisons=_silenced(m.person.comparisons, "given")
    ),
    "names are evidence": lambda m: _with(
        m, "person", comparisons=_silenced(m.person.comparisons, "given", "family", "namesakes")
    ),
    "same name and email": _without_rule("person", "same name and email"),
    "same name and phone": _without_rule("person", "same name and phone"),
    "same name, birth date and postcode": _without_rule(
        "person", "same name, birth date and postcode"
    ),
    "another birth date silences a rule": _without_unless("person"),
    "strong identifiers link": lambda m: replace(m, with_identifiers=False),
    "weak identifiers do not link": lambda m: _with(m, "person", weak_identifiers=("email",)),
    "contradicting names silence an identifier": lambda m: _with(
        m, "person", contradiction="false"
    ),
    "equal in too little is not a double": lambda m: _with(
        m, "person", identifying=(("record_id",),)
    ),
    "doubles are one": lambda m: _with(m, "person", identifying=(m.person.fields,)),
    "nicknames": _without_list("nicknames"),
    "a typo in a birth date": _without_level("birth", "one typo, or day and month swapped"),
    "swapped names": lambda m: _without_level("given", "names swapped, one not quite the same")(
        _without_level("given", "names swapped")(
            _with(
                m,
                "person",
                comparisons=tuple(
                    replace(c, skip="") if c.field == "family" else c for c in m.person.comparisons
                ),
            )
        )
    ),
    "a part of a double surname": _without_level("family", "part of a double name"),
    "a company is no name": _prepare(
        "person", "), false) as is_company", ") and false, false) as is_company"
    ),
    "a mailbox may spell the name": _prepare(
        "person", "when given is null and family is null", "when false"
    ),
    "a comma turns the name around": _prepare("person", "contains(full_name, ',')", "false"),
    "accents do not count": _macro("strip_accents(", "("),
    "titles do not count": _macro("|junior|senior)$')\n", "|junior|senior)$') and false\n"),
    "a phone is its last nine digits": _macro(", 'g'), '0'), 9), '')", ", 'g'), ''), 15), '')"),
    "patterns of junk": _without_list("junk_patterns"),
    "a value of too many names is junk": lambda m: replace(
        m, junk_limits=dict.fromkeys(m.junk_limits, 0)
    ),
    "a household is no match": _without_kind("person", "one household"),
    "clusters hold on the average": lambda m: replace(
        m, patches=((clusters, "cluster", _connected_components),)
    ),
    "a must-link joins": _without_decision("must_link"),
    "a cannot-link keeps apart": _without_decision("cannot_link"),
    "a cannot-link holds through other records": lambda m: replace(
        m, patches=((stewardship, "honour", lambda labels, *_: labels),)
    ),
    "legal forms do not count": _without_list("legal_suffixes"),
    "a mail provider is no domain": _without_list("freemail_domains"),
    "another registration number silences a rule": _without_unless("account"),
    "different registration numbers hold through other records": lambda m: _with(
        m,
        "account",
        comparisons=tuple(replace(c, distinct=False) for c in m.account.comparisons),
    ),
    "companies of one group at one address are no match": _without_kind(
        "account", "one group at one address"
    ),
    "same company name and phone": _without_rule("account", "same name and phone"),
    "same registration number and name": _without_rule(
        "account", "same registration number and name"
    ),
    "same name, street and postcode": _without_rule("account", "same name, street and postcode"),
}
