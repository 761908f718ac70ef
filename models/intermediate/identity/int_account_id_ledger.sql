{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='generation',
    full_refresh=false,
    unlogged=false,
    on_schema_change='append_new_columns'
) }}

{{ id_events(
    ref('int_account_ids'),
    ref('int_account_id_ledger_prior'),
    ref('int_run_history_prior'),
    ref('int_account_known_ids_prior'),
    ref('generation'),
    'account_id'
) }}
