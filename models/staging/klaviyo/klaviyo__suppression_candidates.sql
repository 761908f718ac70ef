{{ config(enabled=source_is_on('klaviyo')) }}

{{ suppression_candidates('klaviyo', {
    'person': {'key': 'id', 'klaviyo_id': ['id'], 'email': ['email'], 'phone': ['phone_number']},
    'event': {'key': 'id', 'klaviyo_id': ['person_id']},
    'metric': {'key': 'id'},
}) }}
