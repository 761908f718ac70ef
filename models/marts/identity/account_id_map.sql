{{ config(
    materialized='incremental' if target.type == 'duckdb' else 'table',
    incremental_strategy='by_difference',
    unique_key='account_id',
    on_schema_change='append_new_columns'
) }}

{{ differences(id_map(ref('account_id_changes'), ref('int_account_ids'), 'account_id'), 'account_id', is_costly=true) }}
