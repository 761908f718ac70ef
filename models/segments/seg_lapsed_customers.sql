select customer_id
from {{ ref('customers') }}
where
    order_count > 0
    and not {{ is_within_days('last_order_at', 365) }}
