"""Salesforce and HubSpot: companies, the people who work there, deals and newsletters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kindred.sample import pools
from kindred.sample.arrays import (
    Array,
    Rng,
    blank,
    cat,
    chance,
    changed,
    digits,
    draw,
    filled,
    hex_ids,
    mistype,
    pick,
    scrambled,
    stream,
    text,
    weighted,
    where,
    zipf_weights,
)
from kindred.sample.observe import (
    Captured,
    Habits,
    again,
    as_dates,
    company_names,
    copied,
    impossible_dates,
    members,
    observe,
    render_phone,
)
from kindred.sample.output import Output, loaded, parts
from kindred.sample.people import AS_OF, DAY, FIRST_DAY, Companies, People, times, without_accents

CONTACT = Habits(
    email=0.9,
    phone=0.68,
    address=0.6,
    birth=0.4,
    emails=(0.6, 0.03, 0.35, 0.02),
    phones=(0.66, 0.02, 0.22, 0.1),
    office=0.1,
    nickname=0.1,
    junk=0.004,
)
LEAD = Habits(
    email=0.92,
    phone=0.62,
    address=0.55,
    birth=0.0,
    emails=(0.84, 0.04, 0.105, 0.015),
    phones=(0.84, 0.04, 0.08, 0.04),
    office=0.05,
    nickname=0.13,
    typo=0.035,
    junk=0.006,
)
MARKETING = Habits(
    email=0.94,
    phone=0.52,
    address=0.5,
    birth=0.34,
    emails=(0.84, 0.04, 0.105, 0.015),
    phones=(0.86, 0.05, 0.06, 0.03),
    office=0.03,
    nickname=0.11,
    junk=0.004,
)


def company_rows(companies: Companies, rng: Rng, share: float, doubles: float) -> Array:
    """The companies a system holds, some of them twice, in no order."""
    rows = np.flatnonzero(chance(rng, companies.count, share))
    rows = again(rng, rows, doubles)
    rng.shuffle(rows)
    return rows


def seen_companies(companies: Companies, rng: Rng, rows: Array) -> dict[str, Any]:
    """How a system wrote the companies in `rows`: names, sites, phones, addresses."""
    size = len(rows)
    at = pa.array(rows)
    name = company_names(companies, rng, rows)
    name = changed(name, chance(rng, size, 0.15), without_accents)
    host = companies.domain.take(at)
    style = weighted(rng, (0.3, 0.25, 0.25, 0.2), size)
    site = where(
        style == 0,
        host,
        where(
            style == 1,
            cat("www.", host),
            where(style == 2, cat("https://www.", host, "/"), cat("http://", host)),
        ),
    )
    places = companies.places
    street = where(chance(rng, size, 0.4), places.street_short.take(at), places.street.take(at))
    given = chance(rng, size, 0.82)
    return {
        "name": name,
        "domain": blank(
            where(chance(rng, size, 0.25), cat("www.", host), host), ~chance(rng, size, 0.84)
        ),
        "website": blank(site, ~chance(rng, size, 0.8)),
        "phone": blank(
            render_phone(companies.phone[rows], companies.locale[rows], rng),
            ~chance(rng, size, 0.72),
        ),
        "street": blank(mistype(street, chance(rng, size, 0.03), rng), ~given),
        "city": blank(places.city.take(at), ~given),
        "region": blank(places.region.take(at), ~given | chance(rng, size, 0.3)),
        "postcode": blank(places.postcode.take(at), ~given | chance(rng, size, 0.05)),
        "country": pick(pools.COUNTRY_NAMES, companies.locale[rows]),
        "country_code": pick(pools.LOCALES, companies.locale[rows]),
        "industry": blank(companies.industry.take(at), ~chance(rng, size, 0.7)),
        "employees": np.where(
            chance(rng, size, 0.65),
            (companies.employees[rows] * (0.9 + 0.2 * rng.random(size))).astype(np.int64) + 1,
            -1,
        ),
        "revenue": np.where(chance(rng, size, 0.5), companies.revenue[rows], np.nan),
    }


def salesforce(pop: People, seed: int, out: Output) -> None:
    """Accounts, contacts, leads and opportunities."""
    companies = pop.companies
    rng = stream(seed, "salesforce.account")
    rows = company_rows(companies, rng, 0.92, 0.09)
    size = len(rows)
    ids = cat("0015e0000", digits(scrambled(size, rng), 9))
    first_row = np.full(companies.count, -1)
    first_row[rows[::-1]] = np.arange(size)[::-1]
    account_of = pick(ids, first_row)
    seen = seen_companies(companies, rng, rows)
    created = companies.founded[rows]
    updated = np.minimum(created + rng.exponential(120 * DAY, size).astype(np.int64), AS_OF - 60)
    parent = np.where(chance(rng, size, 0.6), companies.parent[rows], -1)
    out.add(
        "salesforce",
        "account",
        {
            "id": ids,
            "name": seen["name"],
            "account_number": blank(
                cat("A-", digits(scrambled(size, rng), 9)), chance(rng, size, 0.4)
            ),
            "parent_id": pick(account_of, parent),
            "website": seen["website"],
            "phone": seen["phone"],
            "industry": seen["industry"],
            "number_of_employees": seen["employees"],
            "annual_revenue": seen["revenue"],
            "type": where(companies.is_paying[rows], "Customer", "Prospect"),
            "billing_street": seen["street"],
            "billing_city": seen["city"],
            "billing_state": seen["region"],
            "billing_postal_code": seen["postcode"],
            "billing_country": seen["country"],
            "billing_country_code": seen["country_code"],
            "is_deleted": chance(rng, size, 0.012),
            "created_date": created,
            "last_modified_date": updated,
            "_fivetran_synced": loaded(updated, rng),
        },
        rng,
    )
    out.know_companies("salesforce:account", ids, rows)

    rng = stream(seed, "salesforce.contact")
    people = again(rng, members(pop, rng, 0.62, pop.company >= 0), 0.07)
    person = copied(rng, observe(pop, rng, people, CONTACT), 0.01)
    size = len(person.person)
    contact_ids = cat("0035e0000", digits(scrambled(size, rng), 9))
    contact_of = np.full(pop.count, -1)
    contact_of[person.person] = np.arange(size)
    out.add(
        "salesforce",
        "contact",
        {
            "id": contact_ids,
            "account_id": blank(pick(account_of, person.company_index), chance(rng, size, 0.06)),
            "first_name": person.first,
            "last_name": person.last,
            "name": person.full,
            "email": person.email,
            "phone": person.phone,
            "mobile_phone": blank(person.mobile, chance(rng, size, 0.2)),
            "title": person.title,
            "birthdate": as_dates(person.birth),
            "mailing_street": person.street,
            "mailing_city": person.city,
            "mailing_state": person.region,
            "mailing_postal_code": person.postcode,
            "mailing_country": person.country,
            "mailing_country_code": person.country_code,
            "has_opted_out_of_email": chance(rng, size, 0.09),
            "do_not_call": chance(rng, size, 0.05),
            "is_deleted": chance(rng, size, 0.015),
            "created_date": person.created,
            "last_modified_date": person.updated,
            "_fivetran_synced": loaded(person.updated, rng),
        },
        rng,
    )
    out.know_persons("salesforce:contact", contact_ids, person.person)

    rng = stream(seed, "salesforce.lead")
    people = again(rng, members(pop, rng, 0.19), 0.06)
    lead = copied(rng, observe(pop, rng, people, LEAD), 0.012)
    size = len(lead.person)
    lead_ids = cat("00Q5e0000", digits(scrambled(size, rng), 9))
    converted = (contact_of[lead.person] >= 0) & chance(rng, size, 0.45)
    company = lead.company
    own = chance(rng, size, 0.12) & ~filled(company)
    company = where(
        own,
        pick(["Self-employed", "n/a", "none", "Privat", "-"], rng.integers(0, 5, size)),
        company,
    )
    employees = np.where(lead.company_index >= 0, companies.employees[lead.company_index], -1)
    out.add(
        "salesforce",
        "lead",
        {
            "id": lead_ids,
            "first_name": lead.first,
            "last_name": lead.last,
            "name": lead.full,
            "company": company,
            "email": lead.email,
            "phone": lead.phone,
            "mobile_phone": blank(lead.mobile, chance(rng, size, 0.6)),
            "title": lead.title,
            "website": blank(pick(companies.domain, lead.company_index), chance(rng, size, 0.5)),
            "number_of_employees": np.where(chance(rng, size, 0.3), employees, -1),
            "street": lead.street,
            "city": lead.city,
            "state": lead.region,
            "postal_code": lead.postcode,
            "country": lead.country,
            "country_code": lead.country_code,
            "status": where(
                converted,
                "Closed - Converted",
                pick(
                    ["Open - Not Contacted", "Working - Contacted", "Closed - Not Converted"],
                    rng.integers(0, 3, size),
                ),
            ),
            "lead_source": pick(
                ["Web", "Trade show", "Referral", "Advertisement", "Partner"],
                rng.integers(0, 5, size),
            ),
            "is_converted": converted,
            "converted_date": np.where(converted, lead.updated, -1),
            "converted_contact_id": pick(
                contact_ids, np.where(converted, contact_of[lead.person], -1)
            ),
            "converted_account_id": pick(account_of, np.where(converted, lead.company_index, -1)),
            "has_opted_out_of_email": chance(rng, size, 0.07),
            "is_deleted": chance(rng, size, 0.02),
            "created_date": lead.created,
            "last_modified_date": lead.updated,
            "_fivetran_synced": loaded(lead.updated, rng),
        },
        rng,
    )
    out.know_persons("salesforce:lead", lead_ids, lead.person)

    rng = stream(seed, "salesforce.opportunity")
    held = np.flatnonzero(first_row >= 0)
    past = np.repeat(held, rng.poisson(1.3, len(held)))
    open_now = held[companies.has_open_deal[held]]
    company_index = np.concatenate([past, open_now])
    is_open = np.arange(len(company_index)) >= len(past)
    size = len(company_index)
    won = ~is_open & chance(rng, size, np.where(companies.is_paying[company_index], 0.75, 0.05))
    began = np.where(
        is_open,
        rng.integers(AS_OF - 150 * DAY, AS_OF - 5 * DAY, size),
        times(rng, size, FIRST_DAY, AS_OF - 120 * DAY),
    )
    closes = np.where(
        is_open, AS_OF + rng.integers(5, 90, size) * DAY, began + rng.integers(10, 110, size) * DAY
    )
    stage = where(
        is_open,
        pick(
            ["Prospecting", "Qualification", "Proposal/Price Quote", "Negotiation/Review"],
            rng.integers(0, 4, size),
        ),
        where(won, "Closed Won", "Closed Lost"),
    )
    updated = np.minimum(np.where(is_open, began + 5 * DAY, closes), AS_OF - 60)
    opportunity = cat("0065e0000", digits(scrambled(size, rng), 9))
    out.add(
        "salesforce",
        "opportunity",
        {
            "id": opportunity,
            "account_id": pick(account_of, company_index),
            "name": cat(
                companies.name.take(pa.array(company_index)),
                " - ",
                pick(["New business", "Renewal", "Upgrade"], rng.integers(0, 3, size)),
            ),
            "stage_name": stage,
            "amount": np.where(
                chance(rng, size, 0.93), np.round(np.exp(rng.normal(9.4, 1.1, size)), 2), np.nan
            ),
            "probability": np.where(
                is_open, rng.integers(1, 9, size) * 10.0, np.where(won, 100.0, 0.0)
            ),
            "type": pick(
                ["New Customer", "Existing Customer - Upgrade", "Existing Customer - Renewal"],
                rng.integers(0, 3, size),
            ),
            "lead_source": pick(
                ["Web", "Trade show", "Referral", "Partner"], rng.integers(0, 4, size)
            ),
            "is_closed": ~is_open,
            "is_won": won,
            "is_deleted": chance(rng, size, 0.01),
            "close_date": closes,
            "created_date": began,
            "last_modified_date": updated,
            "_fivetran_synced": loaded(updated, rng),
        },
        rng,
    )


def hubspot(pop: People, seed: int, out: Output) -> None:
    """Companies, contacts, deals and newsletter events."""
    companies = pop.companies
    rng = stream(seed, "hubspot.company")
    rows = company_rows(companies, rng, 0.78, 0.07)
    size = len(rows)
    ids = 5_000_000_000 + scrambled(size, rng)
    id_of = np.full(companies.count, -1)
    id_of[rows[::-1]] = ids[::-1]
    seen = seen_companies(companies, rng, rows)
    created = companies.founded[rows]
    updated = np.minimum(created + rng.exponential(150 * DAY, size).astype(np.int64), AS_OF - 60)
    employees = blank(digits(np.maximum(seen["employees"], 0)), seen["employees"] < 0)
    employees = where(
        chance(rng, size, 0.01),
        pick(["50-100", "many", "10+"], rng.integers(0, 3, size)),
        employees,
    )
    revenue = pa.array(seen["revenue"], from_pandas=True).cast(pa.int64()).cast(pa.string())
    out.add(
        "hubspot",
        "company",
        {
            "id": ids,
            "property_name": seen["name"],
            "property_domain": seen["domain"],
            "property_website": seen["website"],
            "property_phone": seen["phone"],
            "property_address": seen["street"],
            "property_city": seen["city"],
            "property_state": seen["region"],
            "property_zip": seen["postcode"],
            "property_country": seen["country"],
            "property_industry": seen["industry"],
            "property_numberofemployees": employees,
            "property_annualrevenue": where(chance(rng, size, 0.006), "1.2 Mio", revenue),
            "property_hs_parent_company_id": np.where(
                (companies.parent[rows] >= 0) & chance(rng, size, 0.5),
                id_of[companies.parent[rows]],
                -1,
            ),
            "property_createdate": created,
            "property_hs_lastmodifieddate": updated,
            "is_deleted": chance(rng, size, 0.01),
            "_fivetran_synced": loaded(updated, rng),
        },
        rng,
    )
    out.know_companies("hubspot:company", ids, rows)

    rng = stream(seed, "hubspot.contact")
    people = again(rng, members(pop, rng, np_share(pop)), 0.05)
    person = copied(rng, observe(pop, rng, people, MARKETING), 0.012)
    size = len(person.person)
    contact = 10_000_000_000 + scrambled(size, rng)
    linked = np.where(
        (person.company_index >= 0) & chance(rng, size, 0.75), id_of[person.company_index], -1
    )
    out.add(
        "hubspot",
        "contact",
        {
            "id": contact,
            "property_email": person.email,
            "property_firstname": person.first,
            "property_lastname": person.last,
            "property_phone": person.phone,
            "property_mobilephone": blank(person.mobile, chance(rng, size, 0.6)),
            "property_company": person.company,
            "property_jobtitle": person.title,
            "property_address": person.street,
            "property_city": person.city,
            "property_state": person.region,
            "property_zip": person.postcode,
            "property_country": person.country,
            "property_date_of_birth": impossible_dates(rng, person.birth),
            "property_associatedcompanyid": linked,
            "property_hs_email_optout": chance(rng, size, 0.08),
            "property_createdate": person.created,
            "property_lastmodifieddate": person.updated,
            "_fivetran_deleted": chance(rng, size, 0.012),
            "_fivetran_synced": loaded(person.updated, rng),
        },
        rng,
    )
    out.know_persons("hubspot:contact", contact, person.person)
    _deals(pop, seed, out, id_of)
    _email_events(pop, seed, out, person)


def np_share(pop: People) -> Any:
    """How likely HubSpot knows each person: those with an employer sooner."""
    return np.where(pop.company >= 0, 0.5, 0.27)


def _deals(pop: People, seed: int, out: Output, id_of: Array) -> None:
    companies = pop.companies
    rng = stream(seed, "hubspot.deal")
    held = np.flatnonzero(id_of >= 0)
    company = np.repeat(held, rng.poisson(0.8, len(held)))
    size = len(company)
    open_now = companies.has_open_deal[company] & chance(rng, size, 0.5)
    won = ~open_now & chance(rng, size, np.where(companies.is_paying[company], 0.7, 0.05))
    began = np.where(
        open_now,
        rng.integers(AS_OF - 120 * DAY, AS_OF - 5 * DAY, size),
        times(rng, size, FIRST_DAY, AS_OF - 100 * DAY),
    )
    closes = np.where(open_now, AS_OF + 30 * DAY, began + rng.integers(10, 95, size) * DAY)
    deal = 20_000_000_000 + scrambled(size, rng)
    synced = loaded(np.minimum(began + 10 * DAY, AS_OF - 60), rng)
    amount = digits(np.exp(rng.normal(9.1, 1.0, size)).astype(np.int64))
    out.add(
        "hubspot",
        "deal",
        {
            "deal_id": deal,
            "property_dealname": cat(companies.name.take(pa.array(company)), " - HubSpot deal"),
            "property_amount": where(chance(rng, size, 0.01), "tbd", amount),
            "property_closedate": closes,
            "property_createdate": began,
            "property_hs_is_closed": ~open_now,
            "property_hs_is_closed_won": won,
            "deal_pipeline_id": "default",
            "deal_pipeline_stage_id": where(
                open_now, "qualifiedtobuy", where(won, "closedwon", "closedlost")
            ),
            "owner_id": rng.integers(100, 130, size),
            "is_deleted": chance(rng, size, 0.01),
            "_fivetran_synced": synced,
        },
        rng,
    )
    out.add(
        "hubspot",
        "deal_company",
        {
            "deal_id": deal,
            "company_id": id_of[company],
            "type_id": np.full(size, 5),
            "category": "HUBSPOT_DEFINED",
            "_fivetran_synced": synced,
        },
        rng,
    )
    out.add(
        "hubspot",
        "deal_pipeline_stage",
        {
            "stage_id": text(["qualifiedtobuy", "closedwon", "closedlost"]),
            "pipeline_id": "default",
            "label": text(["Qualified to buy", "Closed won", "Closed lost"]),
            "closed_won": np.array([False, True, False]),
            "is_closed": np.array([False, True, True]),
            "probability": np.array([0.4, 1.0, 0.0]),
            "_fivetran_synced": np.full(3, FIRST_DAY),
        },
        rng,
    )


def _email_events(pop: People, seed: int, out: Output, person: Captured) -> None:
    rng = stream(seed, "hubspot.email_event")
    kinds = [
        "SENT",
        "DELIVERED",
        "OPEN",
        "CLICK",
        "BOUNCE",
        "SPAMREPORT",
        "STATUSCHANGE",
        "DEFERRED",
        "DROPPED",
        "PROCESSED",
    ]
    weights = (0.27, 0.26, 0.26, 0.09, 0.012, 0.002, 0.006, 0.02, 0.01, 0.07)
    sendable = np.flatnonzero(filled(person.email))
    for rows in parts(len(sendable)):
        at = sendable[rows]
        who = person.person[at]
        index = at[
            np.repeat(np.arange(len(at)), rng.poisson(11 * np.minimum(pop.activity[who], 4) ** 0.7))
        ]
        who = person.person[index]
        moment = times(
            rng,
            len(index),
            person.created[index],
            np.maximum(pop.end[who], person.created[index] + DAY).clip(max=AS_OF - 60),
        )
        out.add(
            "hubspot",
            "email_event",
            {
                "id": hex_ids(rng, len(index)),
                "type": pick(kinds, weighted(rng, weights, len(index))),
                "recipient": pc.utf8_lower(
                    pc.utf8_trim_whitespace(person.email.take(pa.array(index)))
                ),
                "created": moment,
                "email_campaign_id": 70_000 + draw(rng, zipf_weights(140, 20), len(index)),
                "filtered_event": chance(rng, len(index), 0.02),
                "_fivetran_synced": loaded(moment, rng),
            },
            rng,
        )
