# shellcheck shell=bash
# Finds again whatever a script started, directly or through others: all of it inherits a variable of the environment
# that no other process has. Sourced.

# new_mark: a mark unlike any before; what is run with `env "$MARK" COMMAND` carries it.
new_mark() {
    MARK="PM_SCRIPT_MARK=$$-$RANDOM$RANDOM"
}

# marked_processes: the pids that carry the mark, one a line.
marked_processes() {
    grep -lzsxF "$MARK" /proc/[0-9]*/environ | tr -cd '0-9\n' || true
}

# kill_marked: ends what is left.
kill_marked() {
    local pid
    while read -r pid; do
        kill -KILL "$pid" 2>/dev/null || true
    done < <(marked_processes)
}

# await_no_marked SECONDS: waits until none is left; what was told to end may need a moment to be gone.
await_no_marked() {
    local deadline=$((SECONDS + $1))
    while [[ -n $(marked_processes) ]]; do
        ((SECONDS < deadline)) || return 1
        sleep 0.05
    done
}
