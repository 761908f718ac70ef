select customer_id
from {{ ref('customers') }}
where
    monetary_score >= 4
    and order_count >= 2
    and not {{ is_within_days('last_order_at', 90) }}
    and {{ is_within_days('last_order_at', 365) }}
