# shellcheck shell=bash
# The fuzz targets; each has a folder of inputs in Tests/fuzz/corpus. Sourced.

# In Swift, all of them in one program.
# shellcheck disable=SC2034 # read by who sources this
readonly SWIFT_TARGETS=(
    json framer messages config package commands holder template values ecosystem procfile compose unit supervisord gate
)
# In C, and the program of each.
declare -rA C_TARGETS=(
    [control]=fuzz-init [executor]=fuzz-exec [image]=fuzz-image [procs]=fuzz-procs [tree]=fuzz-tree
    [diag]=fuzz-diag [notify]=fuzz-notify
)

# c_targets: those in C, one a line, always in the same order.
c_targets() {
    printf '%s\n' "${!C_TARGETS[@]}" | sort
}
