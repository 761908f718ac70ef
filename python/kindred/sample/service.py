"""Zendesk, Klaviyo, social media and the consent platform."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindred.sample import pools
from kindred.sample.arrays import (
    Array,
    Text,
    blank,
    cat,
    chance,
    digits,
    draw,
    filled,
    hex_ids,
    pick,
    scrambled,
    stream,
    text,
    weighted,
    where,
    zipf_weights,
)
from kindred.sample.commerce import first_employees
from kindred.sample.crm import company_rows, seen_companies
from kindred.sample.observe import Habits, again, copied, impossible_dates, members, observe
from kindred.sample.output import Output, loaded, parts
from kindred.sample.people import AS_OF, DAY, FIRST_DAY, People, times
from kindred.sample.web import Devices

REQUESTER = Habits(
    email=0.95,
    phone=0.5,
    address=0.0,
    birth=0.0,
    emails=(0.89, 0.03, 0.07, 0.01),
    phones=(0.96, 0.02, 0.01, 0.01),
    name=0.95,
    nickname=0.12,
    initial=0.04,
    junk=0.003,
)
SUBSCRIBER = Habits(
    email=0.98,
    phone=0.46,
    address=0.7,
    birth=0.46,
    emails=(0.9, 0.06, 0.025, 0.015),
    phones=(0.98, 0.02, 0.0, 0.0),
    name=0.9,
    nickname=0.15,
    junk=0.003,
)
LEADS = Habits(
    email=0.92,
    phone=0.5,
    address=0.9,
    birth=0.0,
    emails=(0.87, 0.06, 0.06, 0.01),
    phones=(0.98, 0.02, 0.0, 0.0),
    nickname=0.17,
    junk=0.005,
)
METRICS = (
    "Received Email",
    "Opened Email",
    "Clicked Email",
    "Bounced Email",
    "Unsubscribed",
    "Marked Email as Spam",
    "Received SMS",
    "Clicked SMS",
    "Subscribed to List",
)
METRIC_WEIGHTS = (0.5, 0.3, 0.1, 0.01, 0.006, 0.001, 0.05, 0.015, 0.018)
PLATFORMS = ("linkedin", "meta", "instagram", "tiktok")
JURISDICTIONS = ("US", "GB", "DE", "FR", "ES", "CA", "AU", "NL")


def zendesk(pop: People, seed: int, out: Output) -> None:
    """Organizations, requesters and agents, tickets; some companies are in trouble."""
    companies = pop.companies
    rng = stream(seed, "zendesk.organization")
    rows = company_rows(companies, rng, 0.6, 0.04)
    size = len(rows)
    org = 360_000_000_000 + scrambled(size, rng)
    org_of = np.full(companies.count, -1)
    org_of[rows[::-1]] = org[::-1]
    seen = seen_companies(companies, rng, rows)
    updated = np.minimum(
        companies.founded[rows] + rng.exponential(90 * DAY, size).astype(np.int64), AS_OF - 60
    )
    out.add(
        "zendesk",
        "organization",
        {
            "id": org,
            "name": seen["name"],
            "external_id": blank(cat("ORG-", digits(org)), chance(rng, size, 0.6)),
            "details": blank(seen["city"], chance(rng, size, 0.4)),
            "created_at": companies.founded[rows],
            "updated_at": updated,
            "_fivetran_synced": loaded(updated, rng),
        },
        rng,
    )
    out.know_companies("zendesk:organization", org, rows)
    with_domain = np.flatnonzero(filled(seen["domain"]))
    out.add(
        "zendesk",
        "domain_name",
        {
            "organization_id": org[with_domain],
            "domain_name": companies.domain.take(pa.array(rows[with_domain])),
            "index": np.zeros(len(with_domain), dtype=np.int64),
            "_fivetran_synced": loaded(updated[with_domain], rng),
        },
        rng,
    )

    rng = stream(seed, "zendesk.user")
    troubled = first_employees(pop)[companies.has_trouble & (org_of >= 0)]
    people = np.union1d(members(pop, rng, 0.27), troubled[troubled >= 0])
    user = copied(rng, observe(pop, rng, again(rng, people, 0.06), REQUESTER), 0.008)
    size = len(user.person)
    ids = 380_000_000_000 + scrambled(size + 15, rng)
    agents, ids = ids[size:], ids[:size]
    from_mail = chance(rng, size, 0.06) & filled(user.email)
    name = where(from_mail, user.email, user.full)
    org_id = np.where(
        (user.company_index >= 0) & chance(rng, size, 0.9), org_of[user.company_index], -1
    )
    out.add(
        "zendesk",
        "user",
        {
            "id": ids,
            "name": name,
            "email": user.email,
            "phone": user.phone,
            "role": "end-user",
            "organization_id": org_id,
            "external_id": blank(pop.user_id.take(pa.array(user.person)), ~chance(rng, size, 0.3)),
            "active": ~chance(rng, size, 0.015),
            "suspended": chance(rng, size, 0.006),
            "verified": chance(rng, size, 0.7),
            "locale": pick(
                ["en-US", "en-GB", "de", "fr", "es", "en-CA", "en-AU", "nl"],
                pop.locale[user.person],
            ),
            "created_at": user.created,
            "updated_at": user.updated,
            "last_login_at": np.where(chance(rng, size, 0.5), user.updated, -1),
            "_fivetran_synced": loaded(user.updated, rng),
        },
        rng,
    )
    out.know_persons("zendesk:user", ids, user.person)
    staff = cat("Agent ", digits(np.arange(1, 16)))
    out.add(
        "zendesk",
        "user",
        {
            "id": agents,
            "name": staff,
            "email": cat("agent", digits(np.arange(1, 16)), "@kindred-support.example"),
            "role": where(np.arange(15) < 2, "admin", "agent"),
            "active": True,
            "suspended": False,
            "verified": True,
            "created_at": np.full(15, FIRST_DAY),
            "updated_at": np.full(15, FIRST_DAY),
            "_fivetran_synced": np.full(15, FIRST_DAY),
        },
        rng,
    )
    out.know_persons("zendesk:user", agents, np.full(15, -1))

    rng = stream(seed, "zendesk.ticket")
    who = user.person
    asked = np.repeat(np.arange(size), rng.poisson(1.5 * np.minimum(pop.activity[who], 6)))
    hot = np.flatnonzero(
        (user.company_index >= 0) & companies.has_trouble[user.company_index] & (org_id >= 0)
    )
    urgent = np.repeat(hot, 3 + rng.poisson(1.0, len(hot)))
    index = np.concatenate([asked, urgent])
    pressing = np.arange(len(index)) >= len(asked)
    size = len(index)
    began = times(
        rng,
        size,
        user.created[index],
        np.maximum(pop.end[who[index]], user.created[index] + DAY).clip(max=AS_OF - 600),
    )
    began = np.where(pressing, AS_OF - rng.integers(DAY, 45 * DAY, size), began)
    recent = began > AS_OF - 20 * DAY
    unsolved = pressing | (recent & chance(rng, size, 0.5)) | chance(rng, size, 0.02)
    status = where(
        unsolved,
        pick(["new", "open", "pending", "hold"], weighted(rng, (0.15, 0.55, 0.2, 0.1), size)),
        pick(["solved", "closed", "deleted"], weighted(rng, (0.3, 0.67, 0.03), size)),
    )
    updated = np.minimum(began + rng.exponential(4 * DAY, size).astype(np.int64), AS_OF - 60)
    out.add(
        "zendesk",
        "ticket",
        {
            "id": 100_000 + scrambled(size, rng),
            "requester_id": ids[index],
            "submitter_id": ids[index],
            "assignee_id": agents[rng.integers(0, 15, size)],
            "organization_id": org_id[index],
            "subject": pick(
                [
                    "Where is my order",
                    "Refund request",
                    "Cannot log in",
                    "Invoice question",
                    "Damaged item",
                    "Feature request",
                ],
                rng.integers(0, 6, size),
            ),
            "status": status,
            "priority": pick(
                ["low", "normal", "high", "urgent", None],
                weighted(rng, (0.2, 0.45, 0.2, 0.05, 0.1), size),
            ),
            "type": pick(
                ["question", "incident", "problem", "task", None], rng.integers(0, 5, size)
            ),
            "via_channel": pick(
                ["email", "web", "chat", "voice"], weighted(rng, (0.5, 0.3, 0.12, 0.08), size)
            ),
            "created_at": began,
            "updated_at": updated,
            "_fivetran_synced": loaded(updated, rng),
        },
        rng,
    )


def klaviyo(pop: People, seed: int, out: Output) -> None:
    """Subscribers with their consents, and what they do with e-mails and text messages."""
    rng = stream(seed, "klaviyo.person")
    people = again(rng, members(pop, rng, 0.6), 0.06)
    seen = copied(rng, observe(pop, rng, people, SUBSCRIBER), 0.008)
    size = len(seen.person)
    ids = cat("01H", digits(scrambled(size, rng), 9), "KV")
    said_yes = chance(rng, size, 0.62)
    suppressed = chance(rng, size, 0.06)
    local = ~filled(seen.city)
    out.add(
        "klaviyo",
        "person",
        {
            "id": ids,
            "email": seen.email,
            "phone_number": seen.phone,
            "first_name": seen.first,
            "last_name": blank(seen.last, chance(rng, size, 0.06)),
            "organization": blank(seen.company, ~chance(rng, size, 0.2)),
            "address_1": seen.street,
            "city": seen.city,
            "region": seen.region,
            "zip": seen.postcode,
            "country": blank(seen.country, local & chance(rng, size, 0.5)),
            "custom_birthday": impossible_dates(rng, seen.birth),
            "custom_consent": where(
                said_yes,
                pick(["email", "email,sms", '["email"]'], weighted(rng, (0.7, 0.2, 0.1), size)),
                None,
            ),
            "custom_consent_method": where(said_yes, "Klaviyo Form", None),
            "custom_consent_timestamp": np.where(said_yes, seen.created, -1),
            "custom_consent_form_id": where(
                said_yes, pick(["RkW3tA", "Xp9LmQ", "T2vYeD"], rng.integers(0, 3, size)), None
            ),
            "custom_consent_form_version": where(
                said_yes, pick(["1", "2", "3"], rng.integers(0, 3, size)), None
            ),
            "custom_accepts_marketing": said_yes & chance(rng, size, 0.9),
            "custom_sms_consent": chance(rng, size, 0.14),
            "custom_suppress": suppressed,
            "created": seen.created,
            "updated": seen.updated,
            "_fivetran_deleted": chance(rng, size, 0.012),
            "_fivetran_synced": loaded(seen.updated, rng),
        },
        rng,
    )
    out.know_persons("klaviyo:person", ids, seen.person)
    metric_ids = text([f"M{i:02d}xQ" for i in range(len(METRICS))])
    out.add(
        "klaviyo",
        "metric",
        {
            "id": metric_ids,
            "name": text(METRICS),
            "integration_name": "Klaviyo",
            "created": np.full(len(METRICS), FIRST_DAY),
            "updated": np.full(len(METRICS), FIRST_DAY),
            "_fivetran_deleted": False,
            "_fivetran_synced": np.full(len(METRICS), FIRST_DAY),
        },
        rng,
    )

    rng = stream(seed, "klaviyo.event")
    who = seen.person
    mean = 9.5 * np.minimum(pop.activity[who], 5) ** 0.8 + 1
    for rows in parts(size, 40_000):
        index = rows[np.repeat(np.arange(len(rows)), rng.poisson(mean[rows]))]
        count = len(index)
        metric = weighted(rng, METRIC_WEIGHTS, count)
        moment = times(
            rng,
            count,
            seen.created[index],
            np.maximum(pop.end[who[index]], seen.created[index] + DAY).clip(max=AS_OF - 600),
        )
        campaign = draw(rng, zipf_weights(90, 15), count)
        clicked = (metric == 2) | (metric == 7)
        event = hex_ids(rng, count, 12)
        out.add(
            "klaviyo",
            "event",
            {
                "id": event,
                "person_id": ids.take(pa.array(index)),
                "metric_id": metric_ids.take(pa.array(metric)),
                "campaign_id": pick([f"C{i:03d}" for i in range(90)], campaign),
                "type": "event",
                "datetime": moment,
                "timestamp": moment,
                "property_value": pick(
                    ["12.50", "n/a", "1,000"],
                    np.where(chance(rng, count, 0.003), rng.integers(0, 3, count), -1),
                ),
                "property_url": where(clicked, "https://www.example-shop.com/sale", None),
                "property_subject": pick(
                    ["New in", "Last chance", "Your weekly picks", "Thank you"], campaign % 4
                ),
                "property_campaign_name": pick([f"Campaign {i}" for i in range(90)], campaign),
                "uuid": event,
                "_fivetran_deleted": False,
                "_fivetran_synced": loaded(moment, rng),
            },
            rng,
        )


def social(pop: People, seed: int, out: Output) -> None:
    """Lead forms and likes on social media."""
    rng = stream(seed, "social.lead_form_submission")
    people = again(rng, members(pop, rng, 0.11), 0.08)
    seen = copied(rng, observe(pop, rng, people, LEADS), 0.015)
    size = len(seen.person)
    platform = weighted(rng, (0.35, 0.3, 0.25, 0.1), size)
    ids = cat("lf", digits(scrambled(size, rng), 9))
    profile = cat("p", digits((seen.person * 48_271 + 11) % 2_147_483_647))
    parted = chance(rng, size, 0.5)
    out.add(
        "social",
        "lead_form_submission",
        {
            "id": ids,
            "platform": pick(PLATFORMS, platform),
            "form_id": pick(["f100", "f101", "f102"], rng.integers(0, 3, size)),
            "form_name": "Stay in touch",
            "campaign_name": pick(["Spring", "Autumn", "Always on"], rng.integers(0, 3, size)),
            "profile_id": profile,
            "full_name": seen.full,
            "first_name": blank(seen.first, ~parted),
            "last_name": blank(seen.last, ~parted),
            "email": seen.email,
            "phone_number": seen.phone,
            "company_name": blank(seen.company, (platform > 0) & chance(rng, size, 0.8)),
            "job_title": blank(seen.title, platform > 0),
            "city": seen.city,
            "country": seen.country,
            "marketing_opt_in": chance(rng, size, 0.55),
            "submitted_at": seen.created,
            "loaded_at": loaded(seen.created, rng),
        },
        rng,
    )
    out.know_persons("social:lead_form_submission", ids, seen.person)

    rng = stream(seed, "social.engagement")
    fans = int(pop.count * 0.04) + 3
    names = pa.concat_arrays([profile, cat("p9", digits(np.arange(fans), 9))])
    start = np.concatenate([seen.created, np.full(fans, FIRST_DAY)])
    for rows in parts(len(names), 60_000):
        index = rows[np.repeat(np.arange(len(rows)), rng.poisson(6.0, len(rows)))]
        count = len(index)
        at = np.concatenate([platform, rng.integers(0, 4, fans)])[index]
        moment = times(rng, count, np.maximum(start[index] - 60 * DAY, FIRST_DAY), AS_OF - 60)
        post = digits(draw(rng, zipf_weights(300, 15), count))
        out.add(
            "social",
            "engagement",
            {
                "id": hex_ids(rng, count, 10),
                "platform": pick(PLATFORMS, at),
                "profile_id": names.take(pa.array(index)),
                "profile_handle": cat("@", names.take(pa.array(index))),
                "action": pick(
                    ["like", "comment", "share", "follow", "click", "message"],
                    weighted(rng, (0.5, 0.14, 0.1, 0.1, 0.12, 0.04), count),
                ),
                "post_id": cat("post", post),
                "post_url": cat("https://social.example/post/", post),
                "occurred_at": moment,
                "loaded_at": loaded(moment, rng),
            },
            rng,
        )


def consent_platform(pop: People, seed: int, out: Output, users: Array, devices: Devices) -> None:
    """Receipts, changes of preference and browser signals, some against what other systems say."""
    rng = stream(seed, "consent_platform")
    people = np.repeat(np.arange(pop.count), rng.poisson(0.75, pop.count))
    size = len(people)
    has_user = np.zeros(pop.count, dtype=bool)
    has_user[users] = True
    kind = weighted(rng, (0.7, 0.14, 0.16), size)
    kind = np.where((kind == 2) & ~has_user[people], 0, kind)
    action = weighted(rng, (0.56, 0.12, 0.13, 0.04, 0.08, 0.05, 0.01, 0.01), size)
    locale = pop.locale[people]
    moment = times(rng, size, pop.start[people], AS_OF - 600)
    jurisdiction = where(
        (locale == 0) & chance(rng, size, 0.2), "US-CA", pick(JURISDICTIONS, locale)
    )
    columns = {
        "identifier_type": pick(["email", "phone", "user_id"], kind),
        "identifier_value": _identifiers(pop, people, kind),
        "brand": pick(["main", "outlet"], weighted(rng, (0.85, 0.15), size)),
        "purpose": pick(
            ["marketing", "personalisation", "profiling", "ads"],
            weighted(rng, (0.6, 0.15, 0.12, 0.13), size),
        ),
        "channel": where(
            kind == 1,
            pick(["sms", "phone", "any"], rng.integers(0, 3, size)),
            pick(["email", "any", "post"], weighted(rng, (0.72, 0.2, 0.08), size)),
        ),
        "method": pick(
            ["web form", "checkout box", "call centre", "preference page"], rng.integers(0, 4, size)
        ),
        "actor": pick(["person", "agent", "import"], weighted(rng, (0.88, 0.08, 0.04), size)),
        "jurisdiction": jurisdiction,
        "occurred_at": moment,
        "loaded_at": np.where(
            chance(rng, size, 0.03),
            np.minimum(moment + rng.integers(DAY, 20 * DAY, size), AS_OF),
            loaded(moment, rng),
        ),
    }
    granted = action == 0
    out.add(
        "consent_platform",
        "consent_receipt",
        {
            **columns,
            "receipt_id": cat("rc_", hex_ids(rng, size, 10)),
            "action": pick(
                [
                    "grant",
                    "deny",
                    "withdraw",
                    "object",
                    "doi_requested",
                    "doi_confirmed",
                    "complaint",
                    "expire",
                ],
                action,
            ),
            "legal_basis": where(chance(rng, size, 0.9), "consent", "legitimate_interest"),
            "notice_id": pick(["privacy", "newsletter"], rng.integers(0, 2, size)),
            "notice_version": pick(
                ["2023-05", "2024-09", "2025-11"],
                np.clip((moment - FIRST_DAY) // (365 * DAY), 0, 2),
            ),
            "raw_signal": where(chance(rng, size, 0.1), '{"banner": "v2"}', None),
            "effective_from": moment,
            "effective_to": np.where(granted & chance(rng, size, 0.2), moment + 730 * DAY, -1),
        },
        rng,
    )
    part = np.flatnonzero(chance(rng, size, 0.32))
    at = pa.array(part)
    later = np.minimum(moment[part] + rng.integers(DAY, 200 * DAY, len(part)), AS_OF - 60)
    out.add(
        "consent_platform",
        "preference_change",
        {
            **{
                name: columns[name].take(at)
                for name in (
                    "identifier_type",
                    "identifier_value",
                    "brand",
                    "purpose",
                    "channel",
                    "method",
                    "actor",
                    "jurisdiction",
                )
            },
            "change_id": cat("pc_", hex_ids(rng, len(part), 10)),
            "is_subscribed": chance(rng, len(part), 0.4),
            "occurred_at": later,
            "loaded_at": loaded(later, rng),
        },
        rng,
    )
    index = np.flatnonzero(chance(rng, len(devices.person), 0.07))
    count = len(index)
    seen = times(rng, count, FIRST_DAY, AS_OF - 600)
    known = np.where(chance(rng, count, 0.4), devices.person[index], -1)
    place = np.where(devices.person[index] >= 0, pop.locale[devices.person[index]], 0)
    out.add(
        "consent_platform",
        "gpc_signal",
        {
            "signal_id": cat("gpc_", hex_ids(rng, count, 10)),
            "anonymous_id": devices.anonymous_id.take(pa.array(index)),
            "user_id": pick(pop.user_id, known),
            "brand": "main",
            "is_enabled": ~chance(rng, count, 0.05),
            "jurisdiction": where(
                (place == 0) & chance(rng, count, 0.6), "US-CA", pick(JURISDICTIONS, place)
            ),
            "user_agent": "Mozilla/5.0",
            "occurred_at": seen,
            "loaded_at": loaded(seen, rng),
        },
        rng,
    )


def _identifiers(pop: People, people: Array, kind: Array) -> Text:
    at = pa.array(people)
    email = pc.utf8_lower(pop.email.take(at))
    calling = pick([f"+{code}" for code in pools.CALLING_CODES], pop.locale[people])
    phone = cat(calling, digits(pop.mobile[people]))
    return where(kind == 0, email, where(kind == 1, phone, pop.user_id.take(at)))
