{{ config(enabled=source_is_on('consent_platform')) }}

{{ quarantine('consent_platform', {
    'consent_receipt': {'key': 'receipt_id', 'staged': 'stg_consent_platform__consent_receipts'},
    'preference_change': {'key': 'change_id', 'staged': 'stg_consent_platform__preference_changes'},
    'gpc_signal': {'key': 'signal_id', 'staged': 'stg_consent_platform__gpc_signals'},
}) }}
