{#- Whether a moment lies within the last `days` days before the moment the build speaks of. -#}
{% macro is_within_days(moment, days) -%}
    ({{ moment }} > {{ add_days(as_of(), -days) }} and {{ moment }} <= {{ as_of() }})
{%- endmacro %}


{#- How many rows of a group meet a condition. -#}
{% macro count_where(condition) -%}
    cast(sum(case when {{ condition }} then 1 else 0 end) as bigint)
{%- endmacro %}


{#- The sum of an amount over the rows of a group that meet a condition; zero where none does. -#}
{% macro sum_where(amount, condition) -%}
    cast(sum(case when {{ condition }} then {{ amount }} else 0 end) as numeric(18, 2))
{%- endmacro %}


{#- Whether an activity is something the person did, and not something that was done to them. -#}
{% macro is_engagement(activity) -%}
    ({{ activity }} not in (
        'email_sent', 'email_delivered', 'email_bounced', 'email_unsubscribed', 'email_marked_spam', 'sms_sent',
        'payment_failed', 'order_refunded', 'store_returned', 'subscription_cancelled', 'ticket_solved',
        'lead_created', 'lead_converted', 'opportunity_created', 'opportunity_won', 'opportunity_lost'
    ))
{%- endmacro %}


{#-
    A score from 1 to 5 by fifths of all rows of the window's partition, equal values scoring alike:
    5 for the greatest. Null where the value is null.
-#}
{% macro score_in_fifths(value, partition_by=none) -%}
    case
        when {{ value }} is not null
            then cast(least(5, 1 + floor(5 * percent_rank() over (
                partition by {{ value }} is null{{ ', ' ~ partition_by if partition_by }}
                order by {{ value }} asc
            ))) as integer)
    end
{%- endmacro %}
