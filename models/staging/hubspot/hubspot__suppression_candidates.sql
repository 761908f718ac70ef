{{ config(enabled=source_is_on('hubspot')) }}

{{ suppression_candidates('hubspot', {
    'contact': {'key': 'id', 'hubspot_id': ['id'], 'email': ['property_email', 'property_email_1'], 'phone': ['property_mobilephone', 'property_phone']},
    'company': {'key': 'id'},
    'deal': {'key': 'deal_id'},
    'deal_company': {'key': ['deal_id', 'company_id']},
    'deal_pipeline_stage': {'key': 'stage_id'},
    'email_event': {'key': 'id', 'email': ['recipient']},
}) }}
