-- Every person that identity found is a customer, and nobody else is.
with people as (
    select distinct customer_id from {{ ref('int_person_ids') }}
)

select
    people.customer_id as person,
    customers.customer_id as customer
from people
full outer join {{ ref('customers') }} as customers on customers.customer_id = people.customer_id
where
    people.customer_id is null
    or customers.customer_id is null
