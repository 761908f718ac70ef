{{ config(enabled=source_is_on('zendesk')) }}

{{ suppression_candidates('zendesk', {
    'user': {'key': 'id', 'zendesk_id': ['id'], 'user_id': ['external_id'], 'email': ['email'], 'phone': ['phone']},
    'organization': {'key': 'id'},
    'domain_name': {'key': ['organization_id', 'domain_name']},
    'ticket': {'key': 'id', 'zendesk_id': ['requester_id']},
}) }}
