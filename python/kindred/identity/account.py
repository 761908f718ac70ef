"""The settings of company matching: fields, likeness, blocking, deterministic rules, junk."""

from __future__ import annotations

from kindred.identity.entity import Comparison, Entity, JunkRule, Level, PairKind, Rule

PREPARE = """
with spelled as (
    select
        record_id,
        source,
        words(name) as full_name,
        company_words(name) as name,
        nullif(regexp_replace(lower(trim(domain)), '^(https?://)?(www\\.)?|[/?#:].*$', '', 'g'), '')
            as host,
        digits(phone) as phone,
        regexp_replace(phone, '[^0-9+]', '', 'g') as raw_phone,
        words(street) as street,
        words(city) as city,
        nullif(regexp_replace(upper(postcode), '[^A-Z0-9]', '', 'g'), '') as postcode,
        nullif(regexp_replace(upper(registration_number), '[^A-Z0-9]', '', 'g'), '')
            as registration
    from given
),
tokens as (
    select record_id, unnest(list_distinct(string_split(name, ' '))) as token from spelled
),
token_counts as (
    select token, count(*) as n from tokens group by token
),
rarest as (
    select
        t.record_id,
        arg_min(t.token, c.n * 1000000 - length(t.token) * 1000 + ascii(t.token)) as rare_token
    from tokens as t
    inner join token_counts as c on t.token = c.token
    group by t.record_id
)
select
    s.record_id,
    s.source,
    s.full_name,
    s.name,
    replace(s.name, ' ', '') as name_joined,
    left(replace(s.name, ' ', ''), 5) as name_start,
    split_part(s.name, ' ', 1) as name_first,
    array_to_string(list_sort(string_split(s.name, ' ')), ' ') as name_sorted,
    rarest.rare_token,
    case
        when s.host not in (select domain from freemail_domains) and contains(s.host, '.')
            then s.host
    end as domain,
    s.host,
    s.phone,
    s.raw_phone,
    right(s.phone, 6) as phone_end,
    regexp_extract(s.street, '(\\d+)', 1) as house,
    street_words(s.street) as street,
    left(street_words(s.street), 5) as street_start,
    s.postcode,
    left(s.postcode, 3) as outcode,
    s.city,
    s.registration
from spelled as s
left join rarest on s.record_id = rarest.record_id
"""

_TYPO = (
    "case levenshtein({0}_l, {0}_r) when 1 then true"
    " when 2 then damerau_levenshtein({0}_l, {0}_r) = 1 else false end"
)


def _close(field: str, similarity: float) -> str:
    return f"jaro_winkler_similarity({field}_l, {field}_r) >= {similarity}"


ACCOUNT = Entity(
    name="account",
    inputs=("name", "domain", "phone", "street", "city", "postcode", "registration_number"),
    prepare=PREPARE,
    fields=(
        "name",
        "full_name",
        "domain",
        "phone",
        "house",
        "street",
        "postcode",
        "city",
        "registration",
    ),
    names=("name",),
    comparisons=(
        Comparison(
            "name",
            "name without legal form",
            (
                Level("same", "name_l = name_r", 0.6),
                Level(
                    "same words or letters",
                    "(name_joined_l = name_joined_r or name_sorted_l = name_sorted_r)",
                    0.05,
                ),
                Level(
                    "one typo or nearly the same",
                    f"({_close('name_joined', 0.95)} or (levenshtein(name_joined_l, name_joined_r)"
                    " = 1 and length(name_joined_l) > 4 and length(name_joined_r) > 4))",
                    0.12,
                ),
                Level(
                    "one begins the other",
                    "(starts_with(name_joined_l, name_joined_r)"
                    " or starts_with(name_joined_r, name_joined_l))"
                    " and length(name_joined_l) > 3 and length(name_joined_r) > 3",
                    0.06,
                ),
                Level(
                    "same rarest word and alike",
                    f"rare_token_l = rare_token_r and {_close('name', 0.8)}",
                    0.05,
                ),
                Level("same rarest word", "rare_token_l = rare_token_r", 0.03),
                Level("somewhat alike", _close("name_joined", 0.88), 0.03),
                Level("different", "ELSE", 0.06),
            ),
            rarity=True,
        ),
        Comparison(
            "domain",
            "web domain",
            (
                Level("same", "domain_l = domain_r", 0.8),
                Level(
                    "same name under another ending",
                    "split_part(domain_l, '.', 1) = split_part(domain_r, '.', 1)",
                    0.05,
                ),
                Level("different", "ELSE", 0.15),
            ),
            unique=True,
        ),
        Comparison(
            "phone",
            "phone",
            (
                Level("same", "phone_l = phone_r", 0.7),
                Level("one typo", _TYPO.format("phone"), 0.05),
                Level("different", "ELSE", 0.25),
            ),
            unique=True,
        ),
        Comparison(
            "street",
            "street and house number",
            (
                Level("same", "street_l = street_r and house_l is not distinct from house_r", 0.6),
                Level(
                    "nearly the same",
                    f"({_close('street', 0.88)} and house_l is not distinct from house_r)",
                    0.15,
                ),
                Level("same street, other house number", _close("street", 0.92), 0.05),
                Level("different", "ELSE", 0.2),
            ),
        ),
        Comparison(
            "postcode",
            "postcode",
            (
                Level("same", "postcode_l = postcode_r", 0.8),
                Level("one typo", _TYPO.format("postcode"), 0.03),
                Level("same area", "outcode_l = outcode_r", 0.04),
                Level("different", "ELSE", 0.13),
            ),
        ),
        Comparison(
            "city",
            "city",
            (
                Level("same", "city_l = city_r", 0.85),
                Level("nearly the same", _close("city", 0.88), 0.03),
                Level("different", "ELSE", 0.12),
            ),
            rarity=True,
        ),
        Comparison(
            "registration",
            "registration number",
            (
                Level("same", "registration_l = registration_r", 0.9),
                Level("one typo", _TYPO.format("registration"), 0.03),
                Level("different", "ELSE", 0.07),
            ),
            unique=True,
        ),
    ),
    blocking=(
        ("registration",),
        ("domain",),
        ("name", "postcode"),
        ("name", "city"),
        ("phone", "name_start"),
        ("name_joined",),
        ("phone",),
        ("name_sorted",),
        ("house", "street", "postcode"),
        ("name_start", "postcode"),
        ("name_start", "city"),
        ("rare_token", "city"),
        ("rare_token", "outcode"),
        ("rare_token",),
        ("phone_end",),
        ("house", "street_start"),
        ("name_start",),
        ("name_first",),
        ("street", "city"),
        ("postcode",),
        ("outcode",),
        ("city",),
    ),
    matches=(
        PairKind("same company", (), 0.5),
        PairKind("same company, other site", ("street", "postcode", "city", "phone"), 0.05),
    ),
    others=(
        PairKind("one address", ("street", "postcode", "city", "phone"), 0.05),
        PairKind("one city", ("postcode", "city"), 0.05),
        PairKind(
            "parent and subsidiary", ("name", "domain", "street", "postcode", "city", "phone"), 0.05
        ),
    ),
    rules=(
        Rule("same registration number and name", ("registration", "name")),
        Rule("same name and domain", ("name", "domain"), ("registration",)),
        Rule("same name and phone", ("name", "phone"), ("registration",)),
        Rule("same name, street and postcode", ("name", "house", "street", "postcode")),
    ),
    junk=(
        JunkRule("phone", "phone", "raw_phone", ("phone", "phone_end"), ("name",), 20),
        JunkRule("domain", "host", "host", ("domain",), ("name",), 40),
        JunkRule(
            "address",
            "case when street is not null then concat_ws(' ', house, street, postcode) end",
            "cast(null as text)",
            ("house", "street", "street_start"),
            ("name",),
            40,
        ),
        JunkRule(
            "name",
            "cast(null as text)",
            "full_name",
            (
                "name",
                "full_name",
                "name_joined",
                "name_start",
                "name_first",
                "name_sorted",
                "rare_token",
            ),
            (),
            0,
        ),
    ),
    identifying=(("name",), ("domain",), ("registration",)),
    contradiction="coalesce(jaro_winkler_similarity(l.name, r.name) < 0.7, false)",
    weak_identifiers=("email", "phone", "anonymous_id", "domain"),
    id_prefix="acc",
)
