{#-
    The usable rows of a raw table, one per key: rows without a usable key are left out (they are in the
    quarantine), rows of suppressed people too (they are in privacy__suppressed_rows), and of several rows
    with one key the latest stays; `collapsed_count` says how many others it stands for.
    key: the key column, or a list of them. latest_by: columns that say which row is the latest, the
    first first; remaining ties are settled by the whole row, so that the result never depends on order.
    country: a raw column, or expression, that names the row's country: it becomes `row_country_code`.
-#}
{% macro staged_rows(source_name, table_name, key, latest_by=[], country=none) -%}
    {%- set keys = [key] if key is string else key -%}
    {%- set order_by = [latest_by] if latest_by is string else latest_by -%}
    {#- Almost every key stands once: only the others are ranked, which is what costs time. -#}
    with keyed as {{ not_materialized() }} (
        select
            raw_rows.*,
            {{ row_key(keys, 'raw_rows') }} as row_key
        from {{ ref('base_' ~ source_name ~ '__' ~ table_name) }} as raw_rows
    ),

    with_key as {{ not_materialized() }} (
        select *
        from keyed
        {{ made_once() }}
    ),

    repeated as (
        select row_key
        from with_key
        where row_key is not null
        group by row_key
        having count(*) > 1
    ),

    ranked as (
        select
            keyed.*,
            row_number() over (
                partition by keyed.row_key
                order by
                    {%- for column in order_by %}
                    {{ try_cast('keyed.' ~ column, 'timestamp') }} desc nulls last,
                    {%- endfor %}
                    {{ whole_row_hash('keyed') }}
            ) as row_rank,
            count(*) over (partition by keyed.row_key) - 1 as collapsed_count
        from keyed
        inner join repeated
            on repeated.row_key = keyed.row_key
    ),

    kept as (
        select
            with_key.*,
            cast(1 as bigint) as row_rank,
            cast(0 as bigint) as collapsed_count
        from with_key
        left join repeated
            on repeated.row_key = with_key.row_key
        where
            with_key.row_key is not null
            and repeated.row_key is null
        union all
        select *
        from ranked
        where row_rank = 1
    )

    select
        kept.*{{ ',' if country is not none }}
        {%- if country is not none %}
        {{ to_country_code(country) }} as row_country_code
        {%- endif %}
    from kept
    left join {{ ref('privacy__suppressed_rows') }} as suppressed
        on
            suppressed.source = '{{ source_name }}'
            and suppressed.source_table = '{{ table_name }}'
            and suppressed.row_key = kept.row_key
    where suppressed.row_key is null
{%- endmacro %}


{#- The key of a raw row as one text; null where any part is missing, or where it is no key but a text. -#}
{% macro row_key(keys, alias) -%}
    case
        when {{ row_key_length(keys, alias) }} <= {{ longest_key() }}
            then {% for key in keys -%}
                {{ to_text(key_column(key, alias)) }}
                {%- if not loop.last %} || '|' || {% endif -%}
            {%- endfor %}
    end
{%- endmacro %}


{#- How many characters the key of a raw row has; null where a part of it is. -#}
{% macro row_key_length(keys, alias) -%}
    {%- for key in keys -%}
        length({{ key_column(key, alias) }}){{ ' + ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{#-
    The most characters of a key. No system gives a longer one; an entry of an index on Postgres holds 2,704
    bytes, and a character takes up to four.
-#}
{% macro longest_key() -%}500{%- endmacro %}


{#- A column of a raw row's key. -#}
{% macro key_column(key, alias) -%}
    {{ alias }}.{{ adapter.quote(key) if key in reserved_names() else key }}
{%- endmacro %}


{#-
    The rows of a CTE with the clean form of their raw values beside these, as `clean_` and the raw column's name,
    and with `unusable_values`: what could not be used, as one text `column=rule,column=rule`, or null. A value is
    unusable when it is there and its clean form is null. Each argument takes the raw columns of one kind;
    `country` is the column of the country code a phone number is read with. `others` takes further values, each
    as [column, rule, expression of the clean form].
    Each value is cleaned in one place: what a statement says twice is planned twice, and Postgres works it out twice.
-#}
{% macro clean_values(rows, email=[], phone=[], timestamp=[], date=[], number=[], boolean=[], country="null", others=[]) -%}
    {%- set checks = [] -%}
    {%- for column in email -%}{%- do checks.append((column, 'invalid_email', to_email(column))) -%}{%- endfor -%}
    {%- for column in phone -%}{%- do checks.append((column, 'invalid_phone', to_phone(column, country))) -%}{%- endfor -%}
    {%- for column in timestamp -%}{%- do checks.append((column, 'invalid_timestamp', to_timestamp(column))) -%}{%- endfor -%}
    {%- for column in date -%}{%- do checks.append((column, 'invalid_date', to_date(column))) -%}{%- endfor -%}
    {%- for column in number -%}{%- do checks.append((column, 'invalid_number', to_number(column))) -%}{%- endfor -%}
    {%- for column in boolean -%}{%- do checks.append((column, 'invalid_boolean', to_boolean(column))) -%}{%- endfor -%}
    {%- for column, rule, cleaned in others -%}{%- do checks.append((column, rule, cleaned)) -%}{%- endfor -%}
    select
        with_values.*,
        nullif(concat(
            ''
            {%- for column, rule, _ in checks %}
            {%- set name = column | replace('"', '') -%},
            case when with_values.clean_{{ name }} is null and {{ to_text('with_values.' ~ column) }} is not null then '{{ name }}={{ rule }},' else '' end
            {%- endfor %}
        ), '') as unusable_values
    from (
        select
            {{ rows }}.*
            {%- for column, _, cleaned in checks %},
            {{ cleaned }} as clean_{{ column | replace('"', '') }}
            {%- endfor %}
        from {{ rows }}
        {{ made_once() }}
    ) as with_values
{%- endmacro %}
