{{ config(enabled=source_is_on('social')) }}

{%- set profile = {'sql': "lower(" ~ trimmed('raw_rows.platform') ~ ") || ':' || " ~ trimmed('raw_rows.profile_id')} %}

{{ suppression_candidates('social', {
    'lead_form_submission': {'key': 'id', 'social_profile_id': [profile], 'email': ['email'], 'phone': ['phone_number']},
    'engagement': {'key': 'id', 'social_profile_id': [profile]},
}) }}
