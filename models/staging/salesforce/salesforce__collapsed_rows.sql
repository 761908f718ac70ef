{{ config(enabled=source_is_on('salesforce')) }}

{{ collapsed_rows('salesforce', {
    'account': {'key': 'id', 'staged': 'stg_salesforce__accounts'},
    'contact': {'key': 'id', 'staged': 'stg_salesforce__contacts'},
    'lead': {'key': 'id', 'staged': 'stg_salesforce__leads'},
    'opportunity': {'key': 'id', 'staged': 'stg_salesforce__opportunities'},
}) }}
