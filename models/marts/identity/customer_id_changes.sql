{{ config(
    materialized='incremental',
    incremental_strategy='by_generation',
    on_schema_change='append_new_columns'
) }}

{{ id_changes(
    ref('int_person_id_ledger'),
    ref('int_customer_id_changes_prior'),
    ref('int_run_history_prior'),
    ref('generation'),
    'customer_id'
) }}
