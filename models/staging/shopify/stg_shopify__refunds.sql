{{ config(enabled=source_is_on('shopify'), materialized='table') }}

with source as (
    {{ staged_rows('shopify', 'refund', key='id', latest_by=['updated_at', '_fivetran_synced']) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as refund_id,
        {{ to_text('order_id') }} as order_id,

        -- attributes
        {{ to_currency('total_refunded_set_shop_currency_code') }} as currency,

        -- measures
        {{ to_amount('total_refunded_set_shop_amount') }} as amount,

        -- timestamps
        coalesce({{ to_timestamp('processed_at') }}, {{ to_timestamp('created_at') }}) as refunded_at,
        {{ to_timestamp('_fivetran_synced') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(
            number=['total_refunded_set_shop_amount'], timestamp=['processed_at', 'created_at', '_fivetran_synced'],
            others=[
                [
                    'total_refunded_set_shop_currency_code', 'invalid_currency',
                    to_currency('total_refunded_set_shop_currency_code')
                ]
            ]
        ) }} as unusable_values
    from source
)

select * from cleaned
