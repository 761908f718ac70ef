"""Stripe, Shopify and the tills of the stores: what people buy, and what they give back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

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
    rank_within,
    scrambled,
    stream,
    weighted,
    where,
    zipf_weights,
)
from kindred.sample.observe import (
    Captured,
    Habits,
    again,
    copied,
    impossible_dates,
    members,
    observe,
)
from kindred.sample.output import Output, loaded, parts
from kindred.sample.people import AS_OF, DAY, People, times
from kindred.sample.web import PRODUCTS

BILLED = Habits(
    email=0.94,
    phone=0.42,
    address=0.74,
    birth=0.0,
    emails=(0.87, 0.05, 0.055, 0.025),
    phones=(0.9, 0.06, 0.02, 0.02),
    office=0.03,
    nickname=0.08,
    initial=0.05,
    accents=0.7,
    junk=0.003,
)
BUYER = Habits(
    email=0.94,
    phone=0.56,
    address=0.85,
    birth=0.0,
    emails=(0.89, 0.06, 0.035, 0.015),
    phones=(0.9, 0.09, 0.005, 0.005),
    office=0.01,
    nickname=0.12,
    junk=0.004,
)
MEMBER = Habits(
    email=0.68,
    phone=0.8,
    address=0.86,
    birth=0.78,
    emails=(0.84, 0.1, 0.02, 0.04),
    phones=(0.72, 0.28, 0.0, 0.0),
    nickname=0.1,
    typo=0.04,
    accents=0.6,
    old=0.3,
    junk=0.005,
    email_typo=0.025,
)
CODES = [c.upper() for c in pools.CURRENCIES]


def first_employees(pop: People) -> Array:
    """For each company one person who works there; -1 where nobody does."""
    out = np.full(pop.companies.count, -1)
    rows = np.flatnonzero(pop.company >= 0)[::-1]
    out[pop.company[rows]] = rows
    return out


def stripe(pop: People, seed: int, out: Output) -> None:
    """Customers, subscriptions, invoices, the charges that pay them, and refunds."""
    rng = stream(seed, "stripe.customer")
    payers = first_employees(pop)[pop.companies.is_paying]
    payers = payers[payers >= 0]
    people = np.union1d(members(pop, rng, 0.3, pop.is_shopper), payers)
    seen = copied(rng, observe(pop, rng, again(rng, people, 0.08), BILLED), 0.008)
    size = len(seen.person)
    ids = cat(
        "cus_", digits(scrambled(size, rng), 9), pick(["Kd", "Qz", "Xa"], rng.integers(0, 3, size))
    )
    live = ~chance(rng, size, 0.012)
    is_payer = np.zeros(pop.count, dtype=bool)
    is_payer[payers] = True
    business = is_payer[seen.person]
    name = where(business & filled(seen.company) & chance(rng, size, 0.18), seen.company, seen.full)
    with_id = chance(rng, size, 0.34)
    metadata = where(
        with_id,
        cat('{"user_id": "', pop.user_id.take(pa.array(seen.person)), '"}'),
        pick(["{}", '{"plan": "basic"}', None], rng.integers(0, 3, size)),
    )
    metadata = where(chance(rng, size, 0.002), '{"user_id": ', metadata)
    currency = pick(pools.CURRENCIES, pop.locale[seen.person])
    out.add(
        "stripe",
        "customer",
        {
            "id": ids,
            "email": seen.email,
            "name": name,
            "phone": seen.phone,
            "description": where(business, seen.company, None),
            "address_line_1": seen.street,
            "address_city": seen.city,
            "address_state": seen.region,
            "address_postal_code": seen.postcode,
            "address_country": seen.country_code,
            "metadata": metadata,
            "currency": currency,
            "livemode": live,
            "is_deleted": chance(rng, size, 0.012),
            "created": seen.created,
            "_fivetran_synced": loaded(seen.updated, rng),
        },
        rng,
    )
    out.know_persons("stripe:customer", ids, seen.person)

    rng = stream(seed, "stripe.money")
    first = rank_within(seen.person) == 0
    subscribed = np.flatnonzero(first & (business | chance(rng, size, 0.2)))
    who = seen.person[subscribed]
    corporate = business[subscribed]
    company = np.where(corporate, pop.company[who], 0)
    growing = corporate & pop.companies.is_growing[company]
    began = np.minimum(seen.created[subscribed], AS_OF - 120 * DAY * corporate - DAY)
    ends = np.where(
        corporate & (growing | chance(rng, len(who), 0.8)),
        AS_OF,
        np.maximum(pop.end[who], began + 5 * DAY),
    )
    stopped = ends < AS_OF - 40 * DAY
    sub_ids = cat("sub_", hex_ids(rng, len(who), 8))
    months = np.maximum((ends - began) // (30 * DAY), 0) + 1
    out.add(
        "stripe",
        "subscription",
        {
            "id": sub_ids,
            "customer_id": ids.take(pa.array(subscribed)),
            "status": where(
                stopped, "canceled", where(chance(rng, len(who), 0.04), "past_due", "active")
            ),
            "quantity": np.where(corporate, 1 + rng.poisson(6, len(who)), 1),
            "start_date": began,
            "current_period_start": began + (months - 1) * 30 * DAY,
            "current_period_end": began + months * 30 * DAY,
            "canceled_at": np.where(stopped, ends, -1),
            "ended_at": np.where(stopped, ends, -1),
            "livemode": live[subscribed],
            "created": began,
            "_fivetran_synced": loaded(np.minimum(ends, AS_OF - 60), rng),
        },
        rng,
    )
    index = np.repeat(np.arange(len(who)), months)
    month = rank_within(index)
    issued = began[index] + month * 30 * DAY
    keep = issued < AS_OF - 60
    index, month, issued = index[keep], month[keep], issued[keep]
    count = len(index)
    base = np.where(
        corporate, np.exp(rng.normal(6.2, 1.0, len(who))), np.exp(rng.normal(2.7, 0.4, len(who)))
    )[index]
    age = (AS_OF - issued) / (30 * DAY)
    amount = (
        base
        * np.where(growing[index], 1.9 * np.exp(-age * 0.09), 1.0)
        * (0.95 + 0.1 * rng.random(count))
    )
    cents = np.maximum((amount * 100).astype(np.int64), 100)
    paid = ~chance(rng, count, 0.03)
    fate = np.where(paid, 0, rng.integers(1, 4, count))
    customer = subscribed[index]
    invoice = cat("in_", hex_ids(rng, count, 8))
    money = currency.take(pa.array(customer))
    out.add(
        "stripe",
        "invoice",
        {
            "id": invoice,
            "customer_id": ids.take(pa.array(customer)),
            "subscription_id": sub_ids.take(pa.array(index)),
            "total": cents,
            "amount_due": cents,
            "amount_paid": np.where(paid, cents, 0),
            "currency": money,
            "status": pick(["paid", "open", "void", "uncollectible"], fate),
            "paid": paid,
            "number": cat("INV-", digits(scrambled(count, rng), 9)),
            "period_start": issued,
            "period_end": issued + 30 * DAY,
            "is_deleted": chance(rng, count, 0.002),
            "livemode": live[customer],
            "created": issued,
            "_fivetran_synced": loaded(issued, rng),
        },
        rng,
    )

    single = np.repeat(
        np.arange(size),
        np.where(business, 0, rng.poisson(1.1 * np.minimum(pop.activity[seen.person], 6))),
    )
    once = times(
        rng,
        len(single),
        seen.created[single],
        np.maximum(pop.end[seen.person[single]], seen.created[single] + 3600),
    )
    charged = np.concatenate([customer, single])
    total = len(charged)
    value = np.concatenate(
        [cents, np.maximum((np.exp(rng.normal(3.7, 0.8, len(single))) * 100).astype(np.int64), 100)]
    )
    moment = np.minimum(np.concatenate([issued + 3600, once]), AS_OF - 30)
    fine = np.concatenate([paid, ~chance(rng, len(single), 0.05)])
    given_back = fine & chance(rng, total, 0.025)
    partly = given_back & chance(rng, total, 0.4)
    back = np.where(given_back, np.where(partly, value // 2, value), 0)
    charge = cat("ch_", hex_ids(rng, total, 8))
    invoice_of = pa.concat_arrays([invoice, pa.nulls(len(single), pa.string())])
    money = currency.take(pa.array(charged))
    out.add(
        "stripe",
        "charge",
        {
            "id": charge,
            "customer_id": ids.take(pa.array(charged)),
            "amount": value,
            "amount_refunded": back,
            "currency": money,
            "status": where(fine, "succeeded", "failed"),
            "paid": fine,
            "refunded": given_back & ~partly,
            "captured": fine,
            "invoice_id": invoice_of,
            "payment_intent_id": cat("pi_", hex_ids(rng, total, 8)),
            "receipt_email": blank(seen.email.take(pa.array(charged)), chance(rng, total, 0.3)),
            "description": where(filled(invoice_of), "Subscription", "Service"),
            "livemode": live[charged],
            "created": moment,
            "_fivetran_synced": loaded(moment, rng),
        },
        rng,
    )
    rows = np.flatnonzero(given_back)
    when = np.minimum(moment[rows] + rng.integers(3600, 20 * DAY, len(rows)), AS_OF - 30)
    out.add(
        "stripe",
        "refund",
        {
            "id": cat("re_", hex_ids(rng, len(rows), 8)),
            "charge_id": charge.take(pa.array(rows)),
            "amount": back[rows],
            "currency": money.take(pa.array(rows)),
            "status": "succeeded",
            "reason": pick(
                ["requested_by_customer", "duplicate", None], rng.integers(0, 3, len(rows))
            ),
            "created": when,
            "_fivetran_synced": loaded(when, rng),
        },
        rng,
    )


def shopify(pop: People, seed: int, out: Output) -> None:
    """Customers with addresses, orders with lines, refunds."""
    rng = stream(seed, "shopify.customer")
    people = again(rng, members(pop, rng, 0.58, pop.is_shopper), 0.13)
    seen = copied(rng, observe(pop, rng, people, BUYER), 0.01)
    size = len(seen.person)
    ids = 7_000_000_000_000 + scrambled(size, rng)
    who = seen.person
    mean = np.minimum(4.2 * pop.activity[who], 45) * np.minimum(
        1.0, 0.25 + (pop.end[who] - pop.start[who]) / (300 * DAY)
    )
    orders = rng.poisson(mean)
    orders = np.where((orders == 0) & chance(rng, size, 0.75), 1, orders)
    spent = np.round(orders * np.exp(rng.normal(4.1, 0.5, size)), 2)
    consent = weighted(rng, (0.46, 0.3, 0.1, 0.14), size)
    currency = pick(CODES, pop.locale[who])
    # people who came lately bought lately
    fresh = pop.start[who] > AS_OF - 30 * DAY
    created = np.where(fresh, np.minimum(pop.start[who] + 60, AS_OF - DAY // 2), seen.created)
    updated = np.minimum(np.maximum(seen.updated, created), AS_OF - 60)
    out.add(
        "shopify",
        "customer",
        {
            "id": ids,
            "email": seen.email,
            "first_name": seen.first,
            "last_name": seen.last,
            "phone": seen.phone,
            "state": pick(
                ["ENABLED", "DISABLED", "INVITED"], weighted(rng, (0.55, 0.42, 0.03), size)
            ),
            "note": pick(
                ["Prefers evening delivery", "VIP", "Leave at door"],
                np.where(chance(rng, size, 0.03), rng.integers(0, 3, size), -1),
            ),
            "currency": currency,
            "orders_count": orders,
            "total_spent": spent,
            "verified_email": chance(rng, size, 0.8),
            "email_marketing_consent_state": pick(
                ["SUBSCRIBED", "NOT_SUBSCRIBED", "UNSUBSCRIBED", "PENDING"], consent
            ),
            "email_marketing_consent_opt_in_level": pick(
                ["SINGLE_OPT_IN", "CONFIRMED_OPT_IN"],
                np.where(consent == 0, rng.integers(0, 2, size), -1),
            ),
            "email_marketing_consent_updated_at": np.where(
                consent == 1, -1, np.minimum(created + DAY, AS_OF - 60)
            ),
            "created_at": created,
            "updated_at": updated,
            "_fivetran_synced": loaded(updated, rng),
        },
        rng,
    )
    out.know_persons("shopify:customer", ids, who)

    rng = stream(seed, "shopify.customer_address")
    with_address = np.flatnonzero(filled(seen.street) | filled(seen.postcode))
    at = pa.array(with_address)
    count = len(with_address)
    out.add(
        "shopify",
        "customer_address",
        {
            "id": 8_000_000_000_000 + scrambled(count, rng),
            "customer_id": ids[with_address],
            "first_name": seen.first.take(at),
            "last_name": seen.last.take(at),
            "name": seen.full.take(at),
            "company": blank(seen.company.take(at), ~chance(rng, count, 0.06)),
            "address_1": seen.street.take(at),
            "city": seen.city.take(at),
            "province": seen.region.take(at),
            "zip": seen.postcode.take(at),
            "country": seen.country.take(at),
            "country_code": seen.country_code.take(at),
            "phone": blank(seen.phone.take(at), chance(rng, count, 0.5)),
            "is_default": True,
            "_fivetran_synced": loaded(updated[with_address], rng),
        },
        rng,
    )
    _orders(pop, seed, out, seen, ids, orders, created, currency)


def _orders(
    pop: People,
    seed: int,
    out: Output,
    seen: Captured,
    ids: Array,
    orders: Array,
    created: Array,
    currency: Text,
) -> None:
    rng = stream(seed, "shopify.order")
    goods = zipf_weights(len(PRODUCTS), 8)
    numbers = np.cumsum([0, *orders])
    total_orders = int(numbers[-1])
    order_ids = 5_500_000_000_000 + scrambled(total_orders, rng)
    spender = np.exp(rng.normal(0, 0.55, len(ids)))
    for rows in parts(len(ids), 40_000):
        index = rows[np.repeat(np.arange(len(rows)), orders[rows])]
        size = len(index)
        if not size:
            continue
        at = pa.array(index)
        order = order_ids[numbers[rows[0]] : numbers[rows[-1] + 1]]
        who = seen.person[index]
        moment = times(
            rng,
            size,
            created[index],
            np.maximum(pop.end[who], created[index] + DAY).clip(max=AS_OF - 600),
        )
        moment = np.where(rank_within(index) == 0, created[index] + 300, moment)
        lines = 1 + rng.poisson(0.7, size)
        line_of = np.repeat(np.arange(size), lines)
        item = draw(rng, goods, len(line_of))
        quantity = 1 + rng.poisson(0.25, len(line_of))
        price = np.round(
            (8 + item % 70) * np.exp(rng.normal(0.1, 0.25, len(line_of))) * spender[index][line_of],
            2,
        )
        discount = np.where(chance(rng, len(line_of), 0.15), np.round(price * 0.1, 2), 0.0)
        total = np.round(np.bincount(line_of, price * quantity - discount, size), 2)
        state = weighted(rng, (0.9, 0.025, 0.035, 0.02, 0.02), size)
        cancelled = state == 4
        gone = chance(rng, size, 0.002)
        code = currency.take(at)
        guest = chance(rng, size, 0.02)
        out.add(
            "shopify",
            "order",
            {
                "id": order,
                "customer_id": np.where(guest, -1, ids[index]),
                "email": seen.email.take(at),
                "name": cat("#", digits(1000 + numbers[rows[0]] + np.arange(size))),
                "number": 1000 + numbers[rows[0]] + np.arange(size),
                "total_price_set_shop_amount": total,
                "total_price_set_shop_currency_code": code,
                "currency_code": code,
                "display_financial_status": pick(
                    ["PAID", "PENDING", "REFUNDED", "PARTIALLY_REFUNDED", "VOIDED"], state
                ),
                "display_fulfillment_status": where(cancelled, "UNFULFILLED", "FULFILLED"),
                "cancelled_at": np.where(cancelled, moment + 7200, -1),
                "cancel_reason": where(cancelled, "CUSTOMER", None),
                "source_name": pick(["web", "web", "iphone", "android"], rng.integers(0, 4, size)),
                "test": chance(rng, size, 0.003),
                "customer_accepts_marketing": chance(rng, size, 0.4),
                "shipping_address_first_name": seen.first.take(at),
                "shipping_address_last_name": seen.last.take(at),
                "shipping_address_address_1": seen.street.take(at),
                "shipping_address_city": seen.city.take(at),
                "shipping_address_zip": seen.postcode.take(at),
                "shipping_address_country_code": seen.country_code.take(at),
                "processed_at": moment + 20,
                "created_at": moment,
                "updated_at": np.minimum(moment + 3 * DAY, AS_OF - 30),
                "_fivetran_deleted": gone,
                "_fivetran_synced": loaded(np.minimum(moment + 3 * DAY, AS_OF - 30), rng),
            },
            rng,
        )
        out.add(
            "shopify",
            "order_line",
            {
                "id": order[line_of] * 10 + rank_within(line_of),
                "order_id": order[line_of],
                "product_id": 1000 + item,
                "variant_id": 50_000 + item,
                "sku": cat("SKU-", digits(item, 4)),
                "title": pick(PRODUCTS, item),
                "name": pick(PRODUCTS, item),
                "vendor": pick(["Nordic Home", "Fieldwork", "Atelier"], item % 3),
                "quantity": quantity,
                "original_total_set_shop_amount": np.round(price * quantity, 2),
                "total_discount_set_shop_amount": discount,
                "_fivetran_synced": loaded(moment[line_of], rng),
            },
            rng,
        )
        back = np.flatnonzero((state == 2) | (state == 3))
        when = np.minimum(moment[back] + rng.integers(DAY, 25 * DAY, len(back)), AS_OF - 30)
        out.add(
            "shopify",
            "refund",
            {
                "id": order[back] + 400_000_000_000,
                "order_id": order[back],
                "note": pick(["Damaged", "Changed mind", None], rng.integers(0, 3, len(back))),
                "total_refunded_set_shop_amount": np.where(
                    state[back] == 2, total[back], np.round(total[back] * 0.4, 2)
                ),
                "total_refunded_set_shop_currency_code": code.take(pa.array(back)),
                "created_at": when,
                "updated_at": when,
                "_fivetran_synced": loaded(when, rng),
            },
            rng,
        )


def pos(pop: People, seed: int, out: Output) -> None:
    """Loyalty members, what they buy in stores, and their visits."""
    rng = stream(seed, "pos.loyalty_member")
    people = again(rng, members(pop, rng, 0.58, pop.is_store_goer), 0.06)
    seen = copied(rng, observe(pop, rng, people, MEMBER), 0.012)
    size = len(seen.person)
    ids = cat("L", digits(scrambled(size, rng), 9))
    stores = [f"S{n:03d}" for n in range(1, 81)]
    # eight countries with ten stores each
    home = pop.locale[seen.person] * 10 + (rng.random(size) ** 2 * 10).astype(np.int64)
    is_test = chance(rng, size, 0.004)
    out.add(
        "pos",
        "loyalty_member",
        {
            "loyalty_id": ids,
            "first_name": seen.first,
            "last_name": seen.last,
            "email": seen.email,
            "phone": seen.phone,
            "birth_date": impossible_dates(rng, seen.birth),
            "street": seen.street,
            "city": seen.city,
            "region": seen.region,
            "postal_code": seen.postcode,
            "country": seen.country,
            "home_store_id": pick(stores, home),
            "email_opt_in": chance(rng, size, 0.5),
            "sms_opt_in": chance(rng, size, 0.28),
            "post_opt_in": chance(rng, size, 0.42),
            "is_test": is_test,
            "is_deleted": chance(rng, size, 0.012),
            "joined_at": seen.created,
            "updated_at": seen.updated,
            "loaded_at": loaded(seen.updated, rng),
        },
        rng,
    )
    out.know_persons("pos:loyalty_member", ids, seen.person)

    rng = stream(seed, "pos.visits")
    who = seen.person
    mean = 4.0 * np.minimum(pop.activity[who], 8)
    for rows in parts(size, 60_000):
        for table in ("store_transaction", "store_visit"):
            index = rows[np.repeat(np.arange(len(rows)), rng.poisson(mean[rows] + 0.4))]
            count = len(index)
            moment = times(
                rng,
                count,
                seen.created[index],
                np.maximum(pop.end[who[index]], seen.created[index] + DAY).clip(max=AS_OF - 600),
            )
            card = blank(ids.take(pa.array(index)), chance(rng, count, 0.04))
            store = pick(
                stores, np.where(chance(rng, count, 0.85), home[index], rng.integers(0, 80, count))
            )
            if table == "store_visit":
                out.add(
                    "pos",
                    table,
                    {
                        "visit_id": cat("V", hex_ids(rng, count, 8)),
                        "loyalty_id": card,
                        "store_id": store,
                        "occurred_at": moment,
                        "loaded_at": loaded(moment, rng),
                    },
                    rng,
                )
                continue
            back = chance(rng, count, 0.04)
            out.add(
                "pos",
                table,
                {
                    "transaction_id": cat("T", hex_ids(rng, count, 8)),
                    "loyalty_id": card,
                    "store_id": store,
                    "type": where(back, "return", "sale"),
                    "amount": np.round(np.exp(rng.normal(3.4, 0.75, count)), 2),
                    "currency": pick(CODES, pop.locale[who[index]]),
                    "item_count": 1 + rng.poisson(1.4, count),
                    "payment_method": pick(
                        ["card", "cash", "wallet"], weighted(rng, (0.6, 0.22, 0.18), count)
                    ),
                    "occurred_at": moment,
                    "loaded_at": loaded(moment, rng),
                },
                rng,
            )
