{{ config(enabled=source_is_on('klaviyo'), materialized='table') }}

with source as (
    {{ staged_rows('klaviyo', 'event', key='id', latest_by='_fivetran_synced') }}
),

metrics as (
    select
        metric_id,
        metric_name
    from {{ ref('stg_klaviyo__metrics') }}
),

-- each value that takes reading is read once: this table is long
valued as (
    select
        source.*,
        {{ to_boolean('_fivetran_deleted') }} as deletion,
        {{ to_timestamp('datetime') }} as told_at,
        {{ to_timestamp('"timestamp"') }} as counted_at,
        {{ to_timestamp('_fivetran_synced') }} as loaded_at
    from source {{ made_once() }}
),

cleaned as (
    select
        -- keys
        valued.row_key,
        valued.row_key as event_id,
        {{ to_text('valued.person_id') }} as person_id,
        {{ to_text('valued.campaign_id') }} as campaign_id,
        {{ to_text('valued.flow_id') }} as flow_id,

        -- attributes
        lower(replace(coalesce(metrics.metric_name, {{ to_text('valued."type"') }}), '_', ' ')) as event_name,
        {{ to_text('valued.property_campaign_name') }} as campaign_name,
        {{ regexp_replace_all(to_text('valued.property_url'), '(?s)[?#].*$', '') }} as link,

        -- flags
        coalesce(valued.deletion, false) as is_deleted,

        -- timestamps
        coalesce(valued.told_at, valued.counted_at) as occurred_at,
        valued.loaded_at,

        -- accounting
        valued.collapsed_count,
        {{ unusable_values(others=[
            ['_fivetran_deleted', 'invalid_boolean', 'valued.deletion'],
            ['datetime', 'invalid_timestamp', 'valued.told_at'],
            ['"timestamp"', 'invalid_timestamp', 'valued.counted_at'],
            ['_fivetran_synced', 'invalid_timestamp', 'valued.loaded_at']
        ]) }} as unusable_values
    from valued
    left join metrics
        on metrics.metric_id = {{ to_text('valued.metric_id') }}
)

select * from cleaned
