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
    table lacks or holds otherwise, and of rows that the query no longer has the key alone; else the query
    itself. Rows are compared by a hash of all their columns, which nobody keeps: whatever was done to
    the table, after this it is what the query says. A key that is none, because it repeats or is null,
    loses no row either: all its rows are written, so that the test of the key finds them.
    is_costly: the query takes longer than to hold what it gives, which is asked for twice.
-#}
{% macro differences(query, key, is_costly=false) -%}
    {%- set there = execute and is_incremental() -%}
    {%- if not there -%}
{{ query }}
    {%- else -%}
        {%- set columns = model.columns.keys() | list -%}
        {%- set held = adapter.get_columns_in_relation(this) | map(attribute='name') | list -%}
with rows_now as {{ '' if is_costly else not_materialized() }} (
    {{ query | indent(4) }}
),

repeated as (
    select {{ key }}
    from rows_now
    group by {{ key }}
    having count(*) > 1
),

hashed_now as (
    select
        *,
        {{ row_hash(columns) }} as row_hash
    from rows_now
),

hashed_before as (
    select
        {{ key }},
        {# A table without a column of the contract is filled anew. -#}
        case
            when count(*) = 1
                then min({{ row_hash(columns) if (columns | reject('in', held) | list | length) == 0 else 'null' }})
        end as row_hash
    from {{ this }}
    group by {{ key }}
)

select
        {%- for name in columns %}
    {{ 'coalesce(hashed_now.' ~ name ~ ', hashed_before.' ~ name ~ ') as ' ~ name if name == key else 'hashed_now.' ~ name }}{{ ',' if not loop.last }}
        {%- endfor %}
from hashed_now
full outer join hashed_before on hashed_now.{{ key }} = hashed_before.{{ key }}
where
    hashed_now.row_hash is null
    or hashed_before.row_hash is null
    or hashed_now.row_hash <> hashed_before.row_hash
    or hashed_now.{{ key }} in (select repeated.{{ key }} from repeated)
    {%- endif -%}
{%- endmacro %}
