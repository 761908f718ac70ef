{{ config(materialized='view') }}

with account_records as (
    select * from {{ ref('account_records') }}
),

account_ids as (
    select * from {{ ref('int_account_ids') }}
),

final as (
    select
        account_ids.account_id,
        account_records.record_id,
        account_records.source,
        account_records.name,
        account_records.domain,
        account_records.phone,
        account_records.street,
        account_records.city,
        account_records.region,
        account_records.postcode,
        account_records.country_code,
        account_records.registration_number,
        account_records.industry,
        account_records.employee_count,
        account_records.annual_revenue,
        parents.account_id as parent_account_id,
        {{ address_line('account_records') }} as address,
        coalesce(
            account_records.created_at,
            account_records.updated_at,
            account_records.loaded_at
        ) as created_at,
        coalesce(
            account_records.updated_at,
            account_records.created_at,
            account_records.loaded_at
        ) as seen_at
    from account_records
    inner join account_ids on account_ids.record_id = account_records.record_id
    left join account_ids as parents on parents.record_id = account_records.parent_record_id
)

select * from final
