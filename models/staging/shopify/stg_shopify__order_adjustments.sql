{{ config(enabled=source_is_on('shopify'), materialized='table') }}

with source as (
    {{ staged_rows('shopify', 'order_adjustment', key='id', latest_by='_fivetran_synced') }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as order_adjustment_id,
        {{ to_text('refund_id') }} as refund_id,

        -- measures
        coalesce({{ to_amount('amount') }}, {{ to_amount('amount_set_shop_amount') }}) as amount,
        coalesce({{ to_amount('tax_amount') }}, {{ to_amount('tax_amount_set_shop_amount') }}) as tax_amount,

        -- timestamps
        {{ to_timestamp('_fivetran_synced') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(
            number=['amount', 'tax_amount', 'amount_set_shop_amount', 'tax_amount_set_shop_amount'],
            timestamp=['_fivetran_synced']
        ) }} as unusable_values
    from source
)

select * from cleaned
