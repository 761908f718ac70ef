{{ config(enabled=source_is_on('stripe')) }}

{{ collapsed_rows('stripe', {
    'customer': {'key': 'id', 'staged': 'stg_stripe__customers'},
    'charge': {'key': 'id', 'staged': 'stg_stripe__charges'},
    'invoice': {'key': 'id', 'staged': 'stg_stripe__invoices'},
    'subscription': {'key': 'id', 'staged': 'stg_stripe__subscriptions'},
    'refund': {'key': 'id', 'staged': 'stg_stripe__refunds'},
}) }}
