{{ config(enabled=source_is_on('hubspot'), materialized='table') }}

with source as (
    {{ staged_rows('hubspot', 'email_event', key='id', latest_by='_fivetran_synced') }}
),

-- each value that takes reading is read once: this table is long
valued as (
    select
        source.*,
        {{ to_email('recipient') }} as email,
        {{ to_boolean('filtered_event') }} as filtering,
        {{ to_timestamp('created') }} as occurred_at,
        {{ to_timestamp('_fivetran_synced') }} as loaded_at
    from source {{ made_once() }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as email_event_id,
        {{ to_text('email_campaign_id') }} as email_campaign_id,

        -- attributes
        lower({{ to_text('"type"') }}) as event_type,
        email,

        -- flags
        coalesce(filtering, false) as is_filtered,

        -- timestamps
        occurred_at,
        loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(others=[
            ['recipient', 'invalid_email', 'email'],
            ['filtered_event', 'invalid_boolean', 'filtering'],
            ['created', 'invalid_timestamp', 'occurred_at'],
            ['_fivetran_synced', 'invalid_timestamp', 'loaded_at']
        ]) }} as unusable_values
    from valued
)

select * from cleaned
