select customer_id
from {{ ref('customers') }}
where
    {{ did(['product_viewed', 'cart_added', 'checkout_started'], within_days=30, at_least=3) }}
    and {{ did_not(['order_placed', 'store_purchased', 'payment_succeeded'], within_days=90) }}
