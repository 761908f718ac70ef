{{ config(enabled=source_is_on('segment')) }}

{{ suppression_candidates('segment', {
    'identifies': {'key': 'id', 'user_id': ['user_id'], 'anonymous_id': ['anonymous_id'], 'email': ['email'], 'phone': ['phone']},
    'users': {'key': 'id', 'user_id': ['id'], 'email': ['email'], 'phone': ['phone']},
    'pages': {'key': 'id', 'user_id': ['user_id'], 'anonymous_id': ['anonymous_id']},
    'tracks': {'key': 'id', 'user_id': ['user_id'], 'anonymous_id': ['anonymous_id']},
}) }}
