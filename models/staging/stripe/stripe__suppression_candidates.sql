{{ config(enabled=source_is_on('stripe')) }}

{{ suppression_candidates('stripe', {
    'customer': {'key': 'id', 'stripe_id': ['id'], 'email': ['email'], 'phone': ['phone']},
    'charge': {'key': 'id', 'stripe_id': ['customer_id'], 'email': ['receipt_email']},
    'invoice': {'key': 'id', 'stripe_id': ['customer_id']},
    'subscription': {'key': 'id', 'stripe_id': ['customer_id']},
    'refund': {'key': 'id'},
}) }}
