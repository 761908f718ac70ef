{{ config(
    materialized='incremental' if target.type == 'duckdb' else 'table',
    incremental_strategy='by_difference',
    unique_key='record_id',
    on_schema_change='append_new_columns'
) }}

{{ lasting_ids(
    ref('int_person_clusters'),
    ref('int_person_ids_prior'),
    ref('int_person_known_ids_prior'),
    ref('int_person_id_ledger_prior'),
    ref('int_run_history_prior'),
    ref('generation'),
    'customer_id',
    'cus'
) }}
