{#-
    The table is made here, with its contract; `kindred check` writes the rows of each run into it.
-#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='generation',
    full_refresh=false,
    on_schema_change='append_new_columns'
) }}

select
    cast(null as text) as result_id,
    cast(null as bigint) as generation,
    cast(null as text) as run_id,
    cast(null as text) as suite,
    cast(null as text) as layer,
    cast(null as text) as table_name,
    cast(null as text) as column_name,
    cast(null as text) as expectation,
    cast(null as text) as meaning,
    cast(null as text) as severity,
    cast(null as boolean) as is_success,
    cast(null as bigint) as checked_count,
    cast(null as bigint) as unexpected_count,
    cast(null as numeric(9, 4)) as unexpected_percent,
    cast(null as text) as error,
    cast(null as timestamp) as checked_at
where 1 = 0
