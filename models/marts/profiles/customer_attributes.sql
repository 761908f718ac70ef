with records as (
    select * from {{ ref('int_customer_records') }}
),

candidates as (
    {{ candidate_values('records', 'customer_id', {
        'first_name': 'first_name',
        'last_name': 'last_name',
        'full_name': 'full_name',
        'email': 'email',
        'phone': 'phone',
        'address': 'address',
        'birth_date': 'cast(birth_date as text)',
        'company_name': 'company_name',
        'job_title': 'job_title'
    }) }}
),

final as (
    {{ ranked_values('candidates', 'customer_id', 'person') }}
)

select * from final
