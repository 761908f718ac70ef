-- Every attribute of a customer that any record knows has exactly one winner.
select
    customer_id,
    attribute
from {{ ref('customer_attributes') }}
group by customer_id, attribute
having sum(case when is_winner then 1 else 0 end) <> 1
