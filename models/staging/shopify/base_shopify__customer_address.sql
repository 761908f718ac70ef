{{ config(enabled=source_is_on('shopify')) }}

{{ base_table('shopify', 'customer_address') }}
