{#- The rules that decide what a consent event is worth. docs/decisions.md says why they are as they are. -#}

{#- Contact channels; each is decided apart, for each contact point. -#}
{% macro contact_channels() -%}
    {{ return(['email', 'sms', 'phone', 'post']) }}
{%- endmacro %}


{#- Purposes that concern the person and not a contact point. -#}
{% macro person_purposes() -%}
    {{ return(['personalisation', 'profiling', 'ads']) }}
{%- endmacro %}


{#- A list of texts as SQL literals. -#}
{% macro quoted_list(values) -%}
    '{{ values | join("', '") }}'
{%- endmacro %}


{#-
    What an event does: grant, pending (asks for a confirmation, decides nothing), restrict, latch (an
    objection: only the person can lift it) or none. An action nobody knows restricts.
-#}
{% macro consent_effect(action, purpose, honours_gpc) -%}
    case
        when {{ action }} in ('grant', 'doi_confirmed') then 'grant'
        when {{ action }} = 'doi_requested' then 'pending'
        when {{ action }} = 'source_default' then 'none'
        when {{ action }} = 'gpc_signal' and {{ purpose }} = 'ads' and {{ honours_gpc }} then 'latch'
        when {{ action }} = 'gpc_signal' then 'none'
        when {{ action }} in ('object', 'complaint') then 'latch'
        else 'restrict'
    end
{%- endmacro %}


{#- Whether the person acted, and not a system, an agent or an import. Who is not named is not the person. -#}
{% macro is_by_person(actor) -%}
    coalesce(lower({{ actor }}) in ('person', 'customer', 'user', 'self', 'data_subject', 'subscriber', 'contact', 'member'), false)
{%- endmacro %}


{#- Whether the event proves that the person confirmed (double opt-in). -#}
{% macro is_confirmation(action, method) -%}
    (
        {{ action }} = 'doi_confirmed'
        or ({{ action }} = 'grant' and coalesce(lower({{ method }}) in ('double_opt_in', 'double opt-in', 'confirmed_opt_in', 'confirmed opt-in'), false))
    )
{%- endmacro %}


{#- The status that lasts when several are known for one thing: the most restrictive, but a grant needs no company. -#}
{% macro most_restrictive(status) -%}
    case
        when max(case when {{ status }} = 'denied' then 1 else 0 end) = 1 then 'denied'
        when max(case when {{ status }} = 'granted' then 1 else 0 end) = 1 then 'granted'
        when max(case when {{ status }} = 'pending' then 1 else 0 end) = 1 then 'pending'
        when max(case when {{ status }} = 'expired' then 1 else 0 end) = 1 then 'expired'
        else 'unknown'
    end
{%- endmacro %}


{#-
    The decision on everything that has the same values in `keys`, from a relation of consent effects
    (columns of int_consent_effects): granted, denied, pending, expired or unknown. The latest event wins,
    a tie goes to the restriction. Brands are decided apart (an event without brand concerns all of them)
    and one denial is enough for a denial.
    The order of events in the table never matters.
-#}
{% macro decide_consent(effects, keys) -%}
    {%- set joined_keys = [] -%}
    {%- for key in keys -%}{%- do joined_keys.append('events.' ~ key ~ ' = brands.' ~ key) -%}{%- endfor -%}
    select
        {{ keys | join(', ') }},
        {{ most_restrictive('status') }} as status,
        max(decided_at) as decided_at,
        case when {{ most_restrictive('status') }} = 'granted' then min(case when status = 'granted' then expires_at end) end as expires_at
    from (
        select
            {{ keys | join(', ') }},
            brand,
            {{ consent_status() }} as status,
            case
                when last_restriction_at is null then last_grant_at
                when last_grant_at is null then last_restriction_at
                else greatest(last_grant_at, last_restriction_at)
            end as decided_at,
            expires_at
        from (
            select
                {% for key in keys %}brands.{{ key }}, {% endfor %}
                brands.brand,
                max(case when events.effect in ('restrict', 'latch') then events.decided_at end) as last_restriction_at,
                max(case when events.effect = 'latch' then events.decided_at end) as last_latch_at,
                max(case when events.effect = 'grant' and events.has_begun then events.decided_at end) as last_grant_at,
                max(case when events.effect = 'grant' and events.has_begun and events.is_by_person then events.decided_at end) as last_person_grant_at,
                max(case when events.effect = 'grant' and events.has_begun and events.has_ended then events.decided_at end) as last_ended_grant_at,
                max(case when events.effect = 'grant' and events.has_begun and events.is_confirmation then events.decided_at end) as last_confirmed_at,
                max(case when events.effect = 'pending' then events.decided_at end) as last_pending_at,
                max(case when events.effect = 'grant' and events.requires_double_opt_in then 1 else 0 end) as requires_double_opt_in,
                max(case when events.effect = 'grant' and events.has_begun and not events.has_ended then events.expires_at end) as expires_at
            from (
                select
                    {{ keys | join(', ') }},
                    brand
                from (
                    select
                        {{ keys | join(', ') }},
                        brand,
                        max(brand) over (partition by {{ keys | join(', ') }}) as any_brand
                    from {{ effects }}
                    group by {{ keys | join(', ') }}, brand
                ) as found_brands
                where brand is not null or any_brand is null
            ) as brands
            inner join {{ effects }} as events
                on {{ joined_keys | join(' and ') }}
            where events.brand is null or events.brand = brands.brand
            group by {% for key in keys %}brands.{{ key }}, {% endfor %}brands.brand
        ) as latest
    ) as decided
    group by {{ keys | join(', ') }}
{%- endmacro %}


{#- The status, from the moments that decide_consent gathers. One line a rule; the first that holds decides. -#}
{% macro consent_status() -%}
    case
        when last_restriction_at is not null and last_grant_at is null then 'denied'
        when last_restriction_at >= last_grant_at then 'denied'
        when last_latch_at is not null and last_person_grant_at is null then 'denied'
        when last_latch_at >= last_person_grant_at then 'denied'
        when last_grant_at is null and last_pending_at is not null then 'pending'
        when last_grant_at is null then 'unknown'
        when last_ended_grant_at >= last_grant_at then 'expired'
        when last_pending_at >= last_grant_at then 'pending'
        when requires_double_opt_in = 1 and last_confirmed_at is null then 'pending'
        when requires_double_opt_in = 1 and last_confirmed_at <= last_restriction_at then 'pending'
        else 'granted'
    end
{%- endmacro %}
