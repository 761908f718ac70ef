{{ config(enabled=source_is_on('stripe'), materialized='table') }}

with source as (
    {{ staged_rows('stripe', 'subscription', key='id', latest_by='_fivetran_synced') }}
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
        {{ to_integer('quantity') }} as quantity,

        -- flags
        coalesce(not {{ to_boolean('livemode') }}, false) as is_test,

        -- timestamps
        coalesce({{ to_timestamp('start_date') }}, {{ to_timestamp('created') }}) as started_at,
        {{ to_timestamp('canceled_at') }} as cancelled_at,
        {{ to_timestamp('ended_at') }} as ended_at,
        {{ to_timestamp('_fivetran_synced') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(
            number=['quantity'], boolean=['livemode'],
            timestamp=['start_date', 'created', 'canceled_at', 'ended_at', '_fivetran_synced']
        ) }} as unusable_values
    from source
)

select * from cleaned
