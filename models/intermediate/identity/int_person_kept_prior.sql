{{ config(materialized='view') }}

{{ kept_as_left('int_person_resolution') }}
