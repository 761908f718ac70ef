{{ config(materialized='view') }}

{{ previous('int_account_id_ledger', {
    'generation': 'bigint',
    'event': 'text',
    'from_id': 'text',
    'to_id': 'text',
    'record_id': 'text',
    'record_count': 'bigint',
    'cause': 'text',
    'occurred_at': 'timestamp'
}) }}
