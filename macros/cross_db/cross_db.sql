{#- The few places that know a dialect. Each public macro says what it promises on every engine. -#}

{% macro unsupported(name) -%}
    {{ exceptions.raise_compiler_error("The macro " ~ name ~ " is not written for '" ~ target.type ~ "' yet: add " ~ target.type ~ "__" ~ name ~ " in macros/cross_db.") }}
{%- endmacro %}


{#-
    The text as `type`, or null where it cannot be read as one. Numbers are written as the patterns below say, days
    and moments with a year of four digits.
-#}
{% macro try_cast(expression, type) -%}
    {{ return(adapter.dispatch('try_cast', 'kindred')(expression, type)) }}
{%- endmacro %}
{% macro default__try_cast(expression, type) -%}{{ unsupported('try_cast') }}{%- endmacro %}
{#-
    DuckDB's own cast reads 1_000, 0x10, 1e0. and a sign before a line break as numbers, too; and with an exponent
    it may round the last digit up that it keeps, so that more are kept at first.
-#}
{% macro duckdb__try_cast(expression, type) -%}
    {%- if type == 'bigint' or type.startswith('numeric') -%}
    case
        when regexp_full_match({{ expression }}, '{{ plain_number_pattern() }}') then try_cast({{ expression }} as {{ type }})
        else try_cast(try_cast({{ regexp_extract(expression, '^' ~ exponent_pattern() ~ '$') }} as numeric(38, 16)) as {{ type }})
    end
    {%- else -%}
    try_cast({{ expression }} as {{ type }})
    {%- endif -%}
{%- endmacro %}
{#-
    Postgres tells whether a text can be read without failing. It knows words for numbers and moments that we do
    not, so the form is asked for first: a class of characters costs a tenth of a pattern with repetitions.
-#}
{% macro postgres__try_cast(expression, type) -%}
    {%- set text = "cast(" ~ expression ~ " as text)" -%}
    {%- if type == 'bigint' or type.startswith('numeric') -%}
        {%- set decimal = 'numeric(28, 0)' if type == 'bigint' else type -%}
        case
            when
                case when {{ text }} !~ '[^0-9.+-]' or {{ text }} ~ '^{{ plain_number_pattern() }}$' or {{ text }} ~ '^{{ exponent_pattern() }}$' then pg_input_is_valid({{ text }}, '{{ decimal }}') end
                then {{ fitted("cast(" ~ text ~ " as " ~ decimal ~ ")", type) if type == 'bigint' else "cast(" ~ text ~ " as " ~ type ~ ")" }}
        end
    {%- elif type == 'date' or type == 'timestamp' -%}
        {%- set ending = ')([ T].*)?$' if type == 'date' else '(?![0-9])([ T]' ~ time_pattern() ~ ')?)' -%}
        {%- set part = "substring(" ~ text ~ " from '^\\s*(" ~ day_pattern() ~ ending ~ "')" -%}
        case when pg_input_is_valid({{ part }}, '{{ type }}') then cast({{ part }} as {{ type }}) end
    {%- else -%}
        {{ exceptions.raise_compiler_error("try_cast on Postgres knows bigint, numeric(p, s), date and timestamp, not '" ~ type ~ "': add it in macros/cross_db.") }}
    {%- endif -%}
{%- endmacro %}


{#- A number as `type` (bigint or a numeric), or null where it is too large for it. -#}
{% macro fitted(expression, type) -%}
    {{ return(adapter.dispatch('fitted', 'kindred')(expression, type)) }}
{%- endmacro %}
{% macro default__fitted(expression, type) -%}{{ unsupported('fitted') }}{%- endmacro %}
{% macro duckdb__fitted(expression, type) -%}try_cast({{ expression }} as {{ type }}){%- endmacro %}
{% macro postgres__fitted(expression, type) -%}
    {%- if type == 'bigint' -%}
    case when {{ expression }} between -9223372036854775808 and 9223372036854775807 then cast({{ expression }} as bigint) end
    {%- else -%}
    {%- set digits = modules.re.findall('[0-9]+', type) -%}
    case when abs(round({{ expression }}, {{ digits[1] }})) < 1e{{ (digits[0] | int) - (digits[1] | int) }} then cast({{ expression }} as {{ type }}) end
    {%- endif -%}
{%- endmacro %}


{#-
    Patterns that every engine reads. A number is digits with at most one point, and may have an exponent of two
    digits, then with no more than 22 digits before the point; blanks around it do not count.
-#}
{% macro plain_number_pattern() -%}
    {{ return('[\\t-\\r ]*[+-]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)[\\t-\\r ]*') }}
{%- endmacro %}
{% macro exponent_pattern() -%}
    {{ return('[\\t-\\r ]*[+-]?(?:0*[0-9]{1,22}(?:[.][0-9]*)?|[.][0-9]+)[eE][+-]?0*[0-9]{1,2}[\\t-\\r ]*') }}
{%- endmacro %}
{#- A day with a year of four digits, if there is one of this number; and a time of day. -#}
{% macro day_pattern() -%}
    {{ return('[1-9][0-9]{3}(?:-[0-9]{1,2}-[0-9]{1,2}|/[0-9]{1,2}/[0-9]{1,2})') }}
{%- endmacro %}
{% macro time_pattern() -%}
    {{ return('(?:(?:[01]?[0-9]|2[0-3]):[0-5]?[0-9](?::[0-5]?[0-9](?:[.][0-9]{1,6})?)?|24:00(?::00)?)') }}
{%- endmacro %}
{#- How far a place's time is from UTC: up to fourteen hours and 59 minutes. -#}
{% macro offset_pattern() -%}
    {{ return('[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?') }}
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


{#-
    A number of 64 bits for the values of some columns, by which rows are compared within one run: it is not the same
    on every engine, nor on every version of one.
-#}
{% macro row_hash(columns) -%}
    {{ return(adapter.dispatch('row_hash', 'kindred')(columns)) }}
{%- endmacro %}
{% macro default__row_hash(columns) -%}{{ unsupported('row_hash') }}{%- endmacro %}
{% macro duckdb__row_hash(columns) -%}hash({{ columns | join(', ') }}){%- endmacro %}
{% macro postgres__row_hash(columns) -%}hashtextextended(cast(row({{ columns | join(', ') }}) as text), 0){%- endmacro %}


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


{#-
    Dialects of to_timestamp (macros/standardise): first the forms that nearly every moment has, then any other.
    What is left off before a text is cast: digits of a second beyond the sixth, and the name of UTC. DuckDB's cast
    to timestamp leaves an offset out of account, and reads one only after seconds.
-#}
{% macro default__to_timestamp(expression) -%}{{ unsupported('to_timestamp') }}{%- endmacro %}
{% macro duckdb__to_timestamp(expression) -%}
    {%- set text = trimmed(expression) -%}
    {%- set moment = regexp_replace_all(text, '([.][0-9]{6})[0-9]+', '\\1') -%}
    case
        {# 2026-06-30 12:00:00, as almost all are: nothing else needs to be looked for. #}
        when regexp_full_match({{ expression }}, '[1-9][0-9]{3}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}') then try_cast({{ expression }} as timestamp)
        when regexp_full_match({{ text }}, '[0-9]{9,10}([.][0-9]+)?') then make_timestamp(cast(cast(cast({{ text }} as numeric(18, 6)) as numeric(28, 6)) * 1000000 as bigint))
        when regexp_full_match({{ text }}, '[0-9]{12,13}') then make_timestamp(cast({{ text }} as bigint) * 1000)
        when regexp_full_match({{ moment }}, '{{ day_pattern() }}[ T]{{ time_pattern() }}{{ offset_pattern() }}')
            then make_timestamp(epoch_us(try_cast({{ regexp_replace_all(moment, '^(.*[ T][0-9]+:[0-9]+)([+-])', '\\1:00\\2') }} as timestamptz)))
        when regexp_full_match({{ moment }}, '{{ day_pattern() }}(?:[ T]{{ time_pattern() }})?(?: ?(?:Z|UTC))?')
            then try_cast({{ regexp_replace_all(moment, ' ?[UTCZ]+$', '') }} as timestamp)
    end
{%- endmacro %}
{#-
    A text that is what Postgres itself writes for the moment that it reads in it needs no pattern, which would
    cost three times as much: so typed columns come, with and without offset.
-#}
{% macro postgres__to_timestamp(expression) -%}
    {%- set text = trimmed(expression) -%}
    {%- set moment = regexp_replace_all(text, '([.][0-9]{6})[0-9]+', '\\1') -%}
    {%- set plain = "substring(" ~ moment ~ " from '^(" ~ day_pattern() ~ "(?:[ T]" ~ time_pattern() ~ ")?)(?: ?(?:Z|UTC))?$')" -%}
    {%- set with_offset = "substring(" ~ moment ~ " from '^(" ~ day_pattern() ~ "[ T]" ~ time_pattern() ~ offset_pattern() ~ ")$')" -%}
    case
        when {{ is_as_written(expression, 'timestamp', ['____-__-__ __:__:__', '____-__-__ __:__:__.%']) }}
            then cast({{ expression }} as timestamp)
        when {{ is_as_written(expression, 'timestamptz', ['____-__-__ __:__:__%+__', '____-__-__ __:__:__%-__', '____-__-__ __:__:__%+__:__', '____-__-__ __:__:__%-__:__']) }}
            then cast({{ expression }} as timestamptz) at time zone 'UTC'
        {# 2026-06-30T12:00:00Z and 2026-06-30T14:00:00+02:00, as interfaces write them. #}
        when
            case
                when {{ expression }} like '____-__-_____:__:__%' and {{ expression }} not like '%:60%' and {{ expression }} not like '___________24%'
                    then {{ expression }} ~ '^[1-9][0-9]+-[0-9]+-[0-9][0-9][ T][0-9]+:[0-9]+:[0-9][0-9]([.][0-9]{1,6})?(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])$' and pg_input_is_valid({{ expression }}, 'timestamptz')
            end
            then cast({{ expression }} as timestamptz) at time zone 'UTC'
        when {{ text }} ~ '^[0-9]{9,10}([.][0-9]+)?$'
            then timestamp '1970-01-01' + trunc(round(cast({{ text }} as numeric), 6)) * interval '1 second' + mod(round(cast({{ text }} as numeric), 6), 1) * interval '1 second'
        when {{ text }} ~ '^[0-9]{12,13}$' then timestamp '1970-01-01' + cast({{ text }} as bigint) * interval '1 millisecond'
        when {{ text }} ~ ':[0-9.]+[+-][0-9:]+$'
            then case when pg_input_is_valid({{ with_offset }}, 'timestamptz') then cast({{ with_offset }} as timestamptz) at time zone 'UTC' end
        else case when pg_input_is_valid({{ plain }}, 'timestamp') then cast({{ plain }} as timestamp) end
    end
{%- endmacro %}
{#- Whether a text of one of the forms is a day or moment as Postgres itself writes it, in a year of four digits. -#}
{% macro is_as_written(expression, type, forms) -%}
    case
        when ({{ expression }} like '{{ forms | join("' or " ~ expression ~ " like '") }}') and {{ expression }} >= '1' and {{ expression }} not like '%BC'
            then case when pg_input_is_valid({{ expression }}, '{{ type }}') then cast(cast({{ expression }} as {{ type }}) as text) = {{ expression }} end
    end
{%- endmacro %}


{#- Dialects of to_text (macros/standardise). A column can be looked at more than once; an expression cannot. -#}
{% macro default__to_text(expression) -%}{{ unsupported('to_text') }}{%- endmacro %}
{% macro duckdb__to_text(expression) -%}
    {%- if is_column(expression) -%}
    nullif(case when length({{ expression }}) > 15 then {{ trimmed(expression) }} else {{ text_but_for_words(expression) }} end, '')
    {%- else -%}
    {{ text_but_for_words(expression) }}
    {%- endif -%}
{%- endmacro %}
{#- Letters of ASCII alone are compared, in the collation that knows no others. -#}
{% macro postgres__to_text(expression) -%}
    {%- if is_column(expression) -%}
    case
        when {{ may_have_blanks(expression, 'octet_length') }} then {{ text_but_for_words(expression) }}
        when length({{ expression }}) > 15 or lower({{ expression }} collate "C") not in ('', '{{ words_for_nothing() | join("', '") }}') then {{ expression }}
    end
    {%- else -%}
    {{ text_but_for_words(expression) }}
    {%- endif -%}
{%- endmacro %}


{#- Dialects of to_email (macros/standardise). On Postgres a repetition that is counted makes a pattern slow. -#}
{% macro default__to_email(expression) -%}{{ unsupported('to_email') }}{%- endmacro %}
{% macro duckdb__to_email(expression) -%}
    {{ text_of_form(email_text(expression), email_pattern("[a-z]{2,63}"), longest=254) }}
{%- endmacro %}
{% macro postgres__to_email(expression) -%}
    {%- set ending = "[a-z][a-z]+" -%}
    case
        {# As it stands: nothing that is left off or written small is of the pattern. #}
        when {{ expression }} ~ '^{{ email_pattern(ending) }}$'
            then case when length({{ expression }}) <= 254 and length(split_part({{ expression }}, '.', -1)) <= 63 then {{ expression }} end
        else {{ text_of_form(email_text(expression), email_pattern("[a-z]{2,63}"), longest=254) }}
    end
{%- endmacro %}


{#- Dialects of to_date (macros/standardise). -#}
{% macro default__to_date(expression) -%}{{ unsupported('to_date') }}{%- endmacro %}
{% macro duckdb__to_date(expression) -%}{{ any_date(expression) }}{%- endmacro %}
{% macro postgres__to_date(expression) -%}
    case
        when {{ is_as_written(expression, 'date', ['____-__-__']) }} then cast({{ expression }} as date)
        else {{ any_date(expression) }}
    end
{%- endmacro %}


{#-
    At the end of a CTE whose columns cost something: each is made once a row, however often it is mentioned after.
    Postgres puts the expression in the place of each mention, unless it may not look through the CTE.
-#}
{% macro made_once() -%}
    {{ return(adapter.dispatch('made_once', 'kindred')()) }}
{%- endmacro %}
{% macro default__made_once() -%}{{ unsupported('made_once') }}{%- endmacro %}
{% macro duckdb__made_once() -%}{%- endmacro %}
{% macro postgres__made_once() -%}offset 0{%- endmacro %}


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
    {%- set trim -%}
        btrim({{ expression }}, U&' \00a0\1680\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200a\202f\205f\3000')
    {%- endset -%}
    {{ "case when " ~ may_have_blanks(expression, 'octet_length') ~ " then " ~ trim ~ " else " ~ expression ~ " end" if is_column(expression) else trim }}
{%- endmacro %}
{% macro duckdb__trimmed(expression) -%}
    {%- if is_column(expression) -%}
    case when {{ may_have_blanks(expression, 'strlen') }} then trim({{ expression }}) else {{ expression }} end
    {%- else -%}
    trim({{ expression }})
    {%- endif -%}
{%- endmacro %}
{#- Whether a column may have blanks at its ends: there are some, or signs of several bytes that may be blanks. -#}
{% macro may_have_blanks(column, byte_count) -%}
    ({{ column }} like ' %' or {{ column }} like '% ' or {{ byte_count }}({{ column }}) <> length({{ column }}))
{%- endmacro %}
{#- Whether an expression is the name of a column, which costs nothing to mention again. -#}
{% macro is_column(expression) -%}
    {{ return(modules.re.match('^[A-Za-z0-9_."]+$', expression) is not none) }}
{%- endmacro %}
