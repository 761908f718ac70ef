{{ config(enabled=source_is_on('shopify')) }}

{{ suppression_candidates('shopify', {
    'customer': {'key': 'id', 'shopify_id': ['id'], 'email': ['email'], 'phone': ['phone']},
    'customer_address': {'key': 'id', 'shopify_id': ['customer_id'], 'phone': ['phone']},
    'order': {'key': 'id', 'shopify_id': ['customer_id'], 'email': ['email']},
    'order_line': {'key': 'id'},
    'refund': {'key': 'id'},
    'order_line_refund': {'key': 'id'},
    'order_adjustment': {'key': 'id'},
}) }}
