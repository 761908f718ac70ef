{{ config(enabled=source_is_on('consent_platform')) }}

{{ suppression_candidates('consent_platform', {
    'consent_receipt': {'key': 'receipt_id', 'email': ['identifier_value'], 'phone': ['identifier_value'], 'user_id': ['identifier_value'], 'anonymous_id': ['identifier_value']},
    'preference_change': {'key': 'change_id', 'email': ['identifier_value'], 'phone': ['identifier_value'], 'user_id': ['identifier_value'], 'anonymous_id': ['identifier_value']},
    'gpc_signal': {'key': 'signal_id', 'user_id': ['user_id'], 'anonymous_id': ['anonymous_id']},
}) }}
