-- Nobody belongs to two accounts first of all, and whoever belongs to any belongs to one first of
-- all.
select customer_id
from {{ ref('customer_accounts') }}
group by customer_id
having sum(case when is_primary then 1 else 0 end) <> 1
