with attributes as (
    select * from {{ ref('customer_attributes') }}
    where is_winner
),

records as (
    select * from {{ ref('int_customer_records') }}
),

pivoted as (
    select
        customer_id,
        {{ winner('first_name') }} as first_name,
        {{ winner('last_name') }} as last_name,
        {{ winner('full_name') }} as full_name,
        {{ winner('email') }} as email,
        {{ winner('phone') }} as phone,
        {{ winner('address') }} as address,
        {{ winner('address', column='record_id') }} as address_record_id,
        {{ winner('birth_date', type='date') }} as birth_date,
        {{ winner('company_name') }} as company_name,
        {{ winner('job_title') }} as job_title
    from attributes
    group by customer_id
),

final as (
    select
        pivoted.customer_id,
        pivoted.first_name,
        pivoted.last_name,
        coalesce(
            nullif(concat_ws(' ', pivoted.first_name, pivoted.last_name), ''),
            pivoted.full_name
        ) as full_name,
        pivoted.email,
        pivoted.phone,
        pivoted.address,
        records.street,
        records.city,
        records.region,
        records.postcode,
        records.country_code,
        pivoted.birth_date,
        pivoted.company_name,
        pivoted.job_title
    from pivoted
    left join records on records.record_id = pivoted.address_record_id
)

select * from final
