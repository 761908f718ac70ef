"""Segment: who visits the site and the app, on which device, before and after they log in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

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
    hex_ids,
    pick,
    stream,
    weighted,
    where,
    zipf_weights,
)
from kindred.sample.observe import Habits, impossible_dates, members, observe
from kindred.sample.output import Output, parts
from kindred.sample.people import AS_OF, DAY, FIRST_DAY, People, times

USER = Habits(
    email=0.97,
    phone=0.45,
    address=0.48,
    birth=0.55,
    emails=(0.9, 0.04, 0.05, 0.01),
    phones=(0.98, 0.01, 0.005, 0.005),
    name=0.94,
    nickname=0.15,
    junk=0.003,
)
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Safari/605.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/126.0 Mobile",
    "KindredApp/4.2 (iOS 17.5)",
    "KindredApp/4.2 (Android 14)",
)
PAGES = (
    ("Home", "/"),
    ("Product", "/products/"),
    ("Category", "/collections/"),
    ("Cart", "/cart"),
    ("Checkout", "/checkout"),
    ("Blog", "/blog/"),
    ("Pricing", "/pricing"),
    ("Help", "/help"),
    ("Account", "/account"),
)
PAGE_WEIGHTS = (0.2, 0.32, 0.16, 0.07, 0.04, 0.08, 0.04, 0.04, 0.05)
EVENTS = (
    "product_viewed",
    "product_added",
    "checkout_started",
    "signed_in",
    "signed_up",
    "feature_used",
)
EVENT_TEXTS = (
    "Product Viewed",
    "Product Added",
    "Checkout Started",
    "Signed In",
    "Signed Up",
    "Feature Used",
)
EVENT_WEIGHTS = (0.46, 0.17, 0.07, 0.14, 0.02, 0.14)
PRODUCTS = tuple(f"{a} {n}" for a in pools.PRODUCT_ADJECTIVES for n in pools.PRODUCT_NOUNS)


@dataclass(frozen=True)
class Devices:
    """Browsers and phones; `person` is -1 for visitors who never log in."""

    anonymous_id: Text
    person: Array
    agent: Array
    first_login: Array


def segment(pop: People, seed: int, out: Output) -> tuple[Array, Devices]:
    """Users, identifies, pages and tracks; gives the people who have an account, and devices."""
    rng = stream(seed, "segment.users")
    busy = pop.companies.is_growing[pop.company] & (pop.company >= 0)
    people = members(pop, rng, np.where(busy, 0.75, 0.47))
    rng.shuffle(people)
    user = observe(pop, rng, people, USER)
    size = len(people)
    ids = pop.user_id.take(pa.array(people))
    at_work = chance(rng, size, 0.5)
    out.add(
        "segment",
        "users",
        {
            "id": ids,
            "email": user.email,
            "first_name": user.first,
            "last_name": user.last,
            "name": blank(user.full, chance(rng, size, 0.4)),
            "phone": user.phone,
            "birthday": impossible_dates(rng, user.birth),
            "company_name": blank(user.company, ~at_work),
            "title": blank(user.title, ~at_work),
            "address_street": user.street,
            "address_city": user.city,
            "address_state": user.region,
            "address_postal_code": user.postcode,
            "address_country": user.country,
            "created_at": user.created,
            "received_at": np.minimum(user.updated + 30, AS_OF),
        },
        rng,
    )
    out.know_persons("segment:user", ids, people)

    rng = stream(seed, "segment.devices")
    mine = np.repeat(np.arange(size), 1 + rng.poisson(0.7, size))
    owner = people[mine]
    strangers = int(pop.count * 0.12) + 5
    person = np.concatenate([owner, np.full(strangers, -1)])
    login = np.concatenate(
        [
            np.minimum(
                user.created[mine] + rng.exponential(20 * DAY, len(mine)).astype(np.int64),
                AS_OF - 3600,
            ),
            np.full(strangers, AS_OF * 2),
        ]
    )
    anonymous = hex_ids(rng, len(person))
    # the family tablet: people of one household behind one anonymous id
    order = np.argsort(
        np.where(person < 0, -np.arange(len(person)) - 1, pop.household[person]), kind="stable"
    )
    home = np.where(person[order] < 0, -1, pop.household[person[order]])
    same = np.concatenate(
        [
            [False],
            (home[1:] == home[:-1]) & (home[1:] >= 0) & (person[order][1:] != person[order][:-1]),
        ]
    )
    lent = same & chance(rng, len(order), 0.12)
    source = np.arange(len(person))
    source[order[lent]] = order[np.flatnonzero(lent) - 1]
    devices = Devices(
        anonymous.take(pa.array(source)), person, rng.integers(0, len(AGENTS), len(person)), login
    )
    _identifies(pop, seed, out, devices, mine, user.email, user.first, user.last)
    _events(pop, seed, out, devices)
    return people, devices


def _identifies(
    pop: People,
    seed: int,
    out: Output,
    devices: Devices,
    mine: Array,
    email: Text,
    first: Text,
    last: Text,
) -> None:
    rng = stream(seed, "segment.identifies")
    logins = np.repeat(np.arange(len(mine)), 1 + rng.poisson(0.5, len(mine)))
    moment = np.where(
        chance(rng, len(logins), 0.6),
        devices.first_login[logins],
        np.minimum(
            devices.first_login[logins] + rng.integers(0, 90 * DAY, len(logins)), AS_OF - 600
        ),
    )
    size = len(logins)
    who = pa.array(mine[logins])
    stamps = _stamps(rng, moment)
    out.add(
        "segment",
        "identifies",
        {
            "id": hex_ids(rng, size),
            "anonymous_id": devices.anonymous_id.take(pa.array(logins)),
            "user_id": pop.user_id.take(pa.array(devices.person[logins])),
            "email": blank(email.take(who), chance(rng, size, 0.2)),
            "first_name": blank(first.take(who), chance(rng, size, 0.4)),
            "last_name": blank(last.take(who), chance(rng, size, 0.4)),
            "context_ip": _addresses(rng, size),
            "context_user_agent": pick(AGENTS, devices.agent[logins]),
            "context_device_type": where(devices.agent[logins] < 2, "desktop", "mobile"),
            "context_locale": pick(
                ["en-US", "en-GB", "de-DE", "fr-FR", "es-ES", "en-CA", "en-AU", "nl-NL"],
                pop.locale[devices.person[logins]],
            ),
            **stamps,
        },
        rng,
    )


def _events(pop: People, seed: int, out: Output, devices: Devices) -> None:
    rng = stream(seed, "segment.events")
    products = zipf_weights(len(PRODUCTS), 8)
    for rows in parts(len(devices.person), 40_000):
        person = devices.person[rows]
        known = person >= 0
        active = np.where(known, pop.activity[person], 0.5)
        for table, mean in (("pages", 11.0), ("tracks", 5.6)):
            index = rows[np.repeat(np.arange(len(rows)), rng.poisson(mean * active))]
            size = len(index)
            who = devices.person[index]
            start = np.where(who >= 0, np.maximum(pop.start[who] - 20 * DAY, FIRST_DAY), FIRST_DAY)
            end = np.where(who >= 0, pop.end[who], AS_OF)
            growing = (
                (who >= 0) & (pop.company[who] >= 0) & pop.companies.is_growing[pop.company[who]]
            )
            start = np.where(
                growing & chance(rng, size, 0.6), np.maximum(start, AS_OF - 100 * DAY), start
            )
            end = np.where(growing, np.maximum(end, AS_OF - DAY), end)
            moment = np.minimum(times(rng, size, start, end), AS_OF - 60)
            logged_in = (moment >= devices.first_login[index]) & chance(rng, size, 0.75)
            shared = {
                "id": hex_ids(rng, size),
                "anonymous_id": devices.anonymous_id.take(pa.array(index)),
                "user_id": pick(pop.user_id, np.where(logged_in, who, -1)),
                "context_device_type": where(devices.agent[index] < 2, "desktop", "mobile"),
                "context_ip": _addresses(rng, size),
                "context_user_agent": pick(AGENTS, devices.agent[index]),
                **_stamps(rng, moment),
            }
            item = draw(rng, products, size)
            if table == "pages":
                page = weighted(rng, PAGE_WEIGHTS, size)
                deep = (page == 1) | (page == 2) | (page == 5)
                path = where(
                    deep,
                    cat(pick([p for _, p in PAGES], page), digits(item)),
                    pick([p for _, p in PAGES], page),
                )
                campaign = np.where(chance(rng, size, 0.18), rng.integers(0, 4, size), -1)
                out.add(
                    "segment",
                    "pages",
                    {
                        **shared,
                        "name": pick([n for n, _ in PAGES], page),
                        "title": where(
                            page == 1, pick(PRODUCTS, item), pick([n for n, _ in PAGES], page)
                        ),
                        "path": path,
                        "url": cat("https://www.example-shop.com", path),
                        "referrer": pick(
                            [
                                "https://www.google.com/",
                                "https://www.facebook.com/",
                                "https://duckduckgo.com/",
                            ],
                            np.where(chance(rng, size, 0.3), rng.integers(0, 3, size), -1),
                        ),
                        "search": pick(
                            [
                                "?utm_source=google",
                                "?utm_source=newsletter",
                                "?utm_source=facebook",
                                "?utm_source=partner",
                            ],
                            campaign,
                        ),
                        "context_campaign_source": pick(
                            ["google", "newsletter", "facebook", "partner"], campaign
                        ),
                        "context_campaign_medium": pick(
                            ["cpc", "email", "social", "referral"], campaign
                        ),
                    },
                    rng,
                )
            else:
                event = weighted(rng, EVENT_WEIGHTS, size)
                goods = event < 3
                out.add(
                    "segment",
                    "tracks",
                    {
                        **shared,
                        "event": pick(EVENTS, event),
                        "event_text": pick(EVENT_TEXTS, event),
                        "product_id": pick(
                            [str(1000 + i) for i in range(len(PRODUCTS))], np.where(goods, item, -1)
                        ),
                        "product_name": pick(PRODUCTS, np.where(goods, item, -1)),
                        "category": pick(
                            pools.CATEGORIES, np.where(goods, item % len(pools.CATEGORIES), -1)
                        ),
                        "value": np.where(event == 1, 9.0 + item % 90, np.nan),
                        "currency": where(event == 1, "USD", None),
                    },
                    rng,
                )


def _stamps(rng: Rng, moment: Array) -> dict[str, Array]:
    size = len(moment)
    sent = moment + rng.integers(0, 20, size)
    # phones that were off-line, and clocks that go wrong
    late = chance(rng, size, 0.02)
    received = np.where(
        late, sent + rng.integers(DAY, 25 * DAY, size), sent + rng.integers(0, 90, size)
    )
    skew = np.where(chance(rng, size, 0.01), rng.integers(-2 * 3600, 2 * 3600, size), 0)
    return {
        "timestamp": moment,
        "original_timestamp": moment + skew,
        "sent_at": np.minimum(sent + skew, AS_OF),
        "received_at": np.minimum(received, AS_OF),
    }


def _addresses(rng: Rng, size: int) -> Text:
    host = [str(i) for i in range(256)]
    third = pick(host, rng.integers(0, 256, size))
    return cat(
        pick(["203.0.", "198.51.", "192.0."], rng.integers(0, 3, size)),
        third,
        ".",
        pick(host, rng.integers(1, 255, size)),
    )


def known_emails(email: Text) -> Array:
    """The rows with an e-mail address."""
    return np.flatnonzero(filled(email))
