{{ config(materialized='view') }}

{{ findings_as_left('int_person_resolution') }}
