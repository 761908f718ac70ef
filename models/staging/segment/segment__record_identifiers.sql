{{ config(enabled=source_is_on('segment')) }}

with profiles as (
    select * from {{ ref('stg_segment__profiles') }}
),

identifies as (
    select * from {{ ref('stg_segment__identifies') }}
    where user_id is not null
),

page_visitors as (
    select
        user_id,
        anonymous_id,
        min(occurred_at) as observed_at,
        min(loaded_at) as loaded_at
    from {{ ref('stg_segment__pages') }}
    where user_id is not null and anonymous_id is not null
    group by user_id, anonymous_id
),

track_visitors as (
    select
        user_id,
        anonymous_id,
        min(occurred_at) as observed_at,
        min(loaded_at) as loaded_at
    from {{ ref('stg_segment__tracks') }}
    where user_id is not null and anonymous_id is not null
    group by user_id, anonymous_id
),

identifiers as (
    select
        user_id,
        'user_id' as identifier_type,
        user_id as identifier_value,
        created_at as observed_at,
        loaded_at
    from profiles
    union all
    select
        user_id,
        'email' as identifier_type,
        email as identifier_value,
        created_at as observed_at,
        loaded_at
    from profiles
    union all
    select
        user_id,
        'phone' as identifier_type,
        phone as identifier_value,
        created_at as observed_at,
        loaded_at
    from profiles
    union all
    select
        user_id,
        'email' as identifier_type,
        email as identifier_value,
        occurred_at as observed_at,
        loaded_at
    from identifies
    union all
    select
        user_id,
        'phone' as identifier_type,
        phone as identifier_value,
        occurred_at as observed_at,
        loaded_at
    from identifies
    union all
    select
        user_id,
        'anonymous_id' as identifier_type,
        anonymous_id as identifier_value,
        occurred_at as observed_at,
        loaded_at
    from identifies
    union all
    select
        user_id,
        'anonymous_id' as identifier_type,
        anonymous_id as identifier_value,
        observed_at,
        loaded_at
    from page_visitors
    union all
    select
        user_id,
        'anonymous_id' as identifier_type,
        anonymous_id as identifier_value,
        observed_at,
        loaded_at
    from track_visitors
),

final as (
    select
        profiles.record_id,
        'segment' as source,
        identifiers.identifier_type,
        identifiers.identifier_value,
        identifiers.observed_at,
        identifiers.loaded_at
    from identifiers
    inner join profiles
        on profiles.user_id = identifiers.user_id
    where identifiers.identifier_value is not null
)

select * from final
