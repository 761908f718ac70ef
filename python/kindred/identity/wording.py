"""Evidence in plain words: odds, how strongly a field speaks, what a run did to an id."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kindred.identity.grounds import Change, FieldWeight, Link, StewardDecision

# Weights (powers of two) from which an agreement is that of a rare value, and up to which of a
# common one: fewer than one in 250, more than one in 16 hold it.
RARE = 8.0
COMMON = 4.0
MINUS = "\u2212"


def odds(weight: float) -> str:
    """Log2 odds in words: `about 8,700 to 1 that they are the same`."""
    if abs(weight) < 0.5:
        return "as likely the same as not"
    times = _times(abs(weight))
    return f"{times} that they are {'the same' if weight > 0 else 'not the same'}"


def _times(weight: float) -> str:
    if weight >= 30:
        return "more than a thousand million to 1"
    if weight >= 20:
        return "more than a million to 1"
    value = 2.0**weight
    if value < 10:
        return f"about {value:.1f}".removesuffix(".0") + " to 1"
    digits = 10 ** (int(math.log10(value)) - 1)
    return f"about {round(value / digits) * digits:,.0f} to 1"


def strength(weight: float) -> str:
    """How strongly a field speaks, and for which side."""
    size = abs(weight)
    if size < 0.05:
        return "says next to nothing"
    side = "for it" if weight > 0 else "against it"
    if size < 0.5:
        return f"hardly speaks {side}"
    if size < 2:
        return f"speaks a little {side}"
    if size < 4:
        return f"speaks clearly {side}"
    return f"speaks {'strongly' if size < 8 else 'very strongly'} {side}"


def finding(part: FieldWeight) -> str:
    """What was seen in a field: `the same rare last name`, `the birth date differs`."""
    if part.level == "same":
        if part.has_rarity and part.weight >= RARE:
            return f"the same rare {part.label}"
        if part.has_rarity and part.weight < COMMON:
            return f"the same, fairly common {part.label}"
        return f"the same {part.label}"
    if part.level == "different":
        return f"the {part.label} differs"
    if part.level:
        return f"{part.label}: {part.level}"
    return f"the {part.label} {'agrees' if part.weight > 0 else 'differs'}"


def starting_point(weight: float) -> str:
    """What is known before any field is looked at."""
    if weight < 0:
        return "starting odds: of two records like these, hardly any two are one"
    return "starting odds: pairs like these are more often one than look-alikes"


def reason(link: Link) -> str:
    """Why a link is there, in a few words."""
    if link.kind == "certain":
        return f"certain: {link.rule}"
    if link.kind == "steward":
        return "a steward decided that they are one"
    return f"weighed: {odds(link.weight or 0.0)}"


def happened(change: Change) -> str:
    """A change of ids as a sentence."""
    count = f"{change.record_count:,} record{'' if change.record_count == 1 else 's'}"
    if change.event == "created":
        return f"{change.to_id} was created with {count} ({change.cause})."
    if change.event == "merged":
        return f"{change.from_id} became one with {change.to_id}; {count} came along."
    if change.event == "split":
        return f"{count} of {change.from_id} went their own way as {change.to_id}."
    if change.event == "retired":
        return f"{change.from_id} was retired: {change.cause}."
    if change.from_id is None:
        return f"{count} joined {change.to_id} ({change.cause})."
    if change.to_id is None:
        return f"{count} left {change.from_id} ({change.cause})."
    return f"{count} moved from {change.from_id} to {change.to_id} ({change.cause})."


def decided(decision: StewardDecision) -> str:
    """A steward's decision as a sentence, without author and reason."""
    what = "are one" if decision.decision == "must_link" else "are not one"
    since = f" from {decision.valid_from}" if decision.valid_from else ""
    until = f" until {decision.valid_to}" if decision.valid_to else ""
    past = "" if decision.is_in_force else " (not in force now)"
    return f"{decision.left} and {decision.right} {what}{since}{until}{past}."


def points(values: Sequence[float], digits: int = 1) -> list[str]:
    """Numbers rounded so that what is shown adds up to the rounded sum, each off by one step at
    most; the first of `values` to take the difference is that with the largest rounding error."""
    unit = 10**digits
    exact = [value * unit for value in values]
    shown = [round(value) for value in exact]
    missing = round(sum(exact)) - sum(shown)
    step = 1 if missing > 0 else -1
    order = sorted(range(len(exact)), key=lambda i: (step * (shown[i] - exact[i]), i))
    for i in order[: abs(missing)]:
        shown[i] += step
    return [signed(value / unit, digits) for value in shown]


def signed(value: float, digits: int = 1) -> str:
    """`+3.1` or `-2.0`, the latter with a real minus sign."""
    return f"{value:+.{digits}f}".replace("-", MINUS)
