{{ config(
    materialized='incremental' if target.type == 'duckdb' else 'table',
    incremental_strategy='by_difference',
    unique_key='customer_id',
    on_schema_change='append_new_columns'
) }}

{{ differences(id_map(ref('customer_id_changes'), ref('int_person_ids'), 'customer_id'), 'customer_id', is_costly=true) }}
