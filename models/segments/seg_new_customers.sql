select customer_id
from {{ ref('customers') }}
where {{ is_within_days('first_order_at', 30) }}
