select customer_id
from {{ ref('customers') }}
where
    can_email
    and {{ did(['email_opened', 'email_clicked'], within_days=180) }}
    and {{ did_not('email_bounced', within_days=180) }}
