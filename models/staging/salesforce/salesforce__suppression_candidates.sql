{{ config(enabled=source_is_on('salesforce')) }}

{{ suppression_candidates('salesforce', {
    'account': {'key': 'id'},
    'contact': {'key': 'id', 'salesforce_id': ['id'], 'email': ['email'], 'phone': ['mobile_phone', 'phone']},
    'lead': {'key': 'id', 'salesforce_id': ['id', 'converted_contact_id'], 'email': ['email'], 'phone': ['mobile_phone', 'phone']},
    'opportunity': {'key': 'id'},
}) }}
