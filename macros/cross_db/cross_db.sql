{#- The few places that know a dialect. Each public macro says what it promises on every engine. -#}

{% macro unsupported(name) -%}
    {{ exceptions.raise_compiler_error("The macro " ~ name ~ " is not written for '" ~ target.type ~ "' yet: add " ~ target.type ~ "__" ~ name ~ " in macros/cross_db.") }}
{%- endmacro %}


{#- The value as `type`, or null where it cannot be read as one. -#}
{% macro try_cast(expression, type) -%}
    {{ return(adapter.dispatch('try_cast', 'kindred')(expression, type)) }}
{%- endmacro %}
{% macro default__try_cast(expression, type) -%}{{ unsupported('try_cast') }}{%- endmacro %}
{% macro duckdb__try_cast(expression, type) -%}try_cast({{ expression }} as {{ type }}){%- endmacro %}
{#-
    Postgres has no cast that gives null: a text is cast only where it can be read. A pattern that asks
    costs a twentieth of one that also takes a part.
-#}
{% macro postgres__try_cast(expression, type) -%}
    {%- set text = "cast(" ~ expression ~ " as text)" -%}
    {%- if type == 'bigint' -%}
        case when {{ text }} ~ '^[\t-\r ]*[+-]?([0-8]?[0-9]{1,18}([.][0-9]*)?|[.][0-9]+|[0-9]{1,8}([.][0-9]*)?[eE][+]?0*[0-9]|[0-9]{1,8}([.][0-9]*)?[eE]-0*[0-9]{1,2})[\t-\r ]*$' then cast(cast({{ text }} as numeric) as bigint) end
    {%- elif type.startswith('numeric') -%}
        {#- As many digits before the point as the type has; fewer where an exponent moves it. -#}
        {%- set digits = modules.re.findall('[0-9]+', type) -%}
        {%- set whole = (digits[0] | int) - (digits[1] | int) -%}
        case when {{ text }} ~ '^[\t-\r ]*[+-]?(0*[0-9]{1,{{ whole }}}([.][0-9]*)?|[.][0-9]+|0*[0-9]{1,{{ whole - 9 }}}([.][0-9]*)?[eE][+]?0*[0-9]|0*[0-9]{1,{{ whole }}}([.][0-9]*)?[eE]-0*[0-9]{1,2})[\t-\r ]*$' then cast({{ text }} as {{ type }}) end
    {%- elif type == 'date' -%}
        cast(substring({{ text }} from '^\s*({{ calendar_date() }})([ T].*)?$') as date)
    {%- elif type == 'timestamp' -%}
        cast(substring({{ text }} from '^\s*({{ calendar_date() }}([ T]{{ time_of_day() }})?)') as timestamp)
    {%- else -%}
        {{ exceptions.raise_compiler_error("try_cast on Postgres knows bigint, numeric(p, s), date and timestamp, not '" ~ type ~ "': add it in macros/cross_db.") }}
    {%- endif -%}
{%- endmacro %}


{#- Patterns (Postgres) of a day that exists, of a year with four digits, and of a time. -#}
{% macro calendar_date() -%}
    {%- set leap_year = '(?:[1-9][0-9](?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[13579][26])00)' -%}
    {{ return(
        '(?:[1-9][0-9]{3}[-/](?:0?[13578]|1[02])[-/](?:0?[1-9]|[12][0-9]|3[01])'
        ~ '|[1-9][0-9]{3}[-/](?:0?[469]|11)[-/](?:0?[1-9]|[12][0-9]|30)'
        ~ '|[1-9][0-9]{3}[-/]0?2[-/](?:0?[1-9]|1[0-9]|2[0-8])'
        ~ '|' ~ leap_year ~ '[-/]0?2[-/]29)(?![0-9])'
    ) }}
{%- endmacro %}
{#- A moment written in full, on a day that every month has, or nearly every one: all but leap days. -#}
{% macro plain_moment() -%}
    {{ return(
        '^[1-9][0-9]{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)'
        ~ '|(?:0[13578]|1[02])-31)[ T](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,6})?Z?$'
    ) }}
{%- endmacro %}
{% macro time_of_day() -%}
    {{ return('(?:(?:[01]?[0-9]|2[0-3]):[0-5]?[0-9](?::[0-5]?[0-9](?:[.][0-9]{1,6})?)?|24:00(?::00)?)') }}
{%- endmacro %}


{#- a / b as double precision; null where b is zero or null. -#}
{% macro safe_divide(numerator, denominator) -%}
    (cast({{ numerator }} as double precision) / nullif(cast({{ denominator }} as double precision), 0))
{%- endmacro %}


{#-
    a / b to two decimals, halves away from zero: 0.125 gives 0.13. DuckDB divides decimals as doubles, where
    such a half can lie a hair below itself.
-#}
{% macro rounded_quotient(numerator, denominator) -%}
    {{ return(adapter.dispatch('rounded_quotient', 'kindred')(numerator, denominator)) }}
{%- endmacro %}
{% macro default__rounded_quotient(numerator, denominator) -%}{{ unsupported('rounded_quotient') }}{%- endmacro %}
{% macro duckdb__rounded_quotient(numerator, denominator) -%}round(cast(cast({{ numerator }} as double) / {{ denominator }} as numeric(28, 6)), 2){%- endmacro %}
{% macro postgres__rounded_quotient(numerator, denominator) -%}round(cast({{ numerator }} as numeric) / {{ denominator }}, 2){%- endmacro %}


{#- SHA-256 of a text as 64 lower-case hexadecimal digits. -#}
{% macro sha256_hex(expression) -%}
    {{ return(adapter.dispatch('sha256_hex', 'kindred')(expression)) }}
{%- endmacro %}
{% macro default__sha256_hex(expression) -%}{{ unsupported('sha256_hex') }}{%- endmacro %}
{% macro duckdb__sha256_hex(expression) -%}sha256(cast({{ expression }} as text)){%- endmacro %}
{% macro postgres__sha256_hex(expression) -%}encode(sha256(convert_to(cast({{ expression }} as text), 'UTF8')), 'hex'){%- endmacro %}


{#-
    A key made of several columns: 32 hexadecimal digits. Nulls and empty texts differ, and no two lists
    of values give the same key by the place of a separator (lengths are part of it).
-#}
{% macro generate_surrogate_key(columns) -%}
    md5(
        {%- for column in columns %}
        coalesce(cast(length(cast({{ column }} as text)) as text) || ':' || cast({{ column }} as text), '-'){{ " || '|' ||" if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}


{#- Whether the pattern is found anywhere in the text. -#}
{% macro regexp_like(expression, pattern) -%}
    {{ return(adapter.dispatch('regexp_like', 'kindred')(expression, pattern)) }}
{%- endmacro %}
{% macro default__regexp_like(expression, pattern) -%}{{ unsupported('regexp_like') }}{%- endmacro %}
{% macro duckdb__regexp_like(expression, pattern) -%}regexp_matches({{ expression }}, '{{ pattern }}'){%- endmacro %}
{% macro postgres__regexp_like(expression, pattern) -%}({{ expression }} ~ '{{ pattern }}'){%- endmacro %}


{#- Every match of the pattern replaced. -#}
{% macro regexp_replace_all(expression, pattern, replacement) -%}
    regexp_replace({{ expression }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}


{#- The group of the first match (0: the whole match); null where nothing matches. -#}
{% macro regexp_extract(expression, pattern, group=0) -%}
    {{ return(adapter.dispatch('regexp_extract', 'kindred')(expression, pattern, group)) }}
{%- endmacro %}
{% macro default__regexp_extract(expression, pattern, group) -%}{{ unsupported('regexp_extract') }}{%- endmacro %}
{% macro duckdb__regexp_extract(expression, pattern, group) -%}nullif(regexp_extract({{ expression }}, '{{ pattern }}', {{ group }}), ''){%- endmacro %}
{% macro postgres__regexp_extract(expression, pattern, group) -%}nullif((regexp_match({{ expression }}, '({{ pattern }})'))[{{ group + 1 }}], ''){%- endmacro %}


{#- The text, where the pattern is that of the whole of it and it has at most `longest` characters; else null. -#}
{% macro text_of_form(expression, pattern, longest) -%}
    {{ return(adapter.dispatch('text_of_form', 'kindred')(expression, pattern, longest)) }}
{%- endmacro %}
{% macro default__text_of_form(expression, pattern, longest) -%}{{ unsupported('text_of_form') }}{%- endmacro %}
{% macro duckdb__text_of_form(expression, pattern, longest) -%}
    {{ regexp_extract(regexp_replace_all(expression, "^.{" ~ (longest + 1) ~ ",}$", ""), "^" ~ pattern ~ "$") }}
{%- endmacro %}
{% macro postgres__text_of_form(expression, pattern, longest) -%}
    case when length({{ expression }}) <= {{ longest }} and {{ expression }} ~ '^{{ pattern }}$' then nullif({{ expression }}, '') end
{%- endmacro %}


{#- A JSON object as text, from a mapping of name -> SQL expression (text, number or boolean). -#}
{% macro json_object(fields) -%}
    {{ return(adapter.dispatch('json_object', 'kindred')(fields)) }}
{%- endmacro %}
{% macro default__json_object(fields) -%}{{ unsupported('json_object') }}{%- endmacro %}
{% macro duckdb__json_object(fields) -%}
    {%- set made -%}
        cast(json_object({% for name, expression in fields.items() %}'{{ name }}', {{ expression }}{{ ', ' if not loop.last }}{% endfor %}) as text)
    {%- endset -%}
    {{ lower_case_escapes(made) }}
{%- endmacro %}
{#- Written out, as Postgres's own builders put blanks around each colon. -#}
{% macro postgres__json_object(fields) -%}
    ('{' {%- for name, expression in fields.items() %} || '"{{ name }}":' || coalesce(cast(to_json({{ expression }}) as text), 'null'){{ " || ','" if not loop.last }}{% endfor %} || '}')
{%- endmacro %}


{#-
    DuckDB's JSON with its control characters written \u001b, as Postgres does, instead of \u001B. Two
    backslashes, which stand for one, are put aside: what follows them is no such character.
-#}
{% macro lower_case_escapes(json) -%}
    {%- set changed = namespace(sql="replace(" ~ json ~ ", '\\\\', chr(1))") -%}
    {%- for digits in ['0B', '0E', '0F', '1A', '1B', '1C', '1D', '1E', '1F'] -%}
        {%- set changed.sql = "replace(" ~ changed.sql ~ ", '\\u00" ~ digits ~ "', '\\u00" ~ digits | lower ~ "')" -%}
    {%- endfor -%}
    case when contains({{ json }}, '\u00') then replace({{ changed.sql }}, chr(1), '\\') else {{ json }} end
{%- endmacro %}


{#-
    The text of a field of a JSON object held as text; null where there is none or the text is no JSON, is
    nested deeper than the engines can follow, or holds the character 0, which Postgres cannot hold.
-#}
{% macro json_value(expression, name) -%}
    {{ return(adapter.dispatch('json_value', 'kindred')(expression, name)) }}
{%- endmacro %}
{% macro default__json_value(expression, name) -%}{{ unsupported('json_value') }}{%- endmacro %}
{% macro duckdb__json_value(expression, name) -%}
    case
        when {{ is_flat_json(expression) }} and not regexp_matches({{ expression }}, '(^|[^\\])(\\\\)*\\u0000')
            then json_extract_string(try_cast({{ expression }} as json), '$."{{ name }}"')
    end
{%- endmacro %}
{% macro postgres__json_value(expression, name) -%}
    case
        when {{ is_flat_json(expression) }} and (strpos({{ expression }}, '\u0000') = 0 or {{ expression }} !~ '(^|[^\\])(\\\\)*\\u0000')
            then case when ({{ expression }}) is json object then cast({{ expression }} as json) ->> '{{ name }}' end
    end
{%- endmacro %}
{#- Whether a text has few enough brackets to be read as JSON: each opens a level at most. -#}
{% macro is_flat_json(expression) -%}
    (length({{ expression }}) < 5000 or length({{ expression }}) - length(replace(replace({{ expression }}, '[', ''), '{', '')) < 4000)
{%- endmacro %}


{#- The text with accents taken off its letters. -#}
{% macro strip_accents(expression) -%}
    {{ return(adapter.dispatch('strip_accents', 'kindred')(expression)) }}
{%- endmacro %}
{% macro default__strip_accents(expression) -%}{{ unsupported('strip_accents') }}{%- endmacro %}
{% macro duckdb__strip_accents(expression) -%}strip_accents({{ expression }}){%- endmacro %}
{#- Letters are parted from their accents, which are then left out. -#}
{% macro postgres__strip_accents(expression) -%}
    normalize(regexp_replace(normalize({{ expression }}, nfd), '[\u0300-\u036f\u1ab0-\u1ace\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f]', '', 'g'), nfc)
{%- endmacro %}


{#- Whole days from `earlier` to `later` (both timestamps), rounded down. -#}
{% macro days_between(earlier, later) -%}
    cast(floor(extract(epoch from ({{ later }} - {{ earlier }})) / 86400) as bigint)
{%- endmacro %}


{#- The timestamp `days` days later (earlier where negative); days is a whole number or an expression. -#}
{% macro add_days(expression, days) -%}
    ({{ expression }} + cast({{ days }} as integer) * interval '1 day')
{%- endmacro %}


{#- A text that stands for the whole row of a relation alias; equal for equal rows only. -#}
{% macro whole_row_hash(alias) -%}
    {{ return(adapter.dispatch('whole_row_hash', 'kindred')(alias)) }}
{%- endmacro %}
{% macro default__whole_row_hash(alias) -%}{{ unsupported('whole_row_hash') }}{%- endmacro %}
{#- By way of JSON, which both write alike. -#}
{% macro duckdb__whole_row_hash(alias) -%}md5({{ lower_case_escapes('cast(to_json(' ~ alias ~ ') as text)') }}){%- endmacro %}
{% macro postgres__whole_row_hash(alias) -%}md5(cast(row_to_json({{ alias }}) as text)){%- endmacro %}


{#- One row per part of a separated text: a relation expression with the column `part`, for a lateral join. -#}
{% macro split_to_rows(expression, separator) -%}
    {{ return(adapter.dispatch('split_to_rows', 'kindred')(expression, separator)) }}
{%- endmacro %}
{% macro default__split_to_rows(expression, separator) -%}{{ unsupported('split_to_rows') }}{%- endmacro %}
{% macro duckdb__split_to_rows(expression, separator) -%}unnest(string_split({{ expression }}, '{{ separator }}')){%- endmacro %}
{% macro postgres__split_to_rows(expression, separator) -%}unnest(string_to_array({{ expression }}, '{{ separator }}')){%- endmacro %}


{#- The value of a mapping (text -> text, known when the model is compiled) for a key; null where it has none. -#}
{% macro lookup(expression, mapping) -%}
    {{ return(adapter.dispatch('lookup', 'kindred')(expression, mapping)) }}
{%- endmacro %}
{% macro default__lookup(expression, mapping) -%}{{ unsupported('lookup') }}{%- endmacro %}
{% macro duckdb__lookup(expression, mapping) -%}
    map { {%- for key, value in mapping.items() %}'{{ key | replace("'", "''") }}': '{{ value | replace("'", "''") }}'{{ ', ' if not loop.last }}{% endfor -%} }[{{ expression }}]
{%- endmacro %}
{% macro postgres__lookup(expression, mapping) -%}
    (cast('{{ mapping | tojson | replace("'", "''") }}' as jsonb) ->> ({{ expression }}))
{%- endmacro %}


{#- Dialects of to_timestamp (macros/standardise). DuckDB's cast to timestamp leaves an offset out of account. -#}
{% macro default__to_timestamp(expression) -%}{{ unsupported('to_timestamp') }}{%- endmacro %}
{% macro duckdb__to_timestamp(expression) -%}
    {%- set text = trimmed(expression) -%}
    case
        {# 2026-06-30 12:00:00, as almost all are: nothing else needs to be looked for. #}
        when length({{ expression }}) = 19 and substr({{ expression }}, 17, 1) = ':' and {{ expression }} >= '1' then try_cast({{ expression }} as timestamp)
        when regexp_full_match({{ text }}, '[0-9]{9,10}([.][0-9]+)?') then make_timestamp(cast(cast({{ text }} as double) * 1000000 as bigint))
        when regexp_full_match({{ text }}, '[0-9]{12,13}') then make_timestamp(cast({{ text }} as bigint) * 1000)
        when regexp_matches({{ text }}, '^[1-9][0-9]{3}[-/].*:[0-9.]+[+-][0-9]{2}(:?[0-9]{2})?$') then make_timestamp(epoch_us(try_cast({{ text }} as timestamptz)))
        when regexp_matches({{ text }}, '^[1-9][0-9]{3}[-/].*([0-9]|Z|UTC)$') then try_cast({{ text }} as timestamp)
    end
{%- endmacro %}
{% macro postgres__to_timestamp(expression) -%}
    {%- set text = trimmed(expression) -%}
    {#- Digits of a second beyond the sixth are left off. -#}
    {%- set moment = "regexp_replace(" ~ text ~ ", '([.][0-9]{6})[0-9]+', '\\1')" -%}
    case
        {# As almost all are. A pattern that only asks costs a twentieth of one that also takes a part. #}
        when {{ expression }} ~ '{{ plain_moment() }}' then cast({{ expression }} as timestamp)
        when {{ text }} ~ '^[0-9]{9,10}([.][0-9]+)?$' then timestamp '1970-01-01' + cast({{ text }} as numeric) * interval '1 second'
        when {{ text }} ~ '^[0-9]{12,13}$' then timestamp '1970-01-01' + cast({{ text }} as bigint) / 1000.0 * interval '1 second'
        when {{ text }} ~ ':[0-9.]+[+-][0-9]{2}(:?[0-9]{2})? *$'
            then cast(substring({{ moment }} from '^({{ calendar_date() }}[ T]{{ time_of_day() }}[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)$') as timestamptz) at time zone 'UTC'
        else cast(substring({{ moment }} from '^({{ calendar_date() }}([ T]{{ time_of_day() }})?)( ?(Z|UTC))?$') as timestamp)
    end
{%- endmacro %}


{#- Behind `as` of a CTE: read it where it is used instead of storing it first. -#}
{% macro not_materialized() -%}not materialized{%- endmacro %}


{#-
    The text without blanks around it. DuckDB's trim reads every character; nearly no text has anything to
    trim, which a look at its ends tells in a twentieth of the time (texts beyond ASCII are always trimmed).
-#}
{% macro trimmed(expression) -%}
    {{ return(adapter.dispatch('trimmed', 'kindred')(expression)) }}
{%- endmacro %}
{% macro default__trimmed(expression) -%}{{ unsupported('trimmed') }}{%- endmacro %}
{#- DuckDB's trim takes every blank of Unicode, Postgres's only the one of ASCII. -#}
{% macro postgres__trimmed(expression) -%}
    btrim({{ expression }}, U&' \00a0\1680\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200a\202f\205f\3000')
{%- endmacro %}
{% macro duckdb__trimmed(expression) -%}
    {%- if modules.re.match('^[A-Za-z0-9_."]+$', expression) -%}
    case when {{ expression }} like ' %' or {{ expression }} like '% ' or strlen({{ expression }}) <> length({{ expression }}) then trim({{ expression }}) else {{ expression }} end
    {%- else -%}
    trim({{ expression }})
    {%- endif -%}
{%- endmacro %}
