{#- How raw text becomes clean values, the same for every source. Each macro takes a text expression. -#}

{#- The text without blanks around it; null where it only says that there is none. -#}
{% macro to_text(expression) -%}
    {{ return(adapter.dispatch('to_text', 'kindred')(expression)) }}
{%- endmacro %}
{#- Words that say that there is nothing, in whatever case. None has more than 15 letters. -#}
{% macro words_for_nothing() -%}
    {{ return(['null', 'n/a', '#n/a', 'none', 'nan', 'undefined', '-', '--', '[object object]']) }}
{%- endmacro %}
{#- By functions alone, one around the other, as any expression can be put in. -#}
{% macro text_but_for_words(expression) -%}
    nullif({{ regexp_replace_all(
        trimmed(expression), "(?i)^(" ~ words_for_nothing() | join("|") | replace("[", "[[]") | replace("t]", "t[]]") ~ ")$", ""
    ) }}, '')
{%- endmacro %}


{#- A person's or a city's name: blanks folded, case kept. -#}
{% macro to_name(expression) -%}
    {{ to_text(regexp_replace_all(expression, '[ \\t\\n\\r\\f]+', ' ')) }}
{%- endmacro %}


{#-
    How the macros below are written: each is a chain of functions around one mention of its expression.
    A macro that names its expression several times grows with every level, until planning a query takes
    longer than running it; and `in` with a long list becomes a join of its own, each time it is written.
-#}

{#- An email address in lower case, or null where the text is none. -#}
{% macro to_email(expression) -%}
    {{ return(adapter.dispatch('to_email', 'kindred')(expression)) }}
{%- endmacro %}
{#- `ending`: the pattern of what follows the last dot. -#}
{% macro email_pattern(ending) -%}
    {%- set word = "[a-z0-9_''+&!#$%*/=?^`{|}~-]+" -%}
    {{ return(word ~ "([.]" ~ word ~ ")*@([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+" ~ ending) }}
{%- endmacro %}
{% macro email_text(expression) -%}
    lower(replace({{ trimmed(expression) }}, 'mailto:', ''))
{%- endmacro %}


{#-
    A phone number as E.164 (+, calling code, number), or null where the text is none. A number without
    calling code is read as one of `country`, a column with a two-letter code; where that is null or
    unknown, of var default_country. Eight to fifteen digits with the calling code (ITU-T E.164);
    one digit over and over is no number.
-#}
{% macro to_phone(expression, country="null") -%}
    {%- set calling_codes = {} -%}
    {%- set trunk_prefixes = {} -%}
    {%- for known in countries() -%}
        {%- do calling_codes.update({known.code: known.calling_code}) -%}
        {%- do trunk_prefixes.update({known.code: known.trunk_prefix}) -%}
    {%- endfor -%}
    {%- set home = var('default_country', 'US') | string | upper -%}
    {%- if home not in calling_codes -%}
        {%- do check_settings() -%}
    {%- endif -%}
    {%- if country == "null" -%}
        {%- set calling_code = "'" ~ calling_codes[home] ~ "'" -%}
        {%- set trunk_prefix = "'" ~ trunk_prefixes[home] ~ "'" -%}
    {%- else -%}
        {%- set calling_code = "coalesce(" ~ lookup(country, calling_codes) ~ ", '" ~ calling_codes[home] ~ "')" -%}
        {%- set trunk_prefix = "coalesce(" ~ lookup(country, trunk_prefixes) ~ ", '" ~ trunk_prefixes[home] ~ "')" -%}
    {%- endif -%}
    {%- set typed = phone_digits(expression) -%}
    {#- '+4420...' where the number names its country, else '44|0|020...' -#}
    {%- set marked = "case when " ~ typed ~ " like '+%' then " ~ typed
        ~ " when length(" ~ typed ~ ") >= 11 and " ~ typed ~ " like " ~ calling_code ~ " || '%' then '+' || " ~ typed
        ~ " else " ~ calling_code ~ " || '|' || " ~ trunk_prefix ~ " || '|' || " ~ typed ~ " end" -%}
    {{ regexp_extract(
        regexp_replace_all(marked, "^([0-9]+)[|](?:0[|]0?|06[|](?:06)?|8[|]8?|[|])([0-9]*)$", "+\\1\\2"),
        "^[+](1[2-9][0-9]{9}|[2-9][0-9]{7,14})$"
    ) }}
{%- endmacro %}
{% macro phone_digits(expression) -%}
    {#- Of a text longer than any number only the beginning is read. -#}
    {#- Extensions and all but digits and + left off; 00 is +; one digit over and over is nothing. -#}
    {{ regexp_replace_all(
        regexp_replace_all(
            regexp_replace_all("replace(substr(" ~ expression ~ ", 1, 200), '(0)', '')", "(?s)[xX#;].*$|[eE][xX][tT].*$|[^0-9+]", ""),
            "^(00|[+])0*", "+"
        ),
        "^[+]?(0+|1+|2+|3+|4+|5+|6+|7+|8+|9+)$", ""
    ) }}
{%- endmacro %}


{#- A two-letter ISO country code from a code or a name; null where it is not recognised. -#}
{% macro to_country_code(expression) -%}
    {%- set names = {} -%}
    {%- for known in countries() -%}
        {%- do names.update({known.code_3 | lower: known.code}) -%}
        {%- for name in known.names -%}{%- do names.update({name: known.code}) -%}{%- endfor -%}
    {%- endfor -%}
    coalesce(
        {{ lookup(country_text(expression), names) }},
        upper({{ regexp_extract(country_text(expression), "^[a-z]{2}$", 0) }})
    )
{%- endmacro %}
{#- Engines take unlike marks off letters: a text with others than Latin ones and their accents names no country. -#}
{% macro country_text(expression) -%}
    lower({{ strip_accents(regexp_replace_all(trimmed(expression), "[^\t-\u024f\u0300-\u036f\u1e00-\u1eff]", "?")) }})
{%- endmacro %}


{#- A moment in UTC: ISO text with or without offset, or seconds or milliseconds since 1970. Its year has four digits. -#}
{% macro to_timestamp(expression) -%}
    {{ return(adapter.dispatch('to_timestamp', 'kindred')(expression)) }}
{%- endmacro %}


{#- A calendar date from ISO text (a time after it is left off) or yyyymmdd. -#}
{% macro to_date(expression) -%}
    {{ return(adapter.dispatch('to_date', 'kindred')(expression)) }}
{%- endmacro %}
{#- By the patterns of all forms, whichever the text has. -#}
{% macro any_date(expression) -%}
    {%- set text = trimmed(expression) -%}
    case
        when {{ regexp_like(text, "^[1-9][0-9]{7}$") }}
            then {{ try_cast("substr(" ~ text ~ ", 1, 4) || '-' || substr(" ~ text ~ ", 5, 2) || '-' || substr(" ~ text ~ ", 7, 2)", 'date') }}
        when {{ regexp_like(text, "(?s)^[1-9][0-9]{3}-[0-9]{1,2}-[0-9]{1,2}([ T].*)?$") }}
            then {{ try_cast("substr(" ~ text ~ ", 1, 10)", 'date') }}
    end
{%- endmacro %}


{#- A date somebody can have been born on: after 1900-01-01 and not after the moment the build speaks of. -#}
{% macro to_birth_date(expression) -%}
    case
        when {{ to_date(expression) }} > cast('1900-01-01' as date) and {{ to_date(expression) }} <= cast({{ as_of() }} as date)
            then {{ to_date(expression) }}
    end
{%- endmacro %}


{#- A number: currency signs, blanks and thousands commas left off. -#}
{% macro to_number(expression) -%}
    coalesce(
        {{ try_cast(expression, 'numeric(28, 6)') }},
        {{ try_cast(regexp_replace_all(expression, "[$€£, ]", ""), 'numeric(28, 6)') }}
    )
{%- endmacro %}


{#- A number as a whole number; null where it has a fraction. -#}
{% macro integer_of(number) -%}
    case when {{ number }} = floor({{ number }}) then {{ fitted(number, 'bigint') }} end
{%- endmacro %}


{#- Money: two decimals. -#}
{% macro to_amount(expression) -%}
    {{ amount_of(to_number(expression)) }}
{%- endmacro %}


{#- A number as money. -#}
{% macro amount_of(number) -%}
    {{ fitted("round(" ~ number ~ ", 2)", 'numeric(18, 2)') }}
{%- endmacro %}


{#- A boolean from the ways systems write it; null where it is none of them. -#}
{% macro to_boolean(expression) -%}
    cast({{ lookup("lower(" ~ trimmed(expression) ~ ")", {
        'true': 'true', 't': 'true', 'yes': 'true', 'y': 'true', '1': 'true', '1.0': 'true', 'on': 'true',
        'false': 'false', 'f': 'false', 'no': 'false', 'n': 'false', '0': 'false', '0.0': 'false', 'off': 'false'
    }) }} as boolean)
{%- endmacro %}


{#- One of the accepted words, in lower case; null where the text is none of them. -#}
{% macro to_accepted(expression, words) -%}
    {%- set accepted = {} -%}
    {%- for word in words -%}{%- do accepted.update({word: word}) -%}{%- endfor -%}
    {{ lookup("lower(" ~ trimmed(expression) ~ ")", accepted) }}
{%- endmacro %}


{#- A currency as its three-letter ISO code; null where the text has not that form. -#}
{% macro to_currency(expression) -%}
    upper({{ text_of_form("lower(" ~ trimmed(expression) ~ ")", "[a-z]{3}", longest=3) }})
{%- endmacro %}


{#- A postcode as text: upper case, blanks folded; leading zeros stay. -#}
{% macro to_postcode(expression) -%}
    {{ to_upper(to_text(regexp_replace_all(expression, '[ \\t\\n\\r\\f]+', ' '))) }}
{%- endmacro %}


{#- The text in capitals. That of ß is given, as engines know two of them; so are those that Unicode 16 brought. -#}
{% macro to_upper(expression) -%}
    {%- set small = "\u00df\u019b\u0264\u1c8a\ua7cd\ua7db" -%}
    {%- set capital = "\u1e9e\ua7dc\ua7cb\u1c89\ua7cc\ua7da" -%}
    {%- set small_of_garay = "\U00010d70\U00010d71\U00010d72\U00010d73\U00010d74\U00010d75\U00010d76\U00010d77\U00010d78\U00010d79\U00010d7a\U00010d7b\U00010d7c\U00010d7d\U00010d7e\U00010d7f\U00010d80\U00010d81\U00010d82\U00010d83\U00010d84\U00010d85" -%}
    {%- set capital_of_garay = "\U00010d50\U00010d51\U00010d52\U00010d53\U00010d54\U00010d55\U00010d56\U00010d57\U00010d58\U00010d59\U00010d5a\U00010d5b\U00010d5c\U00010d5d\U00010d5e\U00010d5f\U00010d60\U00010d61\U00010d62\U00010d63\U00010d64\U00010d65" -%}
    upper(translate({{ expression }}, '{{ small ~ small_of_garay }}', '{{ capital ~ capital_of_garay }}'))
{%- endmacro %}


{#- The host of a web address or an email, without www; null where there is none. -#}
{% macro to_domain(expression) -%}
    {{ regexp_extract(domain_text(expression), "^([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,63}$") }}
{%- endmacro %}
{% macro domain_text(expression) -%}
    {{ regexp_replace_all(regexp_replace_all("lower(" ~ trimmed(expression) ~ ")", "^([a-z]+://)?([^/?#]*@)?(www[0-9]?[.])?", ""), "(?s)[:/?#].*$", "") }}
{%- endmacro %}


{#-
    First and last name of a name written in one field: 'Ann Lee', 'Lee, Ann', 'Dr. Ann van Lee'. The last
    name is the last word with the particles before it; a single word counts as a last name.
-#}
{% macro first_name_of(expression) -%}
    {%- set name = plain_name(expression) -%}
    case
        when {{ name }} like '%,%' then nullif({{ trimmed("split_part(" ~ name ~ ", ',', 2)") }}, '')
        else nullif({{ trimmed(regexp_replace_all(name, last_name_pattern(), '')) }}, '')
    end
{%- endmacro %}
{% macro last_name_of(expression) -%}
    {%- set name = plain_name(expression) -%}
    case
        when {{ name }} like '%,%' then nullif({{ trimmed("split_part(" ~ name ~ ", ',', 1)") }}, '')
        else {{ regexp_extract(name, last_name_pattern(), 0) }}
    end
{%- endmacro %}
{% macro plain_name(expression) -%}
    {{ regexp_replace_all(to_name(expression), "^([Mm]rs?|[Mm]s|[Mm]iss|[Dd]r|[Pp]rof|[Hh]err|[Ff]rau|[Mm]me|[Ss]r|[Ss]ra)[.]? +", "") }}
{%- endmacro %}
{% macro last_name_pattern() -%}
    {{ return("((van|von|de|der|den|del|della|di|da|dos|du|la|le|ter|ten|bin|al|zu) )*[^ ]+$") }}
{%- endmacro %}


{#- A number of the smallest unit of a currency (cents), as an amount; some currencies have no smaller unit. -#}
{% macro from_minor_units(number, currency) -%}
    {%- set units = {} -%}
    {%- for code in [
        'bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'ugx', 'vnd', 'vuv', 'xaf', 'xof', 'xpf'
    ] -%}{%- do units.update({code: '1'}) -%}{%- endfor -%}
    {#- A product of decimals is exact on both engines; a quotient of large ones is not. -#}
    {{ fitted(
        "round(" ~ number ~ " * coalesce(cast(" ~ lookup("lower(" ~ trimmed(currency) ~ ")", units) ~ " as numeric(3, 2)), 0.01), 2)",
        'numeric(18, 2)'
    ) }}
{%- endmacro %}
