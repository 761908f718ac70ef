-- Nobody may be contacted, profiled or shared with ads unless a consent in force says so: every
-- flag of
-- customers that is true has its granted row in customer_consents.
with flags as (
    select customer_id, 'marketing' as purpose, 'email' as channel from {{ ref('customers') }} where can_email
    union all
    select customer_id, 'marketing' as purpose, 'sms' as channel from {{ ref('customers') }} where can_sms
    union all
    select customer_id, 'marketing' as purpose, 'phone' as channel from {{ ref('customers') }} where can_phone
    union all
    select customer_id, 'marketing' as purpose, 'post' as channel from {{ ref('customers') }} where can_post
    union all
    select customer_id, 'personalisation' as purpose, 'any' as channel from {{ ref('customers') }} where can_personalise
    union all
    select customer_id, 'profiling' as purpose, 'any' as channel from {{ ref('customers') }} where can_profile
    union all
    select customer_id, 'ads' as purpose, 'any' as channel from {{ ref('customers') }} where can_share_with_ads
),

granted as (
    select
        customer_id,
        purpose,
        channel
    from {{ ref('customer_consents') }}
    where
        is_granted
        and is_primary
)

select
    flags.customer_id,
    flags.purpose,
    flags.channel
from flags
left join granted
    on
        granted.customer_id = flags.customer_id
        and granted.purpose = flags.purpose
        and granted.channel = flags.channel
where granted.customer_id is null
