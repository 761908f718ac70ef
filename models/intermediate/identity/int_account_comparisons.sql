{{ config(materialized='view') }}

{{ resolution_part(ref('int_account_resolution'), 'compared', {
    'kind': 'kind', 'chunk': 'chunk', 'settings': 'settings', 'packed': 'packed'
}) }}
