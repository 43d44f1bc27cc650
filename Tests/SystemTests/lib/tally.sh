# shellcheck shell=bash
# Runs tests and counts them. Sourced after common.sh; FILTER is a part of a test's name.

PASSED=0
FAILED=0
SKIPPED=()
FILTER=${FILTER:-}

# What helps to understand a failure; those who source this may say it.
explain_failure() {
    :
}

# try NAME FUNCTION: a test.
try() {
    [[ $1 == *"$FILTER"* ]] || return 0
    local status log
    log=$(mktemp)
    # Not in a condition, where -e would mean nothing.
    set +e
    (
        set -e
        "$2"
    ) >"$log" 2>&1 </dev/null
    status=$?
    set -e
    if ((status == 0)); then
        PASSED=$((PASSED + 1))
        echo "ok   $1"
    else
        FAILED=$((FAILED + 1))
        echo "FAIL $1"
        tail -n 15 "$log" | sed 's/^/    /'
        explain_failure
    fi
    rm -f "$log"
}

# skip NAME REASON: a test that cannot be run here.
skip() {
    [[ $1 == *"$FILTER"* ]] || return 0
    SKIPPED+=("$1: $2")
}

# tally: the last line; fails when a test did.
tally() {
    ((${#SKIPPED[@]} == 0)) || printf 'skipped: %s\n' "${SKIPPED[@]}"
    echo "$PASSED passed, $FAILED failed"
    ((FAILED == 0))
}
