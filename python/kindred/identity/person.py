"""The settings of person matching: fields, likeness, blocking, deterministic rules, junk."""

from __future__ import annotations

from kindred.identity.entity import (
    NO_VALUE,
    Comparison,
    Entity,
    JunkRule,
    Level,
    PairKind,
    Rule,
    Shared,
    Step,
)

WHOLE = """
with spelled as (
    select
        record_id,
        source,
        spelled(first_name) as first_name,
        spelled(last_name) as last_name,
        case
            when contains(full_name, ',')
                then words(regexp_replace(full_name, '^\\s*([^,]+),\\s*(.+)$', '\\2 \\1'))
            else spelled(full_name)
        end as full_name,
        nullif(lower(trim(email)), '') as email,
        digits(phone) as phone,
        regexp_replace(phone, '[^0-9+]', '', 'g') as raw_phone,
        spelled(street) as street,
        spelled(city) as city,
        nullif(regexp_replace(upper(postcode), '[^A-Z0-9]', '', 'g'), '') as postcode,
        date_digits(birth_date) as birth,
        company_words(spelled(company_name)) as said_company,
        lower(company_domain) as company_domain
    from given
)
select
    *,
    coalesce(full_name, first_name || ' ' || last_name, last_name) as whole_name,
    company_words(coalesce(full_name, first_name || ' ' || last_name)) as whole_company
from spelled
"""

# A billing system holds companies in its name column; such a name is the employer, not the person.
# It ends in a legal form, or other records name it as a company.
COMPLETE = """
with without_companies as (
    select
        * replace (
            case when is_company then null else first_name end as first_name,
            case when is_company then null else last_name end as last_name,
            case when is_company then null else full_name end as full_name
        ),
        case when is_company then coalesce(said_company, whole_company) else said_company end
            as company
    from (
        select *, coalesce(
            contains(whole_name, ' ') and (
                split_part(whole_name, ' ', -1) in (
                    'inc', 'ltd', 'llc', 'llp', 'gmbh', 'ag', 'kg', 'plc', 'corp', 'corporation',
                    'limited', 'company', 'bv', 'nv', 'srl', 'sas', 'sarl'
                )
                or whole_company in (select value from known_companies)
            ), false) as is_company
        from whole
    )
),
without_titles as (
    select
        * exclude (first_name, last_name, full_name),
        coalesce(generation(coalesce(last_name, full_name)), generation(first_name)) as suffix,
        untitled(first_name) as first_name,
        untitled(last_name) as last_name,
        untitled(full_name) as full_name
    from without_companies
),
named as (
    select
        * exclude (first_name, last_name, full_name),
        coalesce(
            first_name,
            case when last_name is null then split_part(full_name, ' ', 1) end,
            case
                when full_name like '% ' || last_name
                    then left(full_name, length(full_name) - length(last_name) - 1)
            end
        ) as given,
        coalesce(
            last_name,
            case
                when first_name is null and contains(full_name, ' ')
                    then substr(full_name, instr(full_name, ' ') + 1)
                when full_name like first_name || ' %'
                    then substr(full_name, length(first_name) + 2)
            end
        ) as family
    from without_titles
),
-- Where there is no name, the mailbox may spell one: jane.doe@ or jane_doe42@.
spoken_for as (
    select
        * replace (
            case
                when given is null and family is null
                    then regexp_extract(email, '^([a-z]+)[._-][a-z]{2,}[0-9]*@', 1)
                else given
            end as given,
            case
                when given is null and family is null
                    then regexp_extract(email, '^[a-z]+[._-]([a-z]{2,})[0-9]*@', 1)
                else family
            end as family
        )
    from named
)
select
    * replace (
        nullif(given, '') as given,
        nullif(family, '') as family
    ),
    split_part(nullif(given, ''), ' ', 1) as given_first,
    regexp_extract(street, '(\\d+)', 1) as house,
    regexp_replace(split_part(split_part(email, '@', 1), '+', 1), '[^a-z0-9]', '', 'g')
        as email_user
from spoken_for
"""

# Many live in one street, so each is shortened once.
PREPARED = """
with streets as (
    select street as long_street, street_words(street) as street from complete group by street
)
select
    record_id,
    source,
    given,
    suffix,
    length(given) > 2
    and (
        given_first in (select name from nickname_lists)
        or given_first in (select name from given_names)
        or given in (select value from common_names)
    ) as given_is_known,
    family,
    birth,
    case when email like '%_@_%' then email end as email,
    email_user,
    phone,
    raw_phone,
    house,
    streets.street,
    postcode,
    city,
    company,
    case
        when company_domain not in (select domain from freemail_domains) then company_domain
    end as company_domain,
    said_company,
    whole_company
from complete
left join streets on complete.street = streets.long_street
"""

# What follows from a record's own match fields.
DERIVED = """
    case when contains(given, ' ') then split_part(given, ' ', -1) end as given_last,
    split_part(given, ' ', 1) as given_first,
    left(given, 1) as initial,
    split_part(family, ' ', 1) as family_first,
    split_part(family, ' ', -1) as family_last,
    left(family, 4) as family_start,
    left(birth, 4) as birth_year,
    substr(birth, 5, 4) as birth_day,
    datediff('day', date '1800-01-01', try_cast(
        left(birth, 4) || '-' || substr(birth, 5, 2) || '-' || substr(birth, 7, 2) as date
    )) as birth_number,
    regexp_replace(email_user, '[0-9]+', '', 'g') as email_letters,
    regexp_replace(email_user, '[a-z]+', '', 'g') as email_numbers,
    right(phone, 6) as phone_end,
    left(street, 5) as street_start,
    left(postcode, 3) as outcode,
    left(city, 4) as city_start
"""

LOOKED_UP = """
    coalesce(nicks.stands_for, [told.given_first]) as stands_for,
    coalesce(nicks.initials, [told.initial]) as initials,
    split_part(told.email, '@', 2) in (select domain from freemail_domains) as email_is_private
"""

# A transposition costs two edits; the dear distance is asked only where that can be.
_TYPO = (
    "case levenshtein({0}_l, {0}_r) when 1 then true"
    " when 2 then damerau_levenshtein({0}_l, {0}_r) = 1 else false end"
)


# One name stands in the other's place; of the second name there is the initial, something like it
# or nothing. Or both are only nearly right.
_SWAPPED = (
    "((given_l = family_r and (family_l is null or left(family_l, 1) = initial_r"
    " or jaro_winkler_similarity(family_l, given_r) >= 0.8))"
    " or (given_r = family_l and (family_r is null or left(family_r, 1) = initial_l"
    " or jaro_winkler_similarity(family_r, given_l) >= 0.8))"
    " or (left(family_l, 1) = initial_r and left(family_r, 1) = initial_l"
    " and jaro_winkler_similarity(given_l, family_r) >= 0.88"
    " and jaro_winkler_similarity(family_l, given_r) >= 0.88))"
)


def _close(field: str, similarity: float) -> str:
    return f"jaro_winkler_similarity({field}_l, {field}_r) >= {similarity}"


PERSON = Entity(
    name="person",
    inputs=(
        "first_name",
        "last_name",
        "full_name",
        "email",
        "phone",
        "street",
        "city",
        "postcode",
        "birth_date",
        "company_name",
        "company_domain",
    ),
    prepare=(
        Step("whole", WHOLE),
        Shared(
            "known_companies",
            "whole",
            value="said_company",
            where="contains(said_company, ' ')",
            having="bool_and(said_company is distinct from whole_company)",
            reads="whole_company",
            columns=("said_company", "whole_company"),
        ),
        Step("complete", COMPLETE),
        # Mistyped names are seldom heard twice: two names that many have are two names.
        Shared(
            "common_names",
            "complete",
            value="given",
            where="given is not null",
            having="count(distinct family) >= 5",
            reads="given",
            columns=("given", "family"),
            grows=True,
        ),
        Step("prepared", PREPARED),
    ),
    told_apart_by=("given_is_known", "email_user"),
    beside=("said_company", "whole_company"),
    derived=DERIVED,
    looked_up=LOOKED_UP,
    look_up="left join nickname_lists as nicks on told.given_first = nicks.name",
    fields=(
        "given",
        "family",
        "suffix",
        "birth",
        "email",
        "phone",
        "house",
        "street",
        "postcode",
        "city",
        "company",
        "company_domain",
    ),
    names=("given", "family"),
    comparisons=(
        Comparison(
            "given",
            "first name",
            (
                Level("same", "given_l = given_r", 0.75),
                Level("names swapped", "given_l = family_r and family_l = given_r", 0.01),
                Level("names swapped, one not quite the same", _SWAPPED, 0.01),
                Level(
                    "same initial only",
                    "least(length(given_l), length(given_r)) = 1"
                    " and list_has_any(initials_l, initials_r)",
                    0.02,
                ),
                Level("nickname or part of it", "list_has_any(stands_for_l, stands_for_r)", 0.06),
                Level(
                    "one typo or nearly the same",
                    f"({_close('given', 0.92)} or (levenshtein(given_l, given_r) = 1"
                    " and length(given_l) > 3 and length(given_r) > 3))",
                    0.1,
                ),
                Level("somewhat alike", _close("given", 0.82), 0.03),
                Level(
                    "different, one of them hardly a name",
                    "not (given_is_known_l and given_is_known_r)",
                    0.01,
                ),
                Level("two different first names", "ELSE", 0.01),
            ),
            rarity=True,
            errs_as="family",
            least_errors=0.0002,
            as_wrong=1.0,
        ),
        Comparison(
            "family",
            "last name",
            (
                Level("same", "family_l = family_r", 0.82),
                Level(
                    "one typo or nearly the same",
                    f"({_close('family', 0.92)} or (levenshtein(family_l, family_r) = 1"
                    f" and length(family_l) > 3 and length(family_r) > 3))",
                    0.1,
                ),
                Level(
                    "part of a double name",
                    "(family_first_l = family_first_r or family_last_l = family_last_r"
                    " or family_first_l = family_last_r or family_last_l = family_first_r"
                    " or given_last_l = family_first_r or family_first_l = given_last_r)",
                    0.02,
                ),
                Level(
                    "somewhat alike",
                    f"({_close('family', 0.82)} or levenshtein(family_l, family_r) = 1)",
                    0.02,
                ),
                Level("different", "ELSE", 0.02),
            ),
            skip=f"(given_l <> given_r and {_SWAPPED})",
            rarity=True,
        ),
        # A suffix that is not written says nothing; of two that differ, one man has each.
        Comparison(
            "suffix",
            "Jr., Sr. or number after the name",
            (
                Level("same", "suffix_l = suffix_r", 0.99, by_chance=0.5),
                Level("different", "ELSE", 0.01, most=0.01),
            ),
            optional=True,
            distinct=True,
        ),
        Comparison(
            "namesakes",
            "how many records have this whole name",
            (
                Level("up to 2", "1", 0.3),
                Level("3 or 4", "3", 0.25),
                Level("5 to 7", "5", 0.2),
                Level("8 to 12", "8", 0.1),
                Level("13 to 20", "13", 0.06),
                Level("21 to 40", "21", 0.05),
                Level("over 40", "41", 0.04),
            ),
            holders_of=("given", "family"),
        ),
        Comparison(
            "birth",
            "birth date",
            (
                Level("same", "birth_l = birth_r", 0.85),
                Level(
                    "one typo, or day and month swapped",
                    f"({_TYPO.format('birth')} or (birth_year_l = birth_year_r"
                    " and right(birth_day_l, 2) || left(birth_day_l, 2) = birth_day_r))",
                    0.08,
                ),
                Level(
                    "two of year, month and day the same",
                    "(birth_day_l = birth_day_r"
                    " or (birth_year_l = birth_year_r and right(birth_l, 2) = right(birth_r, 2))"
                    " or left(birth_l, 6) = left(birth_r, 6))",
                    0.03,
                ),
                Level(
                    "two typos, or less than a month apart",
                    "(levenshtein(birth_l, birth_r) <= 2"
                    " or abs(birth_number_l - birth_number_r) <= 31)",
                    0.02,
                ),
                Level("different", "ELSE", 0.02),
            ),
            errs_as="family",
        ),
        Comparison(
            "email",
            "email",
            (
                Level("same", "email_l = email_r", 0.6),
                Level(
                    "same mailbox name",
                    "email_user_l = email_user_r and length(email_user_l) > 3",
                    0.08,
                ),
                Level(
                    "mailbox name nearly the same",
                    "(jaro_winkler_similarity(email_user_l, email_user_r) >= 0.9"
                    " and length(email_user_l) > 4 and length(email_user_r) > 4"
                    " and (email_numbers_l = email_numbers_r or email_numbers_l = ''"
                    " or email_numbers_r = ''))",
                    0.08,
                ),
                Level(
                    "same mailbox name, other numbers",
                    "email_letters_l = email_letters_r and length(email_letters_l) > 4",
                    0.02,
                ),
                Level(
                    "one at work, one private",
                    "email_is_private_l <> email_is_private_r",
                    0.12,
                ),
                Level("different", "ELSE", 0.12),
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
                Level(
                    "same street, other house number",
                    _close("street", 0.92),
                    0.05,
                ),
                Level(
                    "somewhat alike",
                    f"({_close('street', 0.75)} and house_l = house_r)",
                    0.02,
                ),
                Level("different", "ELSE", 0.18),
            ),
        ),
        Comparison(
            "postcode",
            "postcode",
            (
                Level("same", "postcode_l = postcode_r", 0.75),
                Level("one typo", _TYPO.format("postcode"), 0.07),
                Level("same area", "outcode_l = outcode_r", 0.03),
                Level("different", "ELSE", 0.15),
            ),
        ),
        Comparison(
            "city",
            "city",
            (
                Level("same", "city_l = city_r", 0.8),
                Level("nearly the same", _close("city", 0.88), 0.07),
                Level("different", "ELSE", 0.13),
            ),
            rarity=True,
        ),
        Comparison(
            "company",
            "company",
            (
                Level("same", "company_l = company_r", 0.6),
                Level("nearly the same", _close("company", 0.9), 0.1),
                Level("different", "ELSE", 0.3),
            ),
            rarity=True,
        ),
    ),
    blocking=(
        ("email",),
        ("phone", "initial"),
        ("phone", "family_start"),
        ("given", "family", "birth"),
        ("given", "family", "postcode"),
        ("given", "family", "city"),
        ("given", "family", "company"),
        ("email_user", "family_start"),
        ("email_user", "initial"),
        ("family", "birth"),
        ("given", "birth"),
        ("birth", "postcode"),
        ("birth", "city"),
        ("birth", "phone_end"),
        ("phone_end", "city"),
        ("house", "street", "postcode"),
        ("house", "street_start", "city_start"),
        ("family", "postcode"),
        ("given", "postcode"),
        ("family", "house", "street_start"),
        ("given", "house", "street_start"),
        ("family_start", "birth_day"),
        ("initial", "family_start", "birth_year"),
        ("email_user",),
        ("phone",),
        ("given", "family"),
        ("family_start", "initial", "outcode"),
        ("given", "birth_day"),
        ("birth",),
        ("family", "city"),
        ("given", "birth_year"),
        ("family", "initial"),
        ("given", "family_start"),
        ("given", "city"),
        ("family",),
        ("postcode", "initial"),
        ("given",),
        ("birth_day",),
        ("postcode",),
        ("street_start", "house"),
        ("family_start",),
        ("birth_year",),
        ("city",),
    ),
    matches=(
        PairKind("same person", (), 0.5),
        PairKind("same person, moved house", ("street", "postcode", "city", "phone"), 0.05),
    ),
    others=(
        PairKind("neighbours", ("street", "postcode", "city"), 0.05),
        PairKind("one last name in one town", ("family", "postcode", "city"), 0.05),
        PairKind(
            "one household",
            (),
            share=0.05,
            least=0.05,
            same=("family", "street", "postcode", "city"),
            at_times=(("phone", 0.5), ("email", 0.05), ("birth", 0.04)),
        ),
        PairKind(
            "parent and child of one name",
            (),
            share=0.01,
            most=0.01,
            same=("given", "family", "street", "postcode", "city"),
            at_times=(("phone", 0.5), ("email", 0.05)),
            least=0.01,
        ),
        PairKind(
            "namesakes",
            ("email", "namesakes"),
            0.05,
            same=("given", "family"),
            seldom=(("email", "same", 0.01),),
        ),
        PairKind("colleagues", ("company", "phone", "street", "postcode", "city"), 0.05),
    ),
    rules=(
        Rule("same name and email", ("given", "family", "email"), ("birth", "suffix")),
        Rule("same name and phone", ("given", "family", "phone"), ("birth", "suffix")),
        Rule(
            "same name, birth date and postcode",
            ("given", "family", "birth", "postcode"),
            ("suffix",),
        ),
    ),
    junk=(
        JunkRule("email", "email", "email", ("email", "email_user"), ("given", "family"), 20),
        JunkRule("phone", "phone", "raw_phone", ("phone",), ("given", "family"), 20),
        JunkRule(
            "address",
            "case when street is not null then concat_ws(' ', house, street, postcode) end",
            "cast(null as text)",
            ("house", "street"),
            ("given", "family"),
            40,
        ),
        JunkRule(
            "birth_date",
            "birth",
            "birth",
            ("birth",),
            ("family",),
            20,
            crowd=10.0,
        ),
        JunkRule(
            "first_name",
            NO_VALUE,
            "given",
            ("given",),
            (),
            0,
            patterns="name_part",
        ),
        JunkRule(
            "last_name",
            NO_VALUE,
            "family",
            ("family",),
            (),
            0,
            patterns="name_part",
        ),
        JunkRule(
            "name",
            NO_VALUE,
            "concat_ws(' ', given, family)",
            ("given", "family"),
            (),
            0,
        ),
    ),
    identifying=(
        ("email",),
        ("phone", "given"),
        ("given", "family", "birth"),
        ("given", "family", "street"),
        ("given", "family", "company"),
    ),
    contradiction=(
        "coalesce(l.suffix <> r.suffix, false)"
        " or coalesce(jaro_winkler_similarity(l.given, r.given) < 0.7"
        " and not list_has_any(l.stands_for, r.stands_for) and l.initial <> r.initial"
        " and coalesce(l.family <> r.given, true)"
        " and coalesce(jaro_winkler_similarity(l.family, r.family) < 0.9 or l.birth <> r.birth,"
        " true), false)"
    ),
    weak_identifiers=("email", "phone", "anonymous_id", "device_id", "ip"),
    id_prefix="cus",
    cut=-1.0,
    leniency=1.5,
    least_pairs=2_500_000,
)
