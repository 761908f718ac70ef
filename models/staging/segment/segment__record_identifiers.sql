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

visitors as (
    select * from page_visitors
    union all
    select * from track_visitors
),

identifies_of_users as (
    select
        profiles.record_id,
        identifies.email,
        identifies.phone,
        identifies.anonymous_id,
        identifies.occurred_at,
        identifies.loaded_at
    from identifies
    inner join profiles
        on profiles.user_id = identifies.user_id
),

visitors_of_users as (
    select
        profiles.record_id,
        visitors.anonymous_id,
        visitors.observed_at,
        visitors.loaded_at
    from visitors
    inner join profiles
        on profiles.user_id = visitors.user_id
),

identifiers as (
    {{ identifiers_of('segment', 'profiles', {
        'user_id': ['user_id'],
        'email': ['email'],
        'phone': ['phone']
    }) }}
    union all
    {{ identifiers_of('segment', 'identifies_of_users', {
        'email': ['email'],
        'phone': ['phone'],
        'anonymous_id': ['anonymous_id']
    }, observed_at='occurred_at') }}
    union all
    {{ identifiers_of('segment', 'visitors_of_users', {'anonymous_id': ['anonymous_id']}, observed_at='observed_at') }}
)

select * from identifiers
