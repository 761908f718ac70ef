{{ config(enabled=source_is_on('zendesk')) }}

with organizations as (
    select * from {{ ref('stg_zendesk__organizations') }}
),

domains as (
    select
        organization_id,
        domain,
        row_number() over (
            partition by organization_id
            order by place nulls last, domain
        ) as domain_rank
    from {{ ref('stg_zendesk__domain_names') }}
    where domain is not null
),

records as (
    select
        organizations.record_id,
        'zendesk' as source,
        'organization' as source_object,
        organizations.organization_id as source_record_id,
        organizations.organization_name as name,
        domains.domain,
        null as phone,
        null as street,
        null as city,
        null as region,
        null as postcode,
        null as country_code,
        null as registration_number,
        null as industry,
        null as employee_count,
        null as annual_revenue,
        null as parent_record_id,
        false as is_test,
        false as is_deleted,
        organizations.created_at,
        coalesce(organizations.updated_at, organizations.created_at) as updated_at,
        organizations.loaded_at
    from organizations
    left join domains
        on
            domains.organization_id = organizations.organization_id
            and domains.domain_rank = 1
)

select * from records
