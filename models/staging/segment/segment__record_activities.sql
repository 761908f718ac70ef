{{ config(enabled=source_is_on('segment')) }}

with pages as (
    select * from {{ ref('stg_segment__pages') }}
),

tracks as (
    select * from {{ ref('stg_segment__tracks') }}
),

profiles as (
    select
        user_id as known_user_id,
        record_id
    from {{ ref('stg_segment__profiles') }}
),

events as (
    select
        'segment:page:' || page_view_id as activity_id,
        occurred_at,
        'page_viewed' as activity,
        channel,
        user_id,
        anonymous_id,
        null as object_id,
        {{ json_object({'path': 'path'}) }} as feature_json,
        url as link,
        loaded_at
    from pages
    union all
    select
        'segment:track:' || track_id as activity_id,
        occurred_at,
        case event_name
            when 'product_added' then 'cart_added'
            when 'signed_in' then 'logged_in'
            else coalesce(event_name, 'unnamed_event')
        end as activity,
        channel,
        user_id,
        anonymous_id,
        case
            when order_id is not null then 'segment:order:' || order_id
            when product_id is not null then 'segment:product:' || product_id
        end as object_id,
        case
            when product_id is not null or category is not null or event_value is not null
                then {{ json_object({'product_id': 'product_id', 'category': 'category', 'value': 'event_value'}) }}
        end as feature_json,
        null as link,
        loaded_at
    from tracks
),

-- somebody who is known is named by the record, anybody else by user or browser
activities as (
    select
        events.activity_id,
        'segment' as source,
        events.occurred_at,
        events.activity,
        events.channel,
        profiles.record_id,
        null as account_record_id,
        case
            when profiles.record_id is not null then null
            when events.anonymous_id is not null then 'anonymous_id'
            when events.user_id is not null then 'user_id'
        end as identifier_type,
        case
            when profiles.record_id is null then coalesce(events.anonymous_id, events.user_id)
        end as identifier_value,
        events.object_id,
        events.feature_json,
        null as revenue_impact,
        events.link,
        events.loaded_at
    from events
    left join profiles
        on profiles.known_user_id = events.user_id
    where
        events.occurred_at is not null
        and (events.user_id is not null or events.anonymous_id is not null)
)

select * from activities
