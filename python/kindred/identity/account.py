"""The settings of company matching: fields, likeness, blocking, deterministic rules, junk."""

from __future__ import annotations

from kindred.identity.company_names import (
    COUNTRY_LETTERS,
    SPELLED_FORMS,
    UNSPACED_FORMS,
    suffix_table,
    word_table,
)
from kindred.identity.entity import (
    NO_VALUE,
    Comparison,
    Entity,
    JunkRule,
    Level,
    PairKind,
    Rule,
    Step,
)

# A legal form, a comma, and then what is no part of the name: a seat, a country's letters.
_FORM_AND_MORE = (
    r"^(.*[\s.,](n\W? ?v|b\W? ?v|a\W?g|s\W?a|gmbh|mbh|kg|se|inc|corp|llc|llp|ltd|limited|plc"
    r"|sarl|sas|srl|spa|co)[\s.]*),"
)

# What registers add to a name: a seat and the letters of a country, or only the letters.
_SEAT = r"((,[^,]{2,30})?,|[\[(]) ?(" + "|".join(COUNTRY_LETTERS) + r")\W*$"

# Runs of single letters are one word (n v), and a form at the end of one is its own (dsmnv).
_LETTERS = r"""
    trim(regexp_replace(regexp_replace(replace(
        regexp_replace(replace(' ' || {0} || ' ', ' ', '  '), ' ([a-z]) ', ' <\1> ', 'g'),
        '>  <', ''), '<([a-z]{{2,}}?)(nv|bv|plc|llc|ltd|inc)>', '\1 \2', 'g'), '[<> ]+', ' ', 'g'))
"""

# Forms that are written next to the name without a space, and one that holds a quotation mark.
_UNSPACED = "regexp_replace({0}, '" + "|".join(UNSPACED_FORMS) + "', ' ', 'g')"


def _spelled_forms(spoken: str) -> str:
    """SQL of a spelled name in which legal forms of several words are one word."""
    padded = f"' ' || {spoken} || ' '"
    for words, form in SPELLED_FORMS.items():
        padded = f"replace({padded}, ' {words} ', ' {form} ')"
    return f"trim({padded})"


# Spellings of one sound, as names are written by ear or in another alphabet.
_SOUND = "string_agg(word, '' order by place) filter (where kind in ('own', 'trade', 'place'))"
for _heard, _written in (
    ("ae", "a"), ("oe", "o"), ("ue", "u"), ("ph", "f"), ("sch", "sh"), ("ck", "k"), ("c", "k"),
    ("q", "k"), ("x", "ks"), ("z", "s"), ("y", "i"), ("w", "v"), ("eh", "e"),
    *((2 * letter, letter) for letter in "aefgiklmnoprst"),
):  # fmt: skip
    _SOUND = f"replace({_SOUND}, '{_heard}', '{_written}')"

PREPARE = f"""
with names as (
    select distinct name from given where words(name) is not null
),
parted as (
    select
        name,
        case when contains(stated, ',')
            then coalesce(nullif(regexp_extract(stated, '{_FORM_AND_MORE}', 1, 'i'), ''), stated)
            else stated end as head
    from (select name, regexp_replace(name, '{_SEAT}', '') as stated from names)
),
spelled as (
    select
        name,
        string_split({_spelled_forms(_LETTERS.format(f"words({_UNSPACED.format('head')})"))}, ' ')
            as head,
        string_split({_LETTERS.format("words(substr(name, length(head) + 1))")}, ' ') as tail
    from parted
),
tokens as (
    select name, false as is_tail, unnest(head) as word, generate_subscripts(head, 1) as place
    from spelled
    union all
    select name, true, unnest(tail), 1000 + generate_subscripts(tail, 1)
    from spelled
    where tail is not null
),
known as (
    select
        t.name,
        t.place,
        coalesce(w.usual, t.word) as word,
        case
            when t.word in (
                'the', 'and', 'und', 'et', 'en', 'of', 'de', 'y', 'koninklijke', 'koninklijk',
                'royal', 'societe', 'dite', 'firma', 'stichting', 'publ'
            ) then 'joint'
            when l.suffix is not null then 'form'
            when t.is_tail and not coalesce(w.kind = 'place' and length(t.word) > 2, false)
                then 'tail'
            else coalesce(w.kind, 'own')
        end as kind,
        w.country,
        l.stands
    from tokens as t
    left join company_words as w on t.word = w.word
    left join legal_suffixes as l on t.word = l.suffix
),
placed as (
    select
        *,
        count(*) filter (where kind not in ('form', 'joint', 'tail'))
            over (partition by name order by place) as before,
        count(*) filter (where kind not in ('form', 'joint', 'tail', 'place'))
            over (partition by name) as words
    from known
),
-- A short form in the middle of a name is a word of it (Pa and Sons), as is a name of forms only.
meant as (
    select
        * replace (
            case
                when kind = 'form' and words > 0
                    and not (stands = 'anywhere' or before = words
                        or before = 0 and stands = 'either end')
                    then 'own'
                else kind
            end as kind
        )
    from placed
),
worded as (
    select
        name,
        coalesce(
            string_agg(word, ' ' order by place) filter (where kind in ('own', 'trade', 'place')),
            words(name)
        ) as full,
        string_agg(word, ' ' order by place) filter (where kind in ('own', 'trade')) as base,
        string_agg(word, ' ' order by place) filter (where kind = 'own') as core,
        arg_min(word, place) filter (where kind = 'own' and length(word) > 1) as brand,
        {_SOUND} as sound,
        string_agg(word, ' ' order by word) filter (where kind = 'trade') as trade,
        string_agg(distinct word, ' ' order by word) filter (where kind = 'place') as region,
        min(country) filter (where kind = 'place') as country
    from meant
    group by name
),
counted as (
    select word, count(distinct name) as n from meant where kind in ('own', 'trade') group by word
),
rarest as (
    select
        m.name,
        arg_min(
            m.word,
            case m.kind when 'own' then 0 else 1000000000000 end
            + c.n * 1000000 - length(m.word) * 1000 + ascii(m.word)
        ) as rare_token,
        arg_min(
            m.word,
            case m.kind when 'own' then 0 else 1000000000000 end
            + c.n * 1000000 - length(m.word) * 1000 + ascii(m.word),
            3
        ) as rare_words
    from meant as m
    inner join counted as c on m.word = c.word
    where m.kind in ('own', 'trade')
    group by m.name
),
hosts as (
    select
        domain,
        nullif(regexp_replace(
            lower(trim(domain)), '^([a-z]+://)?(www[0-9]?\\.)?|[/?#:].*$', '', 'g'), ''
        ) as host
    from (select distinct domain from given where domain is not null)
),
labels as (
    select
        domain,
        string_split(host, '.') as labels,
        unnest(generate_series(1, len(string_split(host, '.')))) as place
    from hosts
    where contains(host, '.')
),
tails as (
    select
        domain,
        labels,
        place,
        unnest([
            array_to_string(labels[place:], '.'),
            '!' || array_to_string(labels[place:], '.'),
            '*.' || array_to_string(labels[place + 1:], '.')
        ]) as suffix
    from labels
),
ends as (
    select
        t.domain,
        t.labels,
        t.place,
        s.is_shared,
        t.place + case when t.suffix like '!%' then 1 else 0 end as first_of_suffix
    from tails as t
    inner join public_suffixes as s on t.suffix = s.suffix
),
registrable as (
    select
        domain,
        arg_min(array_to_string(labels[greatest(first_of_suffix - 1, 1):], '.'), place) as own,
        arg_min(is_shared, place) as is_shared
    from ends
    group by domain
),
sites as (
    select
        h.domain as given_domain,
        h.host,
        case
            when h.host in (select domain from freemail_domains) or r.is_shared then null
            when contains(h.host, '.') then coalesce(r.own, h.host)
        end as domain
    from hosts as h
    left join registrable as r on h.domain = r.domain
),
given_fields as (
    select
        record_id,
        source,
        name as given_name,
        domain as given_domain,
        words(name) as full_name,
        digits(phone) as phone,
        regexp_replace(phone, '[^0-9+]', '', 'g') as raw_phone,
        words(street) as street,
        words(city) as city,
        nullif(regexp_replace(upper(postcode), '[^A-Z0-9]', '', 'g'), '') as postcode,
        nullif(regexp_replace(
            regexp_replace(upper(registration_number), '[^A-Z0-9]', '', 'g'),
            '^([A-Z]*)0+', '\\1'
        ), '') as registration,
        nullif(upper(trim(country_code)), '') as country_code
    from given
)
select
    g.record_id,
    g.source,
    g.full_name,
    w.full as name,
    replace(w.full, ' ', '') as name_joined,
    left(replace(w.full, ' ', ''), 5) as name_start,
    split_part(w.full, ' ', 1) as name_first,
    array_to_string(list_sort(string_split(w.full, ' ')), ' ') as name_sorted,
    coalesce(w.base, w.full) as base,
    coalesce(w.core, w.base, w.full) as core,
    coalesce(w.trade, '') as trade,
    coalesce(w.region, '') as region,
    string_split(w.full, ' ') as words,
    w.brand,
    w.sound,
    r.rare_token,
    r.rare_words,
    s.domain,
    split_part(s.domain, '.', 1) as domain_label,
    s.host,
    g.phone,
    g.raw_phone,
    right(g.phone, 6) as phone_end,
    regexp_extract(g.street, '(\\d+)', 1) as house,
    street_words(g.street) as street,
    left(street_words(g.street), 5) as street_start,
    g.postcode,
    left(g.postcode, 3) as outcode,
    g.city,
    coalesce(
        g.country_code,
        w.country,
        case
            when split_part(s.domain, '.', -1) in ('eu', 'io', 'co', 'ai', 'tv', 'me', 'cc')
                then null
            when split_part(s.domain, '.', -1) = 'uk' then 'GB'
            when length(split_part(s.domain, '.', -1)) = 2
                then upper(split_part(s.domain, '.', -1))
        end
    ) as country,
    g.registration,
    regexp_extract(g.registration, '^[A-Z]*') as register,
    regexp_replace(g.registration, '^[A-Z]*', '') as register_entry
from given_fields as g
left join worded as w on g.given_name = w.name
left join rarest as r on g.given_name = r.name
left join sites as s on g.given_domain = s.given_domain
"""

_TYPO = (
    "case levenshtein({0}_l, {0}_r) when 1 then true"
    " when 2 then damerau_levenshtein({0}_l, {0}_r) = 1 else false end"
)


def _close(field: str, similarity: float) -> str:
    return f"jaro_winkler_similarity({field}_l, {field}_r) >= {similarity}"


ACCOUNT = Entity(
    name="account",
    inputs=(
        "name",
        "domain",
        "phone",
        "street",
        "city",
        "postcode",
        "country_code",
        "registration_number",
    ),
    prepare=(Step("prepared", PREPARE),),
    fields=(
        "name",
        "full_name",
        "domain",
        "phone",
        "house",
        "street",
        "postcode",
        "city",
        "country",
        "registration",
    ),
    names=("name",),
    comparisons=(
        Comparison(
            "name",
            "name without legal form",
            (
                Level("same", "name_l = name_r", 0.6, by_chance=0.0005),
                Level(
                    "same words or letters",
                    "(name_joined_l = name_joined_r or name_sorted_l = name_sorted_r"
                    " or sound_l = sound_r)",
                    0.05,
                    by_chance=0.0002,
                ),
                Level(
                    "the same but for a country",
                    "base_l = base_r and region_l <> region_r",
                    0.01,
                    most=0.005,
                    by_chance=0.0005,
                ),
                Level(
                    "one typo or nearly the same",
                    f"({_close('name_joined', 0.95)} or (levenshtein(name_joined_l, name_joined_r)"
                    " = 1 and length(name_joined_l) > 4 and length(name_joined_r) > 4))"
                    " and region_l = region_r",
                    0.12,
                    by_chance=0.0005,
                ),
                Level(
                    "same name, another line of business",
                    "core_l = core_r and trade_l <> trade_r and trade_l <> '' and trade_r <> ''",
                    0.005,
                    most=0.005,
                    by_chance=0.005,
                ),
                Level(
                    "one holds all words of the other",
                    "(list_has_all(words_l, words_r) or list_has_all(words_r, words_l)"
                    " or starts_with(name_joined_l, name_joined_r)"
                    " or starts_with(name_joined_r, name_joined_l))"
                    " and length(name_joined_l) > 3 and length(name_joined_r) > 3",
                    0.06,
                    by_chance=0.003,
                ),
                Level(
                    "rare words in common",
                    "len(list_intersect(rare_words_l, words_r))"
                    " + len(list_intersect(rare_words_r, words_l)) >= 3",
                    0.05,
                    by_chance=0.01,
                ),
                Level(
                    "same leading word, which is all of one",
                    "brand_l = brand_r and length(brand_l) > 4"
                    " and (core_l = brand_l or core_r = brand_r)",
                    0.05,
                    by_chance=0.002,
                ),
                Level(
                    "same rarest word and alike",
                    f"rare_token_l = rare_token_r and {_close('name', 0.8)}",
                    0.05,
                    by_chance=0.005,
                ),
                Level("same rarest word", "rare_token_l = rare_token_r", 0.03, by_chance=0.02),
                Level("somewhat alike", _close("name_joined", 0.88), 0.03, by_chance=0.05),
                Level("different", "ELSE", 0.06, most=0.2),
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
                    "domain_label_l = domain_label_r",
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
            "country",
            "country",
            (Level("same", "country_l = country_r", 0.98), Level("different", "ELSE", 0.02)),
        ),
        Comparison(
            "registration",
            "registration number",
            (
                Level(
                    "same",
                    "registration_l = registration_r or (register_entry_l = register_entry_r"
                    " and (register_l = '' or register_r = ''))",
                    0.97,
                ),
                # Companies of one group are often neighbours in a register.
                Level(
                    "one typo",
                    f"{_TYPO.format('registration')}"
                    " and right(registration_l, 1) = right(registration_r, 1)",
                    0.02,
                    by_chance=1e-5,
                ),
                Level("different", "ELSE", 0.00001, most=0.00001),
            ),
            # A court's number and a tax number cannot be held against each other.
            skip="(register_l <> register_r and register_entry_l <> register_entry_r)",
            optional=True,
            distinct=True,
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
        PairKind("one address", ("street", "postcode", "city", "phone", "country"), 0.05),
        PairKind("one city", ("postcode", "city", "country"), 0.05),
        PairKind(
            "parent and subsidiary",
            ("name", "domain", "street", "postcode", "city", "phone", "country"),
            0.05,
            akin=0.5,
        ),
        PairKind(
            "sisters in one country",
            ("name", "domain", "street", "postcode", "city", "phone"),
            0.05,
            same=("country",),
            akin=0.5,
        ),
        PairKind(
            "one group at one address",
            ("name",),
            0.05,
            same=("domain", "street", "postcode", "city", "phone", "country"),
            least=0.05,
            told=(
                ("name", "same name, another line of business", 0.7),
                ("name", "one holds all words of the other", 0.05),
                ("name", "same leading word, which is all of one", 0.05),
                ("name", "different", 0.05),
                ("name", "same", 0.005),
                ("name", "same words or letters", 0.001),
                ("name", "one typo or nearly the same", 0.005),
            ),
        ),
    ),
    rules=(
        Rule("same registration number and name", ("registration", "name")),
        Rule("same name and domain", ("name", "domain"), ("registration",)),
        Rule("same name and phone", ("name", "phone"), ("registration",)),
        Rule(
            "same name, street and postcode",
            ("name", "house", "street", "postcode"),
            ("registration",),
        ),
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
            NO_VALUE,
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
    cut=-3.0,
    disagreeing=(0.1, 0.25),
    lowest_cut=-5.0,
    tables=(("company_words", word_table), ("public_suffixes", suffix_table)),
)
