{{ config(materialized='view') }}

{{ resolution_part(ref('int_person_resolution'), 'compared', {
    'kind': 'kind', 'chunk': 'chunk', 'settings': 'settings', 'packed': 'packed'
}) }}
