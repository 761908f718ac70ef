with activities as (
    select
        customer_id,
        activity,
        channel,
        occurred_at
    from {{ ref('activities') }}
    where
        customer_id is not null
        and occurred_at <= {{ as_of() }}
),

final as (
    select
        customer_id,
        count(*) as activity_count,
        {{ count_where(is_within_days('occurred_at', 30)) }} as activity_count_30d,
        {{ count_where(is_within_days('occurred_at', 90)) }} as activity_count_90d,
        {{ count_where(is_within_days('occurred_at', 365)) }} as activity_count_365d,
        {{ count_where(is_engagement('activity') ~ ' and ' ~ is_within_days('occurred_at', 30)) }} as engagement_count_30d,
        {{ count_where(is_engagement('activity') ~ ' and ' ~ is_within_days('occurred_at', 90)) }} as engagement_count_90d,
        {{ count_where(is_engagement('activity') ~ ' and ' ~ is_within_days('occurred_at', 365)) }} as engagement_count_365d,
        {{ count_where("activity = 'page_viewed' and " ~ is_within_days('occurred_at', 90)) }} as page_views_90d,
        {{ count_where("activity in ('email_opened', 'email_clicked') and " ~ is_within_days('occurred_at', 90)) }} as email_responses_90d,
        min(occurred_at) as first_activity_at,
        max(occurred_at) as last_activity_at,
        max(case when {{ is_engagement('activity') }} then occurred_at end) as last_engagement_at
    from activities
    group by customer_id
)

select * from final
