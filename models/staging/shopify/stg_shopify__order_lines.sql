{{ config(enabled=source_is_on('shopify'), materialized='table') }}

with source as (
    {{ staged_rows('shopify', 'order_line', key='id', latest_by='_fivetran_synced') }}
),

valued as (
    {{ clean_values(
        'source',
        number=['quantity', 'original_total_set_shop_amount', 'price', 'total_discount_set_shop_amount', 'total_discount'],
        timestamp=['_fivetran_synced']
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as order_line_id,
        {{ to_text('order_id') }} as order_id,
        {{ to_text('product_id') }} as product_id,
        {{ to_text('variant_id') }} as variant_id,

        -- attributes
        {{ to_text('sku') }} as sku,
        coalesce({{ to_text('title') }}, {{ to_text('"name"') }}) as product_title,

        -- measures
        {{ integer_of('clean_quantity') }} as quantity,
        coalesce(
            {{ amount_of('clean_original_total_set_shop_amount') }},
            cast({{ amount_of('clean_price') }} * {{ integer_of('clean_quantity') }} as numeric(18, 2))
        ) as amount,
        coalesce({{ amount_of('clean_total_discount_set_shop_amount') }}, {{ amount_of('clean_total_discount') }}) as discount_amount,

        -- timestamps
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
