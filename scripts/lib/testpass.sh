# shellcheck shell=bash
# One pass of tests: an environment of its own, the three kinds of tests, the counts, and the check that nothing is
# left behind. Sourced by scripts/test.

# shellcheck source=scripts/lib/fuzz.sh
. "$ROOT/scripts/lib/fuzz.sh"

PASSED=0
FAILED=0
SKIPPED=()
FAILURES=()
# Prefix of each command of the pass: how to become another user.
AS=()
# Variables of the environment of each command of the pass, NAME=VALUE.
PASS_ENV=()
# Directory with bin/ and lib/ of what that user could not read elsewhere.
TOOLS=/nonexistent

NODE_DIRECTORY=$(dirname "$(node -p process.execPath)")
readonly NODE_DIRECTORY

# Longest time for one runner, seconds; it guards against a hang and times nothing.
readonly RUNNER_LIMIT=${RUNNER_LIMIT:-1800}

# begin_pass WHO ROOT STAGE BUNDLES: starts a pass on those directories.
begin_pass() {
    WHO=$1 PASS_ROOT=$2 PASS_STAGE=$3 PASS_BUNDLES=$4
    PASS_HOME=$(mktemp -d /tmp/pmt.XXXXXX)
    new_mark
    mkdir -m 700 "$PASS_HOME/run" "$PASS_HOME/home" "$PASS_HOME/tmp"
    ((${#AS[@]} == 0)) || chown -R "$ORDINARY_USER:$ORDINARY_USER" "$PASS_HOME"
    say pass "as $WHO"
}

# in_pass COMMAND...: runs it as the pass's user, in a clean environment with directories of its own.
in_pass() {
    # The system's programs and node: what else the caller's path has may be for the caller alone.
    local path=$TOOLS/bin:$NODE_DIRECTORY:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    (cd "$PASS_HOME/home" && exec "${AS[@]}" env -i PATH="$path" LD_LIBRARY_PATH="$TOOLS/lib" LANG=C.UTF-8 \
        HOME="$PASS_HOME/home" TMPDIR="$PASS_HOME/tmp" XDG_RUNTIME_DIR="$PASS_HOME/run" \
        PM_TEST_ROOT="$PASS_ROOT" PM_TEST_STAGE="$PASS_STAGE" ${PM_SEED:+"PM_SEED=$PM_SEED"} "$MARK" "${PASS_ENV[@]}" \
        timeout --kill-after=10 "$RUNNER_LIMIT" "$@" </dev/null)
}

# add KIND FORMAT REPORT STATUS: adds a runner's counts; a runner that failed without a failed test is one failure.
add() {
    local kind=$1 passed=0 failed=0 skipped line lines=()
    if [[ -s $3 ]]; then
        mapfile -t lines < <(node "$ROOT/scripts/lib/count.mjs" "$2" "$3")
        read -r passed failed skipped <<<"${lines[0]:-0 0 0}"
    fi
    for line in "${lines[@]:1}"; do
        if [[ $line == "skip "* ]]; then SKIPPED+=("${line#skip }"); else FAILURES+=("${line#fail } (as $WHO)"); fi
    done
    if (($4 != 0 && failed == 0)); then
        FAILURES+=("$kind: exit status $4 without a failed test (as $WHO)")
        failed=1
    fi
    PASSED=$((PASSED + passed))
    FAILED=$((FAILED + failed))
    say "$kind" "$passed passed, $failed failed, ${skipped:-0} skipped (as $WHO)"
}

# c_tests DIRECTORY: the program `c-tests` there, on the pm-init that was built like it. Shows what failed.
c_tests() {
    local report=$PASS_HOME/c.tap log=$ROOT/.build/log/c-tests-${WHO// /-}.log status=0
    in_pass "$1/c-tests" "$1/pm-init" >"$log" 2>&1 || status=$?
    # its lines are `ok NAME`, `FAIL NAME`, `skip NAME`, each after what the test said
    awk '/^ +skipped: / { reason = $0; sub(/^ +skipped: /, "", reason) }
        /^ok  / { print "ok - " substr($0, 6) }
        /^FAIL / { print "not ok - " substr($0, 6) }
        /^skip / { print "ok - " substr($0, 6) " # SKIP " reason }' "$log" >"$report"
    ((status == 0)) || grep -B 12 '^FAIL ' "$log" | grep -E '^(FAIL| )' || tail -n 20 "$log"
    add c tap "$report" "$status"
}

# Mutations of the corpus, for each target in C.
readonly FUZZ_MUTATIONS=4000

# c_fuzz DIRECTORY: the targets in C there, each on its corpus and on mutations of it. The other fuzz targets are tests in
# Swift and JavaScript.
c_fuzz() {
    local target
    for target in $(c_targets); do
        c_fuzz_target "$1/${C_TARGETS[$target]}" "$target"
    done
}

# c_fuzz_target PROGRAM CORPUS: a program that ends before all its inputs has failed, whatever it says at its end.
c_fuzz_target() {
    local report=$PASS_HOME/fuzz-$2.tap log=$ROOT/.build/log/fuzz-$2-${WHO// /-}.log status=0
    in_pass env ASAN_OPTIONS=abort_on_error=1 "$1" "$PASS_ROOT/Tests/fuzz/corpus/$2" "$FUZZ_MUTATIONS" \
        >"$log" 2>&1 || status=$?
    # A target that stops before its time must not count as one that held.
    grep -q "^ok  fuzz: .*, $FUZZ_MUTATIONS mutations\$" "$log" || status=1
    sed -n 's/^ok  /ok - /p' "$log" >"$report"
    ((status == 0)) || tail -n 20 "$log"
    add "fuzz $2" tap "$report" "$status"
}

# swift_tests FILTER: the test bundle, run directly, because `swift test` needs a checkout that the user may write.
# Shows what went wrong, and after a crash the last lines; the whole output is in .build/log.
swift_tests() {
    local report=$PASS_HOME/tmp/events.jsonl log=$ROOT/.build/log/swift-tests-${WHO// /-}.log status=0
    in_pass "$PASS_BUNDLES/pmPackageTests.xctest" --testing-library swift-testing --filter "$1" \
        --event-stream-output-path "$report" >"$log" 2>&1 || status=$?
    [[ ! -s $report ]] || node "$ROOT/scripts/lib/count.mjs" issues "$report"
    ((status <= 1)) || tail -n 20 "$log"
    add swift swift "$report" "$status"
}

# node_tests: the JavaScript tests of the pass's root.
node_tests() {
    local report=$PASS_HOME/tmp/node.tap log=$ROOT/.build/log/node-tests-${WHO// /-}.log status=0 files=()
    [[ -d $PASS_ROOT/Tests/node ]] || return 0
    mapfile -t files < <(find "$PASS_ROOT/Tests/node" -name node_modules -prune -o -name '*.test.*js' -print | sort)
    ((${#files[@]})) || return 0
    in_pass node --test --test-reporter=spec --test-reporter-destination=stdout \
        --test-reporter=tap --test-reporter-destination="$report" "${files[@]}" >"$log" 2>&1 || status=$?
    ((status == 0)) || sed -n '/failing tests:/,$p' "$log"
    add node tap "$report" "$status"
}

# end_pass: one more test: nothing that the pass started still runs. Then its directories go.
end_pass() {
    local pid found
    await_no_marked 5 || true
    mapfile -t found < <(marked_processes)
    if ((${#found[@]})); then
        FAILED=$((FAILED + 1))
        FAILURES+=("${#found[@]} processes are left (as $WHO)")
        for pid in "${found[@]}"; do
            echo "  left running: $pid $(tr '\0' ' ' <"/proc/$pid/cmdline")" >&2
        done
        kill_marked
    else
        PASSED=$((PASSED + 1))
    fi
    say leftovers "${#found[@]} processes (as $WHO)"
    rm -rf "$PASS_HOME"
}
