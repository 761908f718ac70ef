"""What a careful user of Splink 5 would write for the same records: the rival to measure against.

    python bench/plain_splink.py kindred_build.duckdb --out clusters.parquet

Reads the records that matching gets (identity.int_person_match_records), compares the same fields
with Splink's own comparisons, trains without labels, predicts, and takes connected components at
match weight 4. Seconds and the peak of memory are printed as one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

WEIGHT = 4.0
RULES = (
    ("email",),
    ("phone", "last_name"),
    ("first_name", "last_name", "birth_date"),
    ("first_name", "last_name", "postcode"),
    ("first_name", "last_name", "city"),
    ("last_name", "birth_date"),
    ("first_name", "birth_date"),
    ("last_name", "street", "postcode"),
)


def main() -> None:
    """Cluster the records of a working database."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("database", type=Path)
    asked.add_argument("--out", type=Path, required=True)
    given = asked.parse_args()

    started = time.monotonic()
    with duckdb.connect(str(given.database), read_only=True) as source:
        records = source.execute(
            """
            select
                record_id,
                coalesce(first_name, split_part(full_name, ' ', 1)) as first_name,
                coalesce(last_name, split_part(full_name, ' ', -1)) as last_name,
                birth_date,
                email,
                phone,
                street,
                city,
                postcode
            from (
                select * replace (
                    nullif(lower(trim(first_name)), '') as first_name,
                    nullif(lower(trim(last_name)), '') as last_name,
                    nullif(lower(trim(full_name)), '') as full_name,
                    cast(birth_date as text) as birth_date,
                    nullif(lower(trim(email)), '') as email,
                    nullif(lower(trim(street)), '') as street,
                    nullif(lower(trim(city)), '') as city
                )
                from identity.int_person_match_records
            )
            """
        ).to_arrow_table()
    api = DuckDBAPI(connection=duckdb.connect())
    linker = Linker(
        api.register(records),
        SettingsCreator(
            link_type="dedupe_only",
            unique_id_column_name="record_id",
            comparisons=[
                cl.NameComparison("first_name").configure(term_frequency_adjustments=True),
                cl.NameComparison("last_name").configure(term_frequency_adjustments=True),
                cl.DamerauLevenshteinAtThresholds("birth_date", [1, 2]),
                cl.EmailComparison("email"),
                cl.LevenshteinAtThresholds("phone", [1, 2]),
                cl.JaroWinklerAtThresholds("street", [0.9]),
                cl.LevenshteinAtThresholds("postcode", [1]),
                cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            ],
            blocking_rules_to_generate_predictions=[block_on(*rule) for rule in RULES],
            retain_matching_columns=False,
            retain_intermediate_calculation_columns=False,
        ),
        log_level="ERROR",
    )
    training = linker.training
    training.estimate_probability_two_random_records_match(
        [block_on("email", "last_name"), block_on("first_name", "last_name", "birth_date")],
        recall=0.7,
    )
    training.estimate_u_using_random_sampling(max_pairs=5e6, seed=1)
    for rule in (("email",), ("first_name", "last_name"), ("birth_date",)):
        training.estimate_parameters_using_expectation_maximisation(
            block_on(*rule), estimate_without_term_frequencies=True
        )
    scored = linker.inference.predict(threshold_match_weight=WEIGHT)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
        scored, threshold_match_weight=WEIGHT
    )
    clusters.as_duckdbpyrelation().select("record_id, cluster_id as entity").write_parquet(
        str(given.out)
    )
    print(
        json.dumps(
            {
                "records": records.num_rows,
                "seconds": round(time.monotonic() - started, 1),
                "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
