{{ config(materialized='view') }}

{{ findings_as_left('int_account_resolution') }}
