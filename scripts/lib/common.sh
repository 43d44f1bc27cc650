# shellcheck shell=bash
# What every script here shares. Sourced, never run.

# Where the repository is; set by the script that sources this file.
: "${ROOT:?set ROOT before sourcing common.sh}"

# say WORD TEXT: one line of progress, the word in a column of its own.
say() {
    printf '  %-9s %s\n' "$1" "$2"
}

# die TEXT: the reason on standard error, then failure.
die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 1
}

# logged NAME TEXT COMMAND...: runs the command with its output in .build/log/NAME.log and says in one line that
# it did and how long it took. When it fails, shows the log without the build system's progress lines.
logged() {
    local log="$ROOT/.build/log/$1.log" text=$2 started=$SECONDS
    shift 2
    mkdir -p "${log%/*}"
    if "$@" >"$log" 2>&1 </dev/null; then
        say "$(basename "$log" .log)" "$text ($((SECONDS - started)) s)"
        return 0
    fi
    grep -vE '^\[[0-9]+/[0-9]+\] ' "$log" >&2 || true
    printf '%s: failed: %s\n' "${0##*/}" "$*" >&2
    return 1
}

# have COMMAND: whether a program of that name is on the path.
have() {
    command -v "$1" >/dev/null 2>&1
}

# cores: how many jobs a build may run at once.
cores() {
    nproc 2>/dev/null || echo 2
}
