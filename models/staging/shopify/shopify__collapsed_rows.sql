{{ config(enabled=source_is_on('shopify')) }}

{{ collapsed_rows('shopify', {
    'customer': {'key': 'id', 'staged': 'stg_shopify__customers'},
    'customer_address': {'key': 'id', 'staged': 'stg_shopify__customer_addresses'},
    'order': {'key': 'id', 'staged': 'stg_shopify__orders'},
    'order_line': {'key': 'id', 'staged': 'stg_shopify__order_lines'},
    'refund': {'key': 'id', 'staged': 'stg_shopify__refunds'},
    'order_line_refund': {'key': 'id', 'staged': 'stg_shopify__order_line_refunds'},
    'order_adjustment': {'key': 'id', 'staged': 'stg_shopify__order_adjustments'},
}) }}
