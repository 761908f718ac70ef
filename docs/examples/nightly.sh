#!/bin/sh
# A night's run: build, then keep the state. For cron:
#
#   30 2 * * *  KINDRED_PROJECT_DIR=/srv/kindred /srv/kindred/docs/examples/nightly.sh >> /var/log/kindred.log 2>&1
#
# Options are handed on to `kindred build`, as --target postgres. Ends with the exit code of the
# first command that failed: 1 a critical check, 2 it could not run, 3 another run is at work.
set -eu
cd "${KINDRED_PROJECT_DIR:?set it to the folder of dbt_project.yml}"
PATH="$PWD/.venv/bin:$PATH"
backups="${KINDRED_BACKUPS:-backups}"
target=""
previous=""
for option in "$@"; do
    case "$option" in --target=*) target="${option#--target=}" ;; esac
    if [ "$previous" = "--target" ]; then target="$option"; fi
    previous="$option"
done

kindred build "$@"
kindred backup "$backups/$(date -u +%Y-%m-%dT%H%M%S)" ${target:+--target "$target"}
# Backups older than thirty days; the one just made stays in any case.
find "$backups" -mindepth 1 -maxdepth 1 -type d -name '20*' -mtime +30 -exec rm -r {} +
