#!/bin/sh
# Runs the C tests of $BUILD (made by the Makefile beside this): as the caller, and when that is root also as nobody.
#   BUILD=dir run.sh [PART OF A TEST'S NAME]
set -eu
build=${BUILD:?"BUILD: the directory with c-tests and pm-init"}

# Copied to where every user may execute it, whatever the build directory allows.
place=$(mktemp -d /tmp/pm-c-tests.XXXXXX)
trap 'rm -rf "$place"' EXIT
chmod 755 "$place"
cp "$build/c-tests" "$build/pm-init" "$build/pm-exec" "$place/"

result=0
output=$("$place/c-tests" "$place/pm-init" "$@") || result=1
printf '%s\n' "$output"
if [ "$(id -u)" = 0 ]; then
    echo "as an ordinary user:"
    other=$("$place/c-tests" --as 65534 "$place/pm-init" "$@") || result=1
    printf '%s\n' "$other"
    output="$output
$other"
fi
printf '%s\n' "$output" | awk '
    / passed, [0-9]+ failed$/ { passed += $1; failed += $3 }
    END { print passed " passed, " failed " failed" }'
exit $result
