{#-
    What the sources that are on give to a stream, as one select: every column of the stream's contract,
    cast to its type. A source that `vars.sources` lists without this stream gives nothing. With
    `every_source` each source that is on contributes.
-#}
{% macro union_contributions(stream, every_source=false) -%}
    {%- set contributors = [] -%}
    {%- for source_name, streams in (var('sources', {}) or {}).items() -%}
        {%- if every_source or stream in (streams or []) -%}
            {%- do contributors.append(ref(source_name ~ '__' ~ stream)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- for relation in contributors %}
select
        {%- for name, column in model.columns.items() %}
    cast({{ name }} as {{ column.data_type }}) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
from {{ relation }}
        {%- if not loop.last %}
union all
        {%- endif -%}
    {%- endfor -%}
    {%- if not contributors %}
select
        {%- for name, column in model.columns.items() %}
    cast(null as {{ column.data_type }}) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
where 1 = 0
    {%- endif -%}
{%- endmacro %}


{#-
    The identifiers each raw row names, one row per raw row with a key: what the suppression list is
    compared with before anything of a row passes staging.
    tables: raw table -> {'key': column or list, identifier type: [raw columns], ...}. An identifier made of
    several columns is written as {'sql': expression over raw_rows} in place of a column.
-#}
{% macro suppression_candidates(source_name, tables) -%}
    {%- for table_name, spec in tables.items() %}
        {%- set keys = [spec.key] if spec.key is string else spec.key %}
select
    cast('{{ source_name }}' as text) as source,
    cast('{{ table_name }}' as text) as source_table,
    {{ row_key(keys, 'raw_rows') }} as row_key,
    concat_ws(
        chr(10),
        cast(null as text)
        {%- for type, columns in spec.items() if type != 'key' -%}
            {%- for column in columns -%}
                {%- set raw = column.sql if column is mapping else 'raw_rows.' ~ (adapter.quote(column) if column in reserved_names() else column) -%}
                {%- set cleaned = to_email(raw) if type == 'email' else to_phone(raw) if type == 'phone' else to_text(raw) -%},
        '{{ type }}:' || {{ cleaned }}
            {%- endfor -%}
        {%- endfor %}
    ) as identifiers
from {{ ref('base_' ~ source_name ~ '__' ~ table_name) }} as raw_rows
where {{ row_key(keys, 'raw_rows') }} is not null
        {%- if not loop.last %}
union all
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}


{#-
    What could not be used of a source: whole rows without a key or with a text in its place, and single
    values. tables: raw table -> {'key': column or list, 'staged': staging model}.
    A row without usable key is named by its place in the order of row hashes, as it has no other name.
-#}
{% macro quarantine(source_name, tables) -%}
    {%- for table_name, spec in tables.items() %}
        {%- set keys = [spec.key] if spec.key is string else spec.key %}
select
    cast('{{ source_name }}' as text) as source,
    cast('{{ table_name }}' as text) as source_table,
    'row:' || {{ whole_row_hash('raw_rows') }}
    || ':' || cast(row_number() over (partition by {{ whole_row_hash('raw_rows') }} order by {{ whole_row_hash('raw_rows') }}) as text) as row_key,
    cast(null as text) as column_name,
    case when {{ row_key_length(keys, 'raw_rows') }} > {{ longest_key() }} then 'key_too_long' else 'missing_key' end as rule,
    true as is_whole_row
from {{ ref('base_' ~ source_name ~ '__' ~ table_name) }} as raw_rows
where {{ row_key(keys, 'raw_rows') }} is null
union all
select
    cast('{{ source_name }}' as text) as source,
    cast('{{ table_name }}' as text) as source_table,
    staged.row_key,
    split_part(parts.part, '=', 1) as column_name,
    split_part(parts.part, '=', 2) as rule,
    false as is_whole_row
from {{ ref(spec.staged) }} as staged
cross join lateral (select {{ split_to_rows('staged.unusable_values', ',') }} as part) as parts
where staged.unusable_values is not null and parts.part <> ''
        {%- if not loop.last %}
union all
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}


{#- The keys that stood in several raw rows, and how many rows were left out for the latest. -#}
{% macro collapsed_rows(source_name, tables) -%}
    {%- for table_name, spec in tables.items() %}
select
    cast('{{ source_name }}' as text) as source,
    cast('{{ table_name }}' as text) as source_table,
    staged.row_key,
    staged.collapsed_count
from {{ ref(spec.staged) }} as staged
where staged.collapsed_count > 0
        {%- if not loop.last %}
union all
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}


{#- Rows that came in and rows that were staged, counted where they lie. -#}
{% macro row_counts(source_name, tables) -%}
    {%- for table_name, spec in tables.items() %}
select
    cast('{{ source_name }}' as text) as source,
    cast('{{ table_name }}' as text) as source_table,
    (select count(*) from {{ ref('base_' ~ source_name ~ '__' ~ table_name) }}) as raw_count,
    (select count(*) from {{ ref(spec.staged) }}) as staged_count
        {%- if not loop.last %}
union all
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}


{#-
    What a source's records call themselves, one row per identifier, as the stream record_identifiers takes
    it. rows: a CTE with record_id, loaded_at and what is named here. named: identifier type -> its
    columns; what is null is no identifier. observed_at: the column that says since when.
-#}
{% macro identifiers_of(source_name, rows, named, observed_at='created_at') -%}
    {%- for identifier_type, columns in named.items() -%}
        {%- set is_last_type = loop.last -%}
        {%- for column in columns %}
select
    record_id,
    '{{ source_name }}' as source,
    '{{ identifier_type }}' as identifier_type,
    {{ column }} as identifier_value,
    {{ observed_at }} as observed_at,
    loaded_at
from {{ rows }}
where {{ column }} is not null
            {%- if not (loop.last and is_last_type) %}
union all
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}
