{#-
    The incremental strategy `by_difference`: the rows that the model selects take the place of those with the
    same key; a row of which nothing but the key is there stands for one that is no more. Such rows come from
    macro differences.
-#}
{% macro get_incremental_by_difference_sql(arg_dict) -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | list -%}
    {%- set key = adapter.quote(arg_dict['unique_key']) -%}
delete from {{ arg_dict['target_relation'] }}
where
    {{ key }} in (select {{ key }} from {{ arg_dict['temp_relation'] }})
    or {{ key }} is null;

insert into {{ arg_dict['target_relation'] }} ({{ columns | join(', ') }})
select {{ columns | join(', ') }}
from {{ arg_dict['temp_relation'] }}
where not ({{ columns | reject('equalto', key) | join(' is null and ') }} is null)
{%- endmacro %}

{#-
    Where the table of this model is there already, the rows of a query (of the columns of its contract) that the
    table lacks or holds otherwise, and the key alone of rows that it holds and the query does not give; else the
    query itself. Rows are compared by a hash of all their columns, which nobody keeps: whatever was done to
    the table, after this it is what the query says. Rows are written by their key. Where that would lose some,
    because a key has several or is null, or would leave some that are there twice, all are written: so the
    test of the key finds them.
    is_costly: the query takes longer than to hold what it gives, which is asked for several times.
-#}
{% macro differences(query, key, is_costly=false) -%}
    {%- set there = execute and is_incremental() -%}
    {%- if not there -%}
{{ query }}
    {%- else -%}
        {%- set columns = model.columns.keys() | list -%}
        {%- set others = columns | reject('equalto', key) | list -%}
        {%- set held = adapter.get_columns_in_relation(this) | map(attribute='name') | list -%}
with rows_now as {{ '' if is_costly else not_materialized() }} (
    {{ query | indent(4) }}
),

hashed_now as (
    select
        *,
        {{ row_hash(columns) }} as row_hash
    from rows_now
),

{# Each row once, so that rows which are there many times are not joined with as many of now. -#}
hashed_before as (
    select
        any_value({{ key }}) as {{ key }},
        {# A table without a column of the contract is filled anew. -#}
        {{ row_hash(columns) if (columns | reject('in', held) | list | length) == 0 else 'null' }} as row_hash
    from {{ this }}
    group by row_hash
),

differing as (
    select
        coalesce(hashed_now.{{ key }}, hashed_before.{{ key }}) as {{ key }},
        {%- for name in others %}
        hashed_now.{{ name }},
        {%- endfor %}
        hashed_now.row_hash is not null as is_of_now
    from hashed_now
    full outer join hashed_before on hashed_now.row_hash = hashed_before.row_hash
    where hashed_now.row_hash is null or hashed_before.row_hash is null
),

{#- Keys, as sums of hashes: all that the query gives but for what came are those that were there but for what went. #}
counted as (
    select
        count(*) as rows_now,
        count({{ key }}) as rows_with_key,
        count(case when {{ key }} in (select differing.{{ key }} from differing) then 1 end) as rows_of_differing,
        coalesce(sum({{ row_hash([key]) }}), 0) as keys_now,
        (select coalesce(sum({{ row_hash([key]) }}), 0) from {{ this }}) as keys_before,
        (select count(*) from differing where is_of_now) as came,
        (select coalesce(sum({{ row_hash([key]) }}), 0) from differing where is_of_now) as keys_come,
        (select coalesce(sum({{ row_hash([key]) }}), 0) from differing where not is_of_now) as keys_gone
    from rows_now
),

unclear as (
    select 1 as one
    from counted
    where
        rows_now <> rows_with_key
        or rows_of_differing <> came
        or keys_now - keys_come <> keys_before - keys_gone
)

select {{ key }}, {{ others | join(', ') }}
from differing
where not exists (select 1 from unclear)
union all
select rows_now.{{ ([key] + others) | join(', rows_now.') }}
from rows_now
cross join unclear
union all
select before.{{ key }}, {{ (['null'] * (others | length)) | join(', ') }}
from {{ this }} as before
cross join unclear
    {%- endif -%}
{%- endmacro %}
