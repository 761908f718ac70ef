{{ config(materialized='view') }}

{{ resolution_part(ref('int_account_resolution'), 'kept', {
    'kind': 'kind', 'chunk': 'chunk', 'settings': 'settings', 'packed': 'packed'
}) }}
