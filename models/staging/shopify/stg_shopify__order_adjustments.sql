{{ config(enabled=source_is_on('shopify'), materialized='table') }}

with source as (
    {{ staged_rows('shopify', 'order_adjustment', key='id', latest_by='_fivetran_synced') }}
),

valued as (
    {{ clean_values(
        'source',
        number=['amount', 'tax_amount', 'amount_set_shop_amount', 'tax_amount_set_shop_amount'],
        timestamp=['_fivetran_synced']
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as order_adjustment_id,
        {{ to_text('refund_id') }} as refund_id,

        -- measures
        coalesce({{ amount_of('clean_amount') }}, {{ amount_of('clean_amount_set_shop_amount') }}) as amount,
        coalesce({{ amount_of('clean_tax_amount') }}, {{ amount_of('clean_tax_amount_set_shop_amount') }}) as tax_amount,

        -- timestamps
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
