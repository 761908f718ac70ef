{{ config(materialized='view' if target.type == 'duckdb' else 'table') }}

{{ ids_ever_given(ref('int_account_id_ledger_prior'), ref('int_run_history_prior'), 'account_id') }}
