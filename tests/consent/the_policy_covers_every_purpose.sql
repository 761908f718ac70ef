-- Every jurisdiction of the policy has a row for every purpose and channel, and the unknown one is
-- at least
-- as strict as any.
with expected as (
    select
        jurisdictions.jurisdiction,
        wanted.purpose,
        wanted.channel
    from (select distinct jurisdiction from {{ ref('consent_policy') }}) as jurisdictions
    cross join (select distinct purpose, channel from {{ ref('consent_policy') }}) as wanted
),

strictest as (
    select * from {{ ref('consent_policy') }}
    where jurisdiction = 'unknown'
)

select
    expected.jurisdiction,
    expected.purpose,
    expected.channel
from expected
left join {{ ref('consent_policy') }} as policy
    on
        policy.jurisdiction = expected.jurisdiction
        and policy.purpose = expected.purpose
        and policy.channel = expected.channel
left join strictest
    on
        strictest.purpose = expected.purpose
        and strictest.channel = expected.channel
where
    policy.jurisdiction is null
    or strictest.jurisdiction is null
    or strictest.max_age_days > policy.max_age_days
    or (policy.requires_double_opt_in and not strictest.requires_double_opt_in)
    or (policy.honours_gpc and not strictest.honours_gpc)
