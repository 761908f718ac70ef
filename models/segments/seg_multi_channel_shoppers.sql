select customer_id
from {{ ref('customers') }}
where
    {{ did('order_placed', within_days=365) }}
    and {{ did('store_purchased', within_days=365) }}
