{{ config(materialized='view') }}

{{ union_contributions('row_counts', every_source=true) }}
