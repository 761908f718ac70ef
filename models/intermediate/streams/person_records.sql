{{ config(
    materialized='incremental' if target.type == 'duckdb' else 'table',
    incremental_strategy='by_difference',
    unique_key='record_id',
    on_schema_change='append_new_columns'
) }}

{{ differences(union_contributions('person_records'), 'record_id') }}
