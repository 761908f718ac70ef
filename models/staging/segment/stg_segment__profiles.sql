{{ config(enabled=source_is_on('segment'), materialized='table') }}

with users as (
    select * from {{ ref('stg_segment__users') }}
),

identifies as (
    select * from {{ ref('stg_segment__identifies') }}
    where user_id is not null
),

-- a call may carry some traits only: of each trait the latest that was given counts
ranked_traits as (
    select
        identifies.*,
        row_number() over (
            partition by user_id
            order by
                case when first_name is null then 1 else 0 end,
                occurred_at desc nulls last,
                identify_id
        ) as first_name_rank,
        row_number() over (
            partition by user_id
            order by
                case when last_name is null then 1 else 0 end,
                occurred_at desc nulls last,
                identify_id
        ) as last_name_rank,
        row_number() over (
            partition by user_id
            order by
                case when email is null then 1 else 0 end,
                occurred_at desc nulls last,
                identify_id
        ) as email_rank,
        row_number() over (
            partition by user_id
            order by
                case when phone is null then 1 else 0 end,
                occurred_at desc nulls last,
                identify_id
        ) as phone_rank
    from identifies
),

latest_traits as (
    select
        user_id,
        max(case when first_name_rank = 1 then first_name end) as first_name,
        max(case when last_name_rank = 1 then last_name end) as last_name,
        max(case when email_rank = 1 then email end) as email,
        max(case when phone_rank = 1 then phone end) as phone,
        min(occurred_at) as first_identified_at,
        max(occurred_at) as last_identified_at,
        max(loaded_at) as loaded_at
    from ranked_traits
    group by user_id
),

profiles as (
    select
        -- keys
        'segment:user:' || coalesce(users.user_id, latest_traits.user_id) as record_id,
        coalesce(users.user_id, latest_traits.user_id) as user_id,

        -- attributes
        coalesce(users.first_name, latest_traits.first_name) as first_name,
        coalesce(users.last_name, latest_traits.last_name) as last_name,
        coalesce(
            users.full_name,
            {{ to_text("concat_ws(' ', latest_traits.first_name, latest_traits.last_name)") }}
        ) as full_name,
        coalesce(users.email, latest_traits.email) as email,
        coalesce(users.phone, latest_traits.phone) as phone,
        users.birth_date,
        users.company_name,
        users.job_title,
        users.street,
        users.city,
        users.region,
        users.postcode,
        users.country_code,

        -- timestamps
        coalesce(users.created_at, latest_traits.first_identified_at) as created_at,
        coalesce(latest_traits.last_identified_at, users.loaded_at) as updated_at,
        coalesce(
            greatest(users.loaded_at, latest_traits.loaded_at),
            users.loaded_at,
            latest_traits.loaded_at
        ) as loaded_at
    from users
    full outer join latest_traits
        on latest_traits.user_id = users.user_id
)

select * from profiles
