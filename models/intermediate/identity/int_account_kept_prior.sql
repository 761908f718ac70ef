{{ config(materialized='view') }}

{{ kept_as_left('int_account_resolution') }}
