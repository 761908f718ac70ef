{{ config(enabled=source_is_on('stripe'), materialized='table') }}

with source as (
    {{ staged_rows('stripe', 'subscription', key='id', latest_by='_fivetran_synced') }}
),

valued as (
    {{ clean_values(
        'source',
        number=['quantity'], boolean=['livemode'],
        timestamp=['start_date', 'created', 'canceled_at', 'ended_at', '_fivetran_synced']
    ) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as subscription_id,
        {{ to_text('customer_id') }} as customer_id,

        -- attributes
        lower({{ to_text('status') }}) as status,

        -- measures
        {{ integer_of('clean_quantity') }} as quantity,

        -- flags
        coalesce(not clean_livemode, false) as is_test,

        -- timestamps
        coalesce(clean_start_date, clean_created) as started_at,
        clean_canceled_at as cancelled_at,
        clean_ended_at as ended_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
