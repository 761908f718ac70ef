{#-
    Questions that a segment asks of a customer or an account, each a condition for a where clause.
    They look for a column `customer_id` (or `account_id`) of the relation that is selected from; give
    `who` where it has another name.
-#}

{#- The activities that answer a question: of some kinds, within some days, on some channels. -#}
{% macro activities_asked_for(activity, within_days=none, channel=none) -%}
    {%- set activities = [activity] if activity is string else activity -%}
    {%- set channels = [channel] if channel is string else channel -%}
    activity in ({{ quoted_list(activities) }})
    {%- if channels is not none %}
    and channel in ({{ quoted_list(channels) }})
    {%- endif %}
    {%- if within_days is not none %}
    and {{ is_within_days('occurred_at', within_days) }}
    {%- else %}
    and occurred_at <= {{ as_of() }}
    {%- endif -%}
{%- endmacro %}


{#-
    The customer did something, at least so many times.
    activity: one activity, or a list of which any counts. within_days: only the last days count.
    channel: only these channels count. did('order_placed', within_days=30)
-#}
{% macro did(activity, within_days=none, at_least=1, channel=none, who='customer_id') -%}
    {{ who }} in (
        select customer_id
        from {{ ref('activities') }}
        where
            customer_id is not null
            and {{ activities_asked_for(activity, within_days, channel) | indent(12) }}
        group by customer_id
        having count(*) >= {{ at_least | int }}
    )
{%- endmacro %}


{#- The customer did not do something. did_not('order_placed', within_days=90) -#}
{% macro did_not(activity, within_days=none, channel=none, who='customer_id') -%}
    not {{ did(activity, within_days, 1, channel, who) }}
{%- endmacro %}


{#-
    The people of an account of whom a condition on `customers` holds.
    any_person('can_email'), at_least: how many of them.
-#}
{% macro any_person(condition, at_least=1, who='account_id') -%}
    {{ who }} in (
        select relations.account_id
        from {{ ref('customer_accounts') }} as relations
        inner join {{ ref('customers') }} as people on people.customer_id = relations.customer_id
        where {{ condition }}
        group by relations.account_id
        having count(*) >= {{ at_least | int }}
    )
{%- endmacro %}


{#- Of no person of the account does the condition hold. -#}
{% macro no_person(condition, who='account_id') -%}
    not {{ any_person(condition, 1, who) }}
{%- endmacro %}


{#- The account has people, and of every one of them the condition holds. -#}
{% macro every_person(condition, who='account_id') -%}
    ({{ any_person('true', 1, who) }} and {{ no_person('not coalesce(' ~ condition ~ ', false)', who) }})
{%- endmacro %}


{#- People of the account did something. any_person_did('ticket_created', within_days=90) -#}
{% macro any_person_did(activity, within_days=none, at_least=1, channel=none, who='account_id') -%}
    {{ who }} in (
        select relations.account_id
        from {{ ref('customer_accounts') }} as relations
        where {{ did(activity, within_days, at_least, channel, 'relations.customer_id') | indent(8) }}
    )
{%- endmacro %}


{#- No person of the account did something. -#}
{% macro no_person_did(activity, within_days=none, channel=none, who='account_id') -%}
    not {{ any_person_did(activity, within_days, 1, channel, who) }}
{%- endmacro %}


{#- The customer (or account) is in another segment. in_segment('new_customers') -#}
{% macro in_segment(segment_name, who='customer_id') -%}
    {{ who }} in (select members.{{ who.split('.') | last }} from {{ ref('seg_' ~ segment_name) }} as members)
{%- endmacro %}


{#- The customer (or account) is not in another segment. -#}
{% macro not_in_segment(segment_name, who='customer_id') -%}
    not {{ in_segment(segment_name, who) }}
{%- endmacro %}
