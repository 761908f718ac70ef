{{ config(enabled=source_is_on('consent_platform')) }}

{{ base_table('consent_platform', 'preference_change') }}
