from kindred.privacy.suppression import suppressed_rows


def model(dbt, session):
    dbt.config(materialized="table")
    suppressions = dbt.ref("base_privacy__suppression")
    # dbt finds a reference in a function that is held by something, not in an argument.
    held = {"candidates": lambda: dbt.ref("privacy__suppression_candidates")}
    return suppressed_rows(held["candidates"], suppressions)
