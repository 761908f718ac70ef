"""The hidden population: households, people, companies and where they can be reached.

Everything is a column: row i of every array of `People` is person i, of `Companies` company i. What
the ten systems hold is derived from here and never the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

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
    digits,
    draw,
    filled,
    grouped,
    numbered,
    pick,
    scrambled,
    stream,
    text,
    weighted,
    where,
    words,
    zipf_weights,
)

LANGUAGES = ("en", "de", "fr", "es", "nl")
DAY = 86_400
AS_OF = int(np.datetime64("2026-06-30T00:00:00", "s").astype(np.int64))
FIRST_DAY = int(np.datetime64("2023-06-30T00:00:00", "s").astype(np.int64))
DAYS = (AS_OF - FIRST_DAY) // DAY
_FOLD = {
    "ü": "ue", "ö": "oe", "ä": "ae", "ß": "ss", "Ü": "Ue", "Ö": "Oe", "Ä": "Ae",
}  # fmt: skip


def plain(values: Text) -> Text:
    """The values as they stand in an e-mail address: lower case, without accents or spaces."""
    out = pc.utf8_lower(values)
    for accent, letters in _FOLD.items():
        out = pc.replace_substring(out, accent, letters)
    out = pc.utf8_normalize(out, "NFD")
    out = pc.replace_substring(out, "\u0131", "i")
    return pc.replace_substring_regex(out, r"[^a-z0-9]", "")


def without_accents(values: Text) -> Text:
    """The values with their accents dropped (ü -> u, as a till without umlauts prints it)."""
    out = pc.utf8_normalize(values, "NFD")
    return pc.replace_substring_regex(out, r"\p{Mn}", "")


@dataclass(frozen=True)
class Names:
    """All first and last names, with the ranges of each language (and gender)."""

    first: Text
    first_plain: Text
    first_ranges: dict[tuple[str, int], tuple[int, int]]
    nick: Text
    nick_start: Array
    nick_count: Array
    last: Text
    last_plain: Text
    last_ranges: dict[str, tuple[int, int]]


@cache
def name_pools() -> Names:
    """The name pools: first names with their short forms, common and composed surnames."""
    first: list[str] = []
    nick: list[str] = []
    start: list[int] = []
    count: list[int] = []
    first_ranges: dict[tuple[str, int], tuple[int, int]] = {}
    last: list[str] = []
    last_ranges: dict[str, tuple[int, int]] = {}
    for language in LANGUAGES:
        for gender, key in enumerate("mf"):
            begin = len(first)
            for entry in pools.FIRST_NAMES[language][key].split():
                name, *shorts = entry.split("/")
                first.append(name.replace("_", " "))
                start.append(len(nick))
                count.append(len(shorts))
                nick.extend(shorts)
            first_ranges[language, gender] = (begin, len(first))
        begin = len(last)
        last.extend(name.replace("_", " ") for name in pools.LAST_NAMES[language].split())
        last.extend(
            front + back
            for back in pools.LAST_BACKS[language].split()
            for front in pools.LAST_FRONTS[language].split()
        )
        last_ranges[language] = (begin, len(last))
    return Names(
        first=text(first),
        first_plain=plain(text(first)),
        first_ranges=first_ranges,
        nick=text(nick),
        nick_start=np.array(start),
        nick_count=np.array(count),
        last=text(last),
        last_plain=plain(text(last)),
        last_ranges=last_ranges,
    )


@dataclass(frozen=True)
class Places:
    """Addresses; row i of every array is address i."""

    locale: Array
    city: Text
    region: Text
    postcode: Text
    street: Text
    street_short: Text
    unit: Text
    area_code: Array


def make_places(rng: Rng, locale: Array) -> Places:
    """One address for each row of `locale`."""
    cities = [[c.split("|") for c in pools.CITIES[code].split(";")] for code in pools.LOCALES]
    per_city = 60
    starts = np.cumsum([0, *(len(c) for c in cities)])
    flat = [c for group in cities for c in group]
    postcodes = _postcodes(per_city)
    size = len(locale)
    counts = np.diff(starts)[locale]
    # big cities stand first
    city = starts[locale] + np.minimum(
        (rng.random(size) ** 1.5 * counts).astype(np.int64), counts - 1
    )
    postcode = city * per_city + (rng.random(size) ** 1.3 * per_city).astype(np.int64)
    number = 1 + (rng.random(size) ** 2 * 180).astype(np.int64)
    kind = rng.random(size)
    base_draw = rng.random(size) ** 1.2
    unit_number = rng.integers(1, 60, size)

    def streets(short: bool) -> Text:
        def one(group: int, rows: Array) -> Text:
            code = pools.LOCALES[group]
            bases = [
                b.replace("_", " ") for b in pools.STREET_BASES[pools.STREET_POOL[code]].split()
            ]
            kinds = pools.STREET_TYPES[code]
            which = np.minimum((kind[rows] ** 1.4 * len(kinds)).astype(np.int64), len(kinds) - 1)
            base = pick(bases, (base_draw[rows] * len(bases)).astype(np.int64))
            form = pick([k[int(short)] for k in kinds], which)
            no = digits(number[rows])
            if code in ("DE", "NL"):
                return cat(base, form, " ", no)
            if code == "FR":
                return cat(no, ", " if short else " ", form, " ", base)
            if code == "ES":
                return cat(form, " ", base, " " if short else ", ", no)
            return cat(no, " ", base, " ", form)

        return grouped(locale, one)

    unit = where(locale == 1, "Flat ", "Apt ")
    return Places(
        locale=locale,
        city=pick([c[0] for c in flat], city),
        region=pick([c[1] for c in flat], city),
        postcode=pick(postcodes, postcode),
        street=streets(short=False),
        street_short=streets(short=True),
        unit=blank(cat(unit, digits(unit_number)), (rng.random(size) > 0.25) | (locale == 2)),
        area_code=np.array([int(c[3]) for c in flat])[city],
    )


@cache
def _postcodes(per_city: int) -> Text:
    """`per_city` postcodes of each city, the same in every sample: a map does not change."""
    fixed = np.random.default_rng(0)
    cities = [c for code in pools.LOCALES for c in pools.CITIES[code].split(";")]
    return text([_postcode(c.split("|")[2], fixed) for c in cities for _ in range(per_city)])


def _postcode(pattern: str, rng: Rng) -> str:
    letters = pools.POSTCODE_LETTERS
    return "".join(
        str(rng.integers(0, 10))
        if c == "#"
        else letters[rng.integers(0, len(letters))]
        if c == "@"
        else c
        for c in pattern
    )


def landlines(rng: Rng, places: Places) -> Array:
    """A national number (without the leading zero) in the area of each address."""
    lengths = np.array([pools.LANDLINE_LENGTH[c] for c in pools.LOCALES])[places.locale]
    return _number(rng, places.area_code, lengths)


def mobiles(rng: Rng, places: Places) -> Array:
    """A mobile number (without the leading zero) of the country of each address."""
    prefix = places.area_code.copy()
    for locale, code in enumerate(pools.LOCALES):
        options = np.array(pools.MOBILE_PREFIXES[code])
        if len(options):
            rows = places.locale == locale
            prefix[rows] = options[rng.integers(0, len(options), int(rows.sum()))]
    lengths = np.array([pools.MOBILE_LENGTH[c] for c in pools.LOCALES])[places.locale]
    return _number(rng, prefix, lengths)


def _number(rng: Rng, prefix: Array, lengths: Array) -> Array:
    left = lengths - np.floor(np.log10(prefix)).astype(np.int64) - 1
    low = 2 * 10 ** (left - 1)
    number = low + (rng.random(len(prefix)) * 7 * 10 ** (left - 1)).astype(np.int64)
    # North American exchanges never end in 11, and 555 is for films
    exchange = number // 10_000
    odd = (left == 7) & ((exchange % 100 == 11) | (exchange == 555))
    return np.asarray(prefix * 10**left + number + np.where(odd, 20_000, 0))


@dataclass(frozen=True)
class Companies:
    """The hidden companies."""

    count: int
    locale: Array
    name: Text
    short_name: Text
    suffix: Text
    domain: Text
    place: Array
    places: Places
    phone: Array
    parent: Array
    employees: Array
    revenue: Array
    industry: Text
    founded: Array
    is_paying: Array
    is_growing: Array
    has_open_deal: Array
    has_trouble: Array


def make_companies(seed: int, count: int) -> Companies:
    """Companies with parents and subsidiaries, domains and switchboards."""
    rng = stream(seed, "companies")
    locale = weighted(rng, pools.LOCALE_SHARE, count)
    word = draw(rng, zipf_weights(len(pools.COMPANY_WORDS), 30, 0.7), count)
    founder = rng.random(count) < 0.45
    surname = draw(rng, zipf_weights(2000, 25), count)
    trade = draw(rng, zipf_weights(len(pools.COMPANY_TRADES), 10, 0.8), count)
    suffix_draw = rng.random(count)
    parent = np.full(count, -1)
    child = chance(rng, count, 0.14)
    child[: max(1, count // 3)] = False
    parent[child] = rng.integers(0, max(1, count // 3), int(child.sum()))
    own = np.where(parent < 0, np.arange(count), parent)
    # a subsidiary carries the parent's name, with another trade or country
    word, founder, surname = word[own], founder[own], surname[own]
    elsewhere = child & chance(rng, count, 0.5)
    locale = np.where(child & ~elsewhere, locale[own], locale)
    trade = np.where(elsewhere, trade[own], trade)
    # a second business in the same country is never called as the first
    twin = child & ~elsewhere & (trade == trade[own])
    trade = np.where(twin, (trade + 1) % len(pools.COMPANY_TRADES), trade)
    names = name_pools()

    def founders(group: int, rows: Array) -> Text:
        language = pools.NAME_POOLS[pools.LOCALES[group]][0][0]
        begin, end = names.last_ranges[language]
        return names.last.take(pa.array(begin + surname[rows] % (end - begin)))

    root_locale = locale[own]
    head = where(founder, grouped(root_locale, founders), pick(pools.COMPANY_WORDS, word))
    # one word more keeps the most common names apart, for most
    second = pick(
        pools.COMPANY_WORDS,
        np.where(chance(rng, count, 0.6)[own], rng.integers(0, 100, count)[own], -1),
    )
    head = words(head, second)
    trade_name = pick(pools.COMPANY_TRADES, trade)
    shorts = [pools.TRADE_SHORT.get(t, t) for t in pools.COMPANY_TRADES]
    land = pick(
        ["America", "UK", "Deutschland", "France", "España", "Canada", "Australia", "Nederland"],
        locale,
    )
    land = blank(land, ~elsewhere)
    options = [pools.LEGAL_SUFFIXES[c].split("|") for c in pools.LOCALES]
    suffix = grouped(
        locale,
        lambda g, rows: pick(
            options[g], (suffix_draw[rows] ** 2 * len(options[g])).astype(np.int64)
        ),
    )
    stem = where(
        chance(rng, count, 0.5)[own],
        cat(plain(head), "-", plain(trade_name)),
        cat(plain(head), plain(trade_name)),
    )
    host = numbered(cat(stem, "@", pick([pools.TLD[c] for c in pools.LOCALES], locale)))
    host = pc.replace_substring(host, "@", ".")
    shared = child & chance(rng, count, 0.35)
    host = pick(host, np.where(shared, own, np.arange(count)))
    places = make_places(rng, locale)
    phone = landlines(rng, places)
    employees = np.exp(rng.normal(3.6, 1.5, count)).astype(np.int64) + 1
    paying = chance(rng, count, 0.45)
    growing = paying & chance(rng, count, 0.4)
    open_deal = chance(rng, count, np.where(growing, 0.12, 0.32))
    return Companies(
        count=count,
        locale=locale,
        name=words(head, trade_name, land),
        short_name=words(head, pick(shorts, trade), land),
        suffix=suffix,
        domain=host,
        place=np.arange(count),
        places=places,
        phone=phone,
        parent=parent,
        employees=employees,
        revenue=np.round(employees * np.exp(rng.normal(11.6, 0.5, count)), -3),
        industry=pick(pools.INDUSTRIES, rng.integers(0, len(pools.INDUSTRIES), count)),
        founded=times(rng, count, FIRST_DAY, AS_OF - 60 * DAY),
        is_paying=paying,
        is_growing=growing,
        has_open_deal=open_deal,
        has_trouble=open_deal & chance(rng, count, 0.3),
    )


@dataclass(frozen=True)
class People:
    """The hidden people, with the pools their columns point into."""

    count: int
    names: Names
    companies: Companies
    locale: Array
    gender: Array
    household: Array
    role: Array
    first: Array
    last: Array
    second_last: Array
    maiden: Array
    birth: Array
    home: Array
    old_home: Array
    places: Places
    landline: Array
    mobile: Array
    old_mobile: Array
    direct: Array
    email: Text
    second_email: Text
    work_email: Text
    family_email: Text
    company: Array
    next_company: Array
    title: Text
    user_id: Text
    breadth: Array
    activity: Array
    start: Array
    end: Array
    is_shopper: Array
    is_store_goer: Array


def day_weights() -> Array:
    """How busy each of the days is: growth, weekend, Christmas, summer; cumulative, from 0 to 1."""
    day = np.arange(DAYS)
    weekday = (day + 4) % 7  # the first day is a Friday
    of_year = (day + 180) % 365.25
    weight = (0.7 + 0.6 * day / DAYS) * np.where(weekday >= 5, 1.25, 1.0)
    weight *= (
        1
        + 1.9 * np.exp(-(((of_year - 345) / 14) ** 2))
        - 0.2 * np.exp(-(((of_year - 210) / 25) ** 2))
    )
    return np.asarray(np.concatenate([[0.0], np.cumsum(weight) / weight.sum()]))


def times(rng: Rng, size: int, start: Array | int, end: Array | int) -> Array:
    """`size` moments (seconds) between start and end, more of them on busy days."""
    share = day_weights()
    grid = FIRST_DAY + np.arange(DAYS + 1) * DAY
    low, high = np.interp(start, grid, share), np.interp(end, grid, share)
    moment = np.interp(low + rng.random(size) * (high - low), share, grid)
    day = (moment - FIRST_DAY) // DAY
    hour = np.clip(rng.normal(15.5, 4.5, size), 0, 23.99)
    busy = FIRST_DAY + day * DAY + hour * 3600 + rng.integers(0, 3600, size) * 0.01
    inside = (busy >= start) & (busy <= end)
    return np.where(inside, busy, moment).astype(np.int64)


def make_people(seed: int, count: int, companies: Companies) -> People:
    """The population of `count` people, some of whom work for the companies."""
    rng = stream(seed, "people")
    names = name_pools()
    sizes = 1 + weighted(rng, (0.953, 0.033, 0.0075, 0.005, 0.0015), count)
    sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), count)) + 1]
    household = np.repeat(np.arange(len(sizes)), sizes)[:count]
    role = np.concatenate([[0], np.where(np.diff(household) > 0, 0, 1)])
    begins = np.flatnonzero(role == 0)
    role = np.arange(count) - np.repeat(begins, np.diff([*begins, count]))
    homes = int(household[-1]) + 1
    size_of = sizes[household]
    house_locale = weighted(rng, pools.LOCALE_SHARE, homes)
    locale = house_locale[household]

    head_gender = rng.integers(0, 2, homes)
    gender = np.where(
        role == 0,
        head_gender[household],
        np.where(
            (role == 1) & ~chance(rng, count, 0.06),
            1 - head_gender[household],
            rng.integers(0, 2, count),
        ),
    )
    language = np.zeros(homes, dtype=np.int64)
    for index, code in enumerate(pools.LOCALES):
        mine = np.flatnonzero(house_locale == index)
        options = pools.NAME_POOLS[code]
        choice = weighted(rng, [share for _, share in options], len(mine))
        language[mine] = np.array([LANGUAGES.index(name) for name, _ in options])[choice]
    tongue = language[household]

    first = _first_names(rng, names, tongue, gender)
    last_of_home = _last_names(rng, names, language)
    own_last = _last_names(rng, names, tongue)
    flatmates = chance(rng, homes, 0.14)[household] & (size_of == 2)
    keeps_own = ((role == 1) & chance(rng, count, 0.16)) | (flatmates & (role == 1))
    last = np.where(keeps_own, own_last, last_of_home[household])
    second_last = np.where(tongue == LANGUAGES.index("es"), _last_names(rng, names, tongue), -1)
    married = (
        (role <= 1)
        & (size_of > 1)
        & ~keeps_own
        & chance(rng, count, np.where(gender == 1, 0.2, 0.01))
    )
    maiden = np.where(married, _last_names(rng, names, tongue), -1)

    head_year = np.where(
        size_of >= 3,
        rng.integers(1946, 1982, homes)[household],
        (1938 + 66 * rng.beta(2.2, 2.0, homes))[household],
    )
    year = np.where(
        role == 0,
        head_year,
        np.where(
            role == 1,
            head_year + rng.normal(0.5, 3.5, count),
            head_year + rng.integers(21, 36, count),
        ),
    )
    year = np.clip(year, 1932, 2008).astype(np.int64)
    birth = ((year - 1970) * 365.2425 + rng.integers(0, 365, count)).astype(np.int64)
    twin = (role >= 3) & chance(rng, count, 0.2)
    birth[twin] = birth[np.flatnonzero(twin) - 1]
    gender[twin] = gender[np.flatnonzero(twin) - 1]
    # a son with his father's name, a daughter with her mother's
    junior = (role >= 2) & (gender == head_gender[household]) & chance(rng, count, 0.22)
    first = np.where(junior, first[begins[household]], first)
    near = np.flatnonzero(twin)
    first[near] = np.minimum(
        first[near - 1] + 1 + rng.integers(0, 3, len(near)), len(names.first) - 1
    )

    moved = chance(rng, homes, 0.2)
    places = make_places(rng, np.concatenate([house_locale, house_locale]))
    home_landline = landlines(rng, places)[:homes]
    home_place = Places(
        **{
            k: (v[household] if isinstance(v, np.ndarray) else v.take(pa.array(household)))
            for k, v in vars(places).items()
        }
    )
    mobile = mobiles(rng, home_place)
    old_mobile = np.where(chance(rng, count, 0.08), mobiles(rng, home_place), -1)

    employed = (year < 2006) & (year > 1957) & chance(rng, count, 0.42)
    company = np.full(count, -1)
    next_company = np.full(count, -1)
    for index in range(len(pools.LOCALES)):
        there = np.flatnonzero(companies.locale == index)
        mine = np.flatnonzero((locale == index) & employed)
        if len(there) and len(mine):
            cumulative = zipf_weights(len(there), max(6.0, len(there) * 0.25), 0.9)
            company[mine] = there[draw(rng, cumulative, len(mine))]
            changes = chance(rng, len(mine), 0.09)
            next_company[mine[changes]] = there[draw(rng, cumulative, int(changes.sum()))]
    next_company = np.where(next_company == company, -1, next_company)

    email, second, work, family = _emails(
        rng, names, locale, first, last, maiden, year, company, companies, household
    )
    breadth = np.exp(rng.normal(0, 0.45, count))
    start = np.where(
        chance(rng, count, 0.045),
        rng.integers(AS_OF - 29 * DAY, AS_OF - DAY, count),
        times(rng, count, FIRST_DAY, AS_OF - 20 * DAY),
    )
    leaves = chance(rng, count, 0.38)
    end = np.where(
        leaves, start + (rng.random(count) ** 0.8 * (AS_OF - start)).astype(np.int64), AS_OF
    )
    end = np.maximum(end, np.minimum(start + 3 * DAY, AS_OF))
    return People(
        count=count,
        names=names,
        companies=companies,
        locale=locale,
        gender=gender,
        household=household,
        role=role,
        first=first,
        last=last,
        second_last=second_last,
        maiden=maiden,
        birth=birth,
        home=household,
        old_home=np.where(moved[household], homes + household, -1),
        places=places,
        landline=np.where(chance(rng, homes, 0.62), home_landline, -1)[household],
        mobile=mobile,
        old_mobile=old_mobile,
        direct=np.where(
            (company >= 0) & chance(rng, count, 0.35),
            companies.phone[company] // 100 * 100 + rng.integers(1, 99, count),
            -1,
        ),
        email=email,
        second_email=second,
        work_email=work,
        family_email=family,
        company=company,
        next_company=next_company,
        title=blank(
            pick(pools.TITLES, draw(rng, zipf_weights(len(pools.TITLES), 6), count)), company < 0
        ),
        user_id=cat("u", digits(scrambled(count, rng), 9)),
        breadth=breadth / breadth.mean(),
        activity=np.minimum(rng.gamma(0.7, 1.0, count) / 0.7 + 0.08, 14.0),
        start=start,
        end=end,
        is_shopper=chance(rng, count, 0.62),
        is_store_goer=chance(rng, count, 0.5),
    )


def _first_names(rng: Rng, names: Names, tongue: Array, gender: Array) -> Array:
    out = np.zeros(len(tongue), dtype=np.int64)
    for index, language in enumerate(LANGUAGES):
        for sex in (0, 1):
            rows = np.flatnonzero((tongue == index) & (gender == sex))
            begin, end = names.first_ranges[language, sex]
            out[rows] = begin + draw(rng, zipf_weights(end - begin, 22, 0.9), len(rows))
    return out


def _last_names(rng: Rng, names: Names, tongue: Array) -> Array:
    out = np.zeros(len(tongue), dtype=np.int64)
    for index, language in enumerate(LANGUAGES):
        rows = np.flatnonzero(tongue == index)
        begin, end = names.last_ranges[language]
        out[rows] = begin + draw(rng, zipf_weights(end - begin, 70, 0.85), len(rows))
    return out


def _emails(
    rng: Rng,
    names: Names,
    locale: Array,
    first: Array,
    last: Array,
    maiden: Array,
    year: Array,
    company: Array,
    companies: Companies,
    household: Array,
) -> tuple[Text, Text, Text, Text]:
    size = len(first)
    given = names.first_plain.take(pa.array(first))
    # an address made before the wedding keeps the old name
    surname = np.where((maiden >= 0) & chance(rng, size, 0.6), maiden, last)
    family = names.last_plain.take(pa.array(surname))
    nick = nicknames(rng, names, first)
    nick = pc.coalesce(plain(nick), given)
    letter = pc.utf8_slice_codeunits(given, 0, 1)
    hosts = [pools.FREEMAIL[c].split() for c in pools.LOCALES]

    def private() -> Text:
        style = weighted(rng, (0.28, 0.16, 0.12, 0.14, 0.1, 0.08, 0.07, 0.05), size)
        short_year = digits(year % 100, 2)
        number = digits(rng.integers(1, 999, size))
        user = grouped(
            style,
            lambda s, rows: [
                lambda g, f, n, y, k, i: cat(g, ".", f),
                lambda g, f, n, y, k, i: cat(g, f, y),
                lambda g, f, n, y, k, i: cat(i, f, k),
                lambda g, f, n, y, k, i: cat(g, "_", f),
                lambda g, f, n, y, k, i: cat(n, ".", f, y),
                lambda g, f, n, y, k, i: cat(f, ".", g, k),
                lambda g, f, n, y, k, i: cat(n, k),
                lambda g, f, n, y, k, i: cat(pc.utf8_slice_codeunits(f, 0, 4), i, y, k),
            ][
                s
            ](*(v.take(pa.array(rows)) for v in (given, family, nick, short_year, number, letter))),
        )
        host = grouped(
            locale, lambda g, rows: pick(hosts[g], rng.integers(0, len(hosts[g]), len(rows)))
        )
        return cat(user, "@", host)

    both = numbered(pa.concat_arrays([private(), private()]))
    email, second = both.slice(0, size), both.slice(size)
    second = blank(second, ~chance(rng, size, 0.25))
    formal = names.last_plain.take(pa.array(last))
    house_style = (np.arange(companies.count) * 7919) % 3
    style = np.where(company >= 0, house_style[company], 0)
    user = grouped(
        style,
        lambda s, rows: cat(
            *(
                (given.take(pa.array(rows)), ".", formal.take(pa.array(rows)))
                if s == 0
                else (letter.take(pa.array(rows)), formal.take(pa.array(rows)))
                if s == 1
                else (letter.take(pa.array(rows)), ".", formal.take(pa.array(rows)))
            )
        ),
    )
    work = numbered(cat(user, "@", pick(companies.domain, company)))
    has_family = chance(rng, int(household[-1]) + 1, 0.1)[household]
    head = np.flatnonzero(np.diff(household, prepend=-1))[household]
    tribe = names.last_plain.take(pa.array(last[head]))
    family_host = pick(["gmail.com", "outlook.com", "icloud.com"], household % 3)
    shared = cat("family.", tribe, digits(household % 9973), "@", family_host)
    return email, second, work, blank(shared, ~has_family)


def nicknames(rng: Rng, names: Names, first: Array) -> Text:
    """One of the short forms of each first name; null where it has none."""
    count = names.nick_count[first]
    index = names.nick_start[first] + (rng.random(len(first)) * count).astype(np.int64)
    return pick(names.nick, np.where(count > 0, index, -1))


def has(values: Text) -> Array:
    """A mask of the people who have a value."""
    return filled(values)
