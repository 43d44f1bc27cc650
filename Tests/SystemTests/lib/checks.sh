# shellcheck shell=bash
# What tests say of what they find. Sourced by those that run beside a machine, and by those inside one.

# fail TEXT: what is wrong; ends the test.
fail() {
    echo "  $1" >&2
    return 1
}

# is WHAT FOUND WANTED
is() {
    [[ $2 == "$3" ]] || fail "$1 is ${2@Q}, not ${3@Q}"
}

has() {
    [[ $2 == *"$3"* ]] || fail "$1 has no ${3@Q}: $2"
}

# matches WHAT FOUND EXPRESSION: an extended regular expression.
matches() {
    [[ $2 =~ $3 ]] || fail "$1 does not match ${3@Q}: $2"
}

# between WHAT FOUND LEAST MOST: a whole number.
between() {
    (($2 >= $3 && $2 <= $4)) || fail "$1 is $2, not from $3 to $4"
}

# until_has WHAT WANTED COMMAND…: asks again until it says so among other things, 30 s at most.
until_has() {
    local what=$1 wanted=$2 found='' deadline=$((SECONDS + 30))
    shift 2
    while ((SECONDS < deadline)); do
        found=$("$@" 2>/dev/null || true)
        [[ $found == *"$wanted"* ]] && return
    done
    fail "$what never has ${wanted@Q}: $found"
}

# until_is WHAT WANTED COMMAND…: asks again until it says so, 120 s at most. It pauses between, because a machine with one
# slow processor would do nothing but answer: a service that takes its memory there had not come to its limit after 30 s.
until_is() {
    local what=$1 wanted=$2 found='' deadline=$((SECONDS + 120))
    shift 2
    while ((SECONDS < deadline)); do
        found=$("$@" 2>/dev/null || true)
        [[ $found == "$wanted" ]] && return
        sleep 0.3
    done
    fail "$what is ${found@Q}, not ${wanted@Q}"
}
