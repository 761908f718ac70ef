def model(dbt, session):
    from kindred.identity.dbt_model import resolve_relations

    reference = {
        "nicknames": dbt.ref("nicknames"),
        "given_names": dbt.ref("given_names"),
        "freemail_domains": dbt.ref("freemail_domains"),
        "junk_patterns": dbt.ref("junk_patterns"),
        "legal_suffixes": dbt.ref("legal_suffixes"),
    }
    settings = dbt.config.get("identity_settings")
    given = {
        "records": dbt.ref("int_person_match_records"),
        "identifiers": dbt.ref("record_identifiers"),
        "overrides": dbt.ref("int_person_overrides"),
        "earlier": dbt.ref("int_person_kept_prior"),
        "last": lambda: dbt.ref("int_person_resolution_prior"),
    }
    kept = {"keeps": dbt.config.get("keeps"), "changes_only": dbt.is_incremental}
    found = resolve_relations("person", given, reference, settings, session, **kept)
    return session.from_arrow(found) if dbt.is_incremental else found  # see py_write_table
