"""How a system sees a person: what was typed in, left out, misspelt or shared with others."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindred.sample import pools
from kindred.sample.arrays import (
    Array,
    Rng,
    Text,
    blank,
    cat,
    chance,
    changed,
    digits,
    filled,
    grouped,
    mistype,
    mistype_digits,
    pick,
    weighted,
    where,
    words,
)
from kindred.sample.people import AS_OF, DAY, Companies, People, nicknames, without_accents


@dataclass(frozen=True)
class Habits:
    """How a source captures people; all shares between 0 and 1.

    emails: weights of the private, second, work and shared (family, info@) address. phones: weights
    of the mobile, land line, own desk and switchboard. office: share of addresses that are the
    employer's. old: share of the records made before a move or a wedding.
    """

    email: float
    phone: float
    address: float
    birth: float
    emails: tuple[float, float, float, float] = (0.9, 0.06, 0.02, 0.02)
    phones: tuple[float, float, float, float] = (0.85, 0.15, 0.0, 0.0)
    name: float = 0.99
    office: float = 0.0
    old: float = 0.25
    nickname: float = 0.1
    initial: float = 0.03
    typo: float = 0.025
    swap: float = 0.01
    accents: float = 0.8
    junk: float = 0.004
    email_typo: float = 0.012


@dataclass(frozen=True)
class Captured:
    """The rows a source holds about people; `person` is the hidden truth."""

    person: Array
    first: Text
    last: Text
    full: Text
    email: Text
    phone: Text
    mobile: Text
    street: Text
    city: Text
    region: Text
    postcode: Text
    country: Text
    country_code: Text
    birth: Text
    company: Text
    company_index: Array
    title: Text
    created: Array
    updated: Array

    def take(self, index: Array) -> Captured:
        """The rows at `index`."""
        wanted = pa.array(index)
        return replace(
            self,
            **{
                f.name: (v[index] if isinstance(v, np.ndarray) else v.take(wanted))
                for f in fields(self)
                for v in [getattr(self, f.name)]
            },
        )


def members(pop: People, rng: Rng, share: float | Array, among: Array | None = None) -> Array:
    """The people a source knows: about `share` of those in `among`, the outgoing ones sooner."""
    chosen = chance(rng, pop.count, np.clip(share * pop.breadth, 0.0, 0.97))
    if among is not None:
        chosen &= among
    return np.flatnonzero(chosen)


def again(rng: Rng, rows: Array, share: float) -> Array:
    """The rows with a share of them once more: a person entered twice."""
    return np.concatenate([rows, rows[chance(rng, len(rows), share)]])


def copied(rng: Rng, seen: Captured, share: float) -> Captured:
    """The rows with a share of them copied to the letter, as imports do; then shuffled."""
    index = np.concatenate(
        [np.arange(len(seen.person)), np.flatnonzero(chance(rng, len(seen.person), share))]
    )
    rng.shuffle(index)
    return seen.take(index)


def observe(pop: People, rng: Rng, rows: Array, habits: Habits) -> Captured:
    """What a source with these habits holds about the people in `rows`, one record each."""
    size = len(rows)
    old = chance(rng, size, habits.old)
    first, last = _names(pop, rng, rows, habits, old)
    created = (pop.start[rows] + rng.random(size) ** 2 * (pop.end[rows] - pop.start[rows])).astype(
        np.int64
    )
    updated = np.minimum(created + (rng.exponential(90 * DAY, size)).astype(np.int64), AS_OF - 60)
    company = np.where(
        chance(rng, size, 0.7) & (pop.next_company[rows] >= 0),
        pop.next_company[rows],
        pop.company[rows],
    )
    place = _addresses(pop, rng, rows, habits, old, company)
    phone = _phones(pop, rng, rows, habits, company)
    email = _emails(pop, rng, rows, habits)
    birth = _births(pop, rng, rows, habits)
    email, phone = _reachable(pop, rng, rows, email, phone, filled(birth) | filled(place["street"]))
    full = words(first, last)
    full = where(
        chance(rng, size, 0.03) & filled(first) & filled(last), cat(last, ", ", first), full
    )
    return Captured(
        person=rows,
        first=first,
        last=last,
        full=full,
        email=email,
        phone=phone,
        mobile=blank(
            render_phone(pop.mobile[rows], pop.locale[rows], rng),
            ~chance(rng, size, habits.phone * 0.45),
        ),
        **place,
        birth=birth,
        company=company_names(pop.companies, rng, company),
        company_index=company,
        title=pop.title.take(pa.array(rows)),
        created=created,
        updated=updated,
    )


def _names(pop: People, rng: Rng, rows: Array, habits: Habits, old: Array) -> tuple[Text, Text]:
    size = len(rows)
    names = pop.names
    first = names.first.take(pa.array(pop.first[rows]))
    nick = nicknames(rng, names, pop.first[rows])
    first = where(chance(rng, size, habits.nickname) & filled(nick), nick, first)
    # people keep to one form: a third of them are known by their short name nearly everywhere
    known = (pop.first * 31 + np.arange(pop.count) * 17) % 10 == 0
    first = where(known[rows] & filled(nick) & chance(rng, size, 0.6), nick, first)
    letter = pc.utf8_slice_codeunits(first, 0, 1)
    initial = chance(rng, size, habits.initial)
    first = where(initial, where(chance(rng, size, 0.5), cat(letter, "."), letter), first)
    middle = pick(list("ABCDEFGJKLMPRST"), (np.arange(pop.count) * 7 % 15)[rows])
    first = where(chance(rng, size, 0.02) & ~initial, cat(first, " ", middle, "."), first)
    maiden = pop.maiden[rows]
    current = names.last.take(pa.array(pop.last[rows]))
    before = pick(names.last, maiden)
    last = where((maiden >= 0) & old, before, current)
    last = where((maiden >= 0) & chance(rng, size, 0.06), cat(before, "-", current), last)
    second = pick(names.last, np.where(chance(rng, size, 0.45), pop.second_last[rows], -1))
    last = words(last, second)
    first = mistype(first, chance(rng, size, habits.typo), rng)
    last = mistype(last, chance(rng, size, habits.typo * 1.3), rng)
    bare = ~chance(rng, size, habits.accents)
    first, last = changed(first, bare, without_accents), changed(last, bare, without_accents)
    swap = chance(rng, size, habits.swap)
    first, last = where(swap, last, first), where(swap, first, last)
    shout = rng.random(size)
    first = changed(changed(first, shout < 0.03, pc.utf8_upper), shout > 0.96, pc.utf8_lower)
    last = changed(changed(last, shout < 0.035, pc.utf8_upper), shout > 0.965, pc.utf8_lower)
    first = changed(first, chance(rng, size, 0.008), lambda v: cat(" ", v, "  "))
    junk = chance(rng, size, habits.junk * 0.5)
    first = where(junk, pick(pools.JUNK_NAMES, rng.integers(0, len(pools.JUNK_NAMES), size)), first)
    gone = ~chance(rng, size, habits.name)
    return blank(first, gone | chance(rng, size, 0.01)), blank(
        last, gone | chance(rng, size, 0.008)
    )


def _reachable(
    pop: People, rng: Rng, rows: Array, email: Text, phone: Text, described: Array
) -> tuple[Text, Text]:
    """Nearly every record gets something to know its person by: no system keeps a mere name."""
    size = len(rows)
    own = pop.email.take(pa.array(rows))
    usual = np.asarray(
        pc.fill_null(pc.equal(pc.utf8_lower(email), own), False).to_numpy(zero_copy_only=False)
    )
    nothing = ~filled(email) & ~filled(phone) & ~described
    email = where(nothing & chance(rng, size, 0.95), own, email)
    weak = ~nothing & ~usual & ~filled(phone) & ~described
    mobile = render_phone(pop.mobile[rows], pop.locale[rows], rng)
    return email, where(weak & chance(rng, size, 0.7), mobile, phone)


def _emails(pop: People, rng: Rng, rows: Array, habits: Habits) -> Text:
    size = len(rows)
    index = pa.array(rows)
    kind = weighted(rng, habits.emails, size)
    private = pop.email.take(index)
    second = pc.coalesce(pop.second_email.take(index), private)
    work = pc.coalesce(pop.work_email.take(index), private)
    role = pick(["info", "office", "contact"], (pop.company[rows] * 7) % 3)
    desk = cat(role, "@", pick(pop.companies.domain, pop.company[rows]))
    shared = pc.coalesce(desk, pop.family_email.take(index), private)
    email = where(kind == 0, private, where(kind == 1, second, where(kind == 2, work, shared)))
    gmail = np.asarray(pc.ends_with(email, "@gmail.com").to_numpy(zero_copy_only=False))

    def tagged(part: Text) -> Text:
        tag = pick(["+shop", "+news", "+promo", "+spam"], rng.integers(0, 4, len(part)))
        return cat(pc.replace_substring(part, "@gmail.com", ""), tag, "@gmail.com")

    def dotted(part: Text) -> Text:
        bare = pc.replace_substring(pc.replace_substring(part, "@gmail.com", ""), ".", "")
        return cat(
            pc.utf8_slice_codeunits(bare, 0, 2), ".", pc.utf8_slice_codeunits(bare, 2), "@gmail.com"
        )

    email = changed(email, gmail & chance(rng, size, 0.035), tagged)
    email = changed(email, gmail & chance(rng, size, 0.035), dotted)
    slip = chance(rng, size, habits.email_typo)
    email = changed(
        email, slip & gmail, lambda v: pc.replace_substring(v, "@gmail.com", "@gmial.com")
    )
    email = mistype(email, slip & ~gmail, rng)
    case = rng.random(size)
    email = changed(email, case < 0.03, pc.utf8_upper)
    email = changed(email, (case > 0.03) & (case < 0.07), pc.utf8_capitalize)
    email = changed(email, case > 0.99, lambda v: cat(" ", v, " "))
    broken = chance(rng, size, 0.0025)
    email = changed(email, broken, lambda v: pc.replace_substring(v, "@", " at "))
    junk = pick(
        pools.JUNK_EMAILS, (rng.random(size) ** 2 * len(pools.JUNK_EMAILS)).astype(np.int64)
    )
    email = where(chance(rng, size, habits.junk), junk, email)
    return blank(email, ~chance(rng, size, habits.email))


def _phones(pop: People, rng: Rng, rows: Array, habits: Habits, company: Array) -> Text:
    size = len(rows)
    kind = weighted(rng, habits.phones, size)
    mobile = np.where(
        (pop.old_mobile[rows] > 0) & chance(rng, size, 0.3), pop.old_mobile[rows], pop.mobile[rows]
    )
    landline = np.where(pop.landline[rows] > 0, pop.landline[rows], mobile)
    switchboard = np.where(company >= 0, pop.companies.phone[company], mobile)
    direct = np.where(
        pop.direct[rows] > 0, pop.direct[rows], np.where(company >= 0, switchboard, mobile)
    )
    number = np.choose(kind, [mobile, landline, direct, switchboard])
    at_work = (kind >= 2) & (company >= 0)
    locale = np.where(at_work, pop.companies.locale[company], pop.locale[rows])
    phone = render_phone(number, locale, rng)
    phone = mistype_digits(phone, chance(rng, size, 0.01), rng)
    phone = changed(phone, at_work & chance(rng, size, 0.03), lambda v: cat(v, " ext. 12"))
    junk = pick(
        pools.JUNK_PHONES, (rng.random(size) ** 2 * len(pools.JUNK_PHONES)).astype(np.int64)
    )
    phone = where(chance(rng, size, habits.junk * 1.5), junk, phone)
    return blank(phone, ~chance(rng, size, habits.phone))


def render_phone(number: Array, locale: Array, rng: Rng) -> Text:
    """National numbers as people type them: +49 …, 0049…, with dots, brackets or nothing."""
    style = weighted(rng, (0.3, 0.25, 0.17, 0.18, 0.06, 0.04), len(number))

    def one(group: int, rows: Array) -> Text:
        where_, how = divmod(group, 6)
        code = pools.LOCALES[where_]
        calling = str(pools.CALLING_CODES[where_])
        plain = digits(number[rows])
        parts = []
        at = 0
        groups = pools.PHONE_GROUPS[code]
        for index, width in enumerate(groups):
            stop = None if index == len(groups) - 1 else at + width
            parts.append(pc.utf8_slice_codeunits(plain, at, stop))
            at += width
        american = code in ("US", "CA")
        trunk = "" if american or code == "ES" else "0"
        prefix = pa.scalar("+" + calling)
        if how == 0:
            return words(prefix, *parts)
        if how == 1:
            return (
                cat("(", parts[0], ") ", parts[1], "-", parts[2])
                if american
                else words(cat(trunk, parts[0]), *parts[1:])
            )
        if how == 2:
            return cat(trunk, plain)
        if how == 3:
            return cat(prefix, plain)
        if how == 4:
            return words(*parts, sep=".") if american else cat("00" + calling, " ", words(*parts))
        return (
            words(pa.scalar("1"), *parts, sep="-")
            if american
            else words(cat(trunk, parts[0]), *parts[1:], sep="-")
        )

    return grouped(locale * 6 + style, one)


def _addresses(
    pop: People, rng: Rng, rows: Array, habits: Habits, old: Array, company: Array
) -> dict[str, Any]:
    size = len(rows)
    home = np.where(old & (pop.old_home[rows] >= 0), pop.old_home[rows], pop.home[rows])
    office = chance(rng, size, habits.office) & (company >= 0)
    there = np.where(office, company, 0)
    given = chance(rng, size, habits.address)
    sites = pop.companies.places

    def part(name: str) -> Text:
        at_home = getattr(pop.places, name).take(pa.array(home))
        return where(office, getattr(sites, name).take(pa.array(there)), at_home)

    street = where(chance(rng, size, 0.35), part("street_short"), part("street"))
    unit = part("unit")
    street = where(filled(unit) & chance(rng, size, 0.7), cat(street, ", ", unit), street)
    street = mistype(street, chance(rng, size, habits.typo * 1.5), rng)
    street = changed(street, chance(rng, size, 0.05), pc.utf8_lower)
    bare = ~chance(rng, size, habits.accents)
    street = changed(street, bare, without_accents)
    city = changed(
        mistype(part("city"), chance(rng, size, habits.typo * 0.6), rng), bare, without_accents
    )
    postcode = mistype_digits(part("postcode"), chance(rng, size, 0.01), rng)
    postcode = changed(postcode, chance(rng, size, 0.1), lambda v: pc.replace_substring(v, " ", ""))
    locale = np.where(office, sites.locale[there], pop.locale[rows])
    country_given = given | chance(rng, size, 0.85)
    return {
        "street": blank(street, ~given | chance(rng, size, 0.03)),
        "city": blank(city, ~given | chance(rng, size, 0.02)),
        "region": blank(part("region"), ~given | chance(rng, size, 0.3)),
        "postcode": blank(postcode, ~given | chance(rng, size, 0.03)),
        "country": blank(pick(pools.COUNTRY_NAMES, locale), ~country_given),
        "country_code": blank(pick(pools.LOCALES, locale), ~country_given),
    }


def _births(pop: People, rng: Rng, rows: Array, habits: Habits) -> Text:
    """Birth dates as ISO text, with slips, defaults and dates that cannot be."""
    size = len(rows)
    days = pop.birth[rows].copy()
    slip = chance(rng, size, 0.012)
    days[slip] += rng.choice(np.array([-365, 365, -10, 10, -1, 1, 30, -31]), int(slip.sum()))
    out = pc.strftime(pa.array(days.astype("datetime64[D]")), format="%Y-%m-%d")
    year, month, day = (pc.utf8_slice_codeunits(out, a, b) for a, b in ((0, 4), (5, 7), (8, 10)))
    small = np.asarray(pc.less_equal(day, "12").to_numpy(zero_copy_only=False))
    out = where(small & chance(rng, size, 0.015), words(year, day, month, sep="-"), out)
    default = pick(["1900-01-01", "1970-01-01"], rng.integers(0, 2, size))
    out = where(chance(rng, size, 0.012), default, out)
    return blank(out, ~chance(rng, size, habits.birth))


def impossible_dates(rng: Rng, values: Text) -> Text:
    """Text dates with a few that no calendar has."""
    wrong = pick(
        ["1985-02-30", "31/31/1980", "not known", "0000-00-00"], rng.integers(0, 4, len(values))
    )
    return where(chance(rng, len(values), 0.003) & filled(values), wrong, values)


def as_dates(values: Text) -> Any:
    """ISO text as real dates."""
    return pc.strptime(values, format="%Y-%m-%d", unit="s").cast(pa.date32())


def company_names(companies: Companies, rng: Rng, company: Array) -> Text:
    """How people write their employer's name: with or without its legal form, or misspelt."""
    size = len(company)
    known = company >= 0
    at = pa.array(np.where(known, company, 0))
    name = where(chance(rng, size, 0.12), companies.short_name.take(at), companies.name.take(at))
    suffix = companies.suffix.take(at)
    name = where(chance(rng, size, 0.5), cat(name, " ", suffix), name)
    name = mistype(name, chance(rng, size, 0.02), rng)
    name = changed(name, chance(rng, size, 0.05), pc.utf8_upper)
    return blank(name, ~known)
