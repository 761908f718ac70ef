{{ config(materialized='view' if target.type == 'duckdb' else 'table') }}

{{ ids_ever_given(ref('int_person_id_ledger_prior'), ref('int_run_history_prior'), 'customer_id') }}
