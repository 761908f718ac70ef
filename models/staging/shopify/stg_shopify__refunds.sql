{{ config(enabled=source_is_on('shopify'), materialized='table') }}

with source as (
    {{ staged_rows('shopify', 'refund', key='id', latest_by=['updated_at', '_fivetran_synced']) }}
),

valued as (
    {{ clean_values(
        'source',
        number=['total_refunded_set_shop_amount'], timestamp=['processed_at', 'created_at', '_fivetran_synced'],
        others=[
            [
                'total_refunded_set_shop_currency_code', 'invalid_currency',
                to_currency('total_refunded_set_shop_currency_code')
            ]
        ]
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as refund_id,
        {{ to_text('order_id') }} as order_id,

        -- attributes
        clean_total_refunded_set_shop_currency_code as currency,

        -- measures
        {{ amount_of('clean_total_refunded_set_shop_amount') }} as amount,

        -- timestamps
        coalesce(clean_processed_at, clean_created_at) as refunded_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
