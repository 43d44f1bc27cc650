#!/bin/sh
# Runs the tests of $BUILD with pm-init under valgrind; its complaints fail the run. Build with STATIC= before: in a
# static program valgrind cannot replace the C library's string functions and takes their tricks for errors.
#   BUILD=dir valgrind.sh [PART OF A TEST'S NAME]
set -eu
build=${BUILD:?"BUILD: the directory with c-tests and pm-init"}
place=$(mktemp -d /tmp/pm-valgrind.XXXXXX)
trap 'rm -rf "$place"' EXIT
cat > "$place/pm-init" <<WRAPPER
#!/bin/sh
exec valgrind -q --error-exitcode=99 --log-file=$place/log.%p "$build/pm-init" "\$@"
WRAPPER
chmod +x "$place/pm-init"
cp "$build/pm-exec" "$place/"

result=0
export PM_TEST_SLOW=1
if [ $# -gt 0 ]; then
    "$build/c-tests" "$place/pm-init" "$1" || result=1
else
    # The library's own tests do without pm-init; all others have "init" or a colon in their names.
    "$build/c-tests" "$place/pm-init" "init" || result=1
    "$build/c-tests" "$place/pm-init" ":" || result=1
fi
# Only what valgrind says of the program's errors; system calls that it does not know are no error of ours.
if grep -h -E "^==[0-9]+== " "$place"/log.* 2>/dev/null; then
    result=1
fi
exit $result
