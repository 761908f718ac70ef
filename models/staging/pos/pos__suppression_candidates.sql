{{ config(enabled=source_is_on('pos')) }}

{{ suppression_candidates('pos', {
    'loyalty_member': {'key': 'loyalty_id', 'loyalty_id': ['loyalty_id'], 'email': ['email'], 'phone': ['phone']},
    'store_transaction': {'key': 'transaction_id', 'loyalty_id': ['loyalty_id']},
    'store_visit': {'key': 'visit_id', 'loyalty_id': ['loyalty_id']},
}) }}
