{{ config(enabled=source_is_on('shopify'), materialized='table') }}

with source as (
    {{ staged_rows('shopify', 'order_line_refund', key='id', latest_by='_fivetran_synced') }}
),

valued as (
    {{ clean_values(
        'source',
        number=['quantity', 'subtotal', 'total_tax', 'subtotal_set_shop_amount', 'total_tax_set_shop_amount'],
        timestamp=['_fivetran_synced']
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as order_line_refund_id,
        {{ to_text('refund_id') }} as refund_id,
        {{ to_text('order_line_id') }} as order_line_id,

        -- measures
        {{ integer_of('clean_quantity') }} as quantity,
        coalesce({{ amount_of('clean_subtotal') }}, {{ amount_of('clean_subtotal_set_shop_amount') }}) as amount,
        coalesce({{ amount_of('clean_total_tax') }}, {{ amount_of('clean_total_tax_set_shop_amount') }}) as tax_amount,

        -- timestamps
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
