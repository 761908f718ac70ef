{{ config(materialized='view') }}

{{ comparisons_as_left('int_person_comparisons') }}
