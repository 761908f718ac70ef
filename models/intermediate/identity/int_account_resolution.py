def model(dbt, session):
    from kindred.identity.dbt_model import resolve_relations

    reference = {
        "nicknames": dbt.ref("nicknames"),
        "freemail_domains": dbt.ref("freemail_domains"),
        "junk_patterns": dbt.ref("junk_patterns"),
        "legal_suffixes": dbt.ref("legal_suffixes"),
    }
    settings = dbt.config.get("identity_settings")
    given = {
        "records": dbt.ref("int_account_match_records"),
        "identifiers": dbt.ref("record_identifiers"),
        "overrides": dbt.ref("int_account_overrides"),
        "earlier": dbt.ref("int_account_kept_prior"),
        "last": lambda: dbt.ref("int_account_resolution_prior"),
    }
    return resolve_relations("account", given, reference, settings)
