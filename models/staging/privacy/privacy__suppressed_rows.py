from kindred.privacy.suppression import suppressed_rows


def model(dbt, session):
    dbt.config(materialized="table")
    suppressions = dbt.ref("base_privacy__suppression")
    return suppressed_rows(lambda: dbt.ref("privacy__suppression_candidates"), suppressions)
