{{ config(enabled=source_is_on('shopify'), materialized='table') }}

with source as (
    {{ staged_rows('shopify', 'order_line_refund', key='id', latest_by='_fivetran_synced') }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as order_line_refund_id,
        {{ to_text('refund_id') }} as refund_id,
        {{ to_text('order_line_id') }} as order_line_id,

        -- measures
        {{ to_integer('quantity') }} as quantity,
        coalesce({{ to_amount('subtotal') }}, {{ to_amount('subtotal_set_shop_amount') }}) as amount,
        coalesce({{ to_amount('total_tax') }}, {{ to_amount('total_tax_set_shop_amount') }}) as tax_amount,

        -- timestamps
        {{ to_timestamp('_fivetran_synced') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(
            number=['quantity', 'subtotal', 'total_tax', 'subtotal_set_shop_amount', 'total_tax_set_shop_amount'],
            timestamp=['_fivetran_synced']
        ) }} as unusable_values
    from source
)

select * from cleaned
