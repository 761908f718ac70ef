{#- How raw text becomes clean values, the same for every source. Each macro takes a text expression. -#}

{#- The text without blanks around it; null where it only says that there is none. -#}
{% macro to_text(expression) -%}
    {%- set words = regexp_replace_all(
        trimmed(expression), "(?i)^(null|n/a|#n/a|none|nan|undefined|-|--|[[]object object[]])$", ""
    ) -%}
    {%- if modules.re.match('^[A-Za-z0-9_."]+$', expression) -%}
        {# No such word has more than 15 letters, so a longer text need not be compared. #}
        nullif(case when length({{ expression }}) > 15 then {{ trimmed(expression) }} else {{ words }} end, '')
    {%- else -%}
        nullif({{ words }}, '')
    {%- endif -%}
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
    {%- set word = "[a-z0-9_''+&!#$%*/=?^`{|}~-]+" -%}
    {{ text_of_form(
        "lower(replace(" ~ trimmed(expression) ~ ", 'mailto:', ''))",
        word ~ "([.]" ~ word ~ ")*@([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,63}",
        longest=254
    ) }}
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
            regexp_replace_all("replace(substr(" ~ expression ~ ", 1, 200), '(0)', '')", "[xX#;].*$|[eE][xX][tT].*$|[^0-9+]", ""),
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
{% macro country_text(expression) -%}
    lower({{ strip_accents(trimmed(expression)) }})
{%- endmacro %}


{#- A moment in UTC: ISO text with or without offset, or seconds or milliseconds since 1970. Its year has four digits. -#}
{% macro to_timestamp(expression) -%}
    {{ return(adapter.dispatch('to_timestamp', 'kindred')(expression)) }}
{%- endmacro %}


{#- A calendar date from ISO text (a time after it is left off) or yyyymmdd. -#}
{% macro to_date(expression) -%}
    {%- set text = trimmed(expression) -%}
    case
        when {{ regexp_like(text, "^[1-9][0-9]{7}$") }}
            then {{ try_cast("substr(" ~ text ~ ", 1, 4) || '-' || substr(" ~ text ~ ", 5, 2) || '-' || substr(" ~ text ~ ", 7, 2)", 'date') }}
        when {{ regexp_like(text, "^[1-9][0-9]{3}-[0-9]{1,2}-[0-9]{1,2}([ T].*)?$") }}
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


{#- A number: currency signs, blanks and thousands commas left off. DuckDB would read 1_000 as one, too. -#}
{% macro to_number(expression) -%}
    {%- set text = "replace(" ~ expression ~ ", '_', '?')" -%}
    coalesce(
        {{ try_cast(text, 'numeric(28, 6)') }},
        {{ try_cast(regexp_replace_all(text, "[$€£, ]", ""), 'numeric(28, 6)') }}
    )
{%- endmacro %}


{#- A whole number; null where it has a fraction or is none. -#}
{% macro to_integer(expression) -%}
    case when {{ to_number(expression) }} = floor({{ to_number(expression) }}) then {{ try_cast(to_number(expression), 'bigint') }} end
{%- endmacro %}


{#- Money: two decimals. -#}
{% macro to_amount(expression) -%}
    {{ try_cast("round(" ~ to_number(expression) ~ ", 2)", 'numeric(18, 2)') }}
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
    upper({{ regexp_extract("lower(" ~ trimmed(expression) ~ ")", "^[a-z]{3}$", 0) }})
{%- endmacro %}


{#- A postcode as text: upper case, blanks folded; leading zeros stay. -#}
{% macro to_postcode(expression) -%}
    {{ to_upper(to_text(regexp_replace_all(expression, '[ \\t\\n\\r\\f]+', ' '))) }}
{%- endmacro %}


{#- The text in capitals. That of ß is given, as engines know two of them. -#}
{% macro to_upper(expression) -%}
    upper(replace({{ expression }}, 'ß', 'ẞ'))
{%- endmacro %}


{#- The host of a web address or an email, without www; null where there is none. -#}
{% macro to_domain(expression) -%}
    {{ regexp_extract(domain_text(expression), "^([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,63}$") }}
{%- endmacro %}
{% macro domain_text(expression) -%}
    {{ regexp_replace_all(regexp_replace_all("lower(" ~ trimmed(expression) ~ ")", "^([a-z]+://)?([^/?#]*@)?(www[0-9]?[.])?", ""), "[:/?#].*$", "") }}
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


{#- Money given in the smallest unit of its currency (cents), as an amount; some currencies have no smaller unit. -#}
{% macro from_minor_units(expression, currency) -%}
    {%- set units = {} -%}
    {%- for code in [
        'bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'ugx', 'vnd', 'vuv', 'xaf', 'xof', 'xpf'
    ] -%}{%- do units.update({code: '1'}) -%}{%- endfor -%}
    {#- A product of decimals is exact on both engines; a quotient of large ones is not. -#}
    {{ try_cast(
        "round(" ~ to_number(expression) ~ " * coalesce(cast(" ~ lookup("lower(" ~ trimmed(currency) ~ ")", units) ~ " as numeric(3, 2)), 0.01), 2)",
        'numeric(18, 2)'
    ) }}
{%- endmacro %}
