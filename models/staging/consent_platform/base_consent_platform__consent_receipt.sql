{{ config(enabled=source_is_on('consent_platform')) }}

{{ base_table('consent_platform', 'consent_receipt') }}
