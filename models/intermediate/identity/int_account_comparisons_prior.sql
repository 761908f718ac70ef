{{ config(materialized='view') }}

{{ comparisons_as_left('int_account_comparisons') }}
