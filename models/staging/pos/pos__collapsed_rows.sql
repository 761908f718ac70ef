{{ config(enabled=source_is_on('pos')) }}

{{ collapsed_rows('pos', {
    'loyalty_member': {'key': 'loyalty_id', 'staged': 'stg_pos__loyalty_members'},
    'store_transaction': {'key': 'transaction_id', 'staged': 'stg_pos__store_transactions'},
    'store_visit': {'key': 'visit_id', 'staged': 'stg_pos__store_visits'},
}) }}
