# shellcheck shell=bash
# The tests of `run` that are about services made for systemd, and about the daemon of a user.

test_notify() {
    in_machine node /srv/notify.js
    rm -f "$MACHINE/srv/teller.go"
    pm start teller
    is "readiness before it said so" "$(field teller ready)" false
    : >"$MACHINE/srv/teller.go"
    until_is "readiness" true field teller ready
    is "what it says of itself" "$(field teller statusText)" "takes orders"
    # It spoke to pm, not to systemd: the unit's words are pm's own.
    has "the unit's status" "$(property pm.service StatusText)" "serving"
    pm stop teller
}

test_listen() {
    local uid daemon
    uid=$(in_machine id -u member)
    pm start door --wait
    is "the answer" "$(in_machine curl -s http://127.0.0.1:80/)" "1 web $uid"
    # The socket outlives the service: who connects meanwhile waits.
    in_machine bash -c "kill -KILL $(field door pid); curl -s http://127.0.0.1:80/ >/srv/answer"
    is "the answer of the next one" "$(<"$MACHINE/srv/answer")" "1 web $uid"
    # And it outlives the daemon.
    daemon=$(field pm pid)
    in_machine bash -c "kill -KILL $daemon; curl -s http://127.0.0.1:80/ >/srv/answer"
    is "the answer without a daemon" "$(<"$MACHINE/srv/answer")" "1 web $uid"
    until_is "the service" up field door state
    pm stop door
    ! in_machine curl -s http://127.0.0.1:80/ || fail "the socket of a service that was stopped is served"
}

# of_member WORDS…: a command of that user, with the variables of a login.
of_member() {
    local uid
    uid=$(in_machine id -u member)
    in_machine runuser -u member -- env -C / HOME=/home/member XDG_RUNTIME_DIR="/run/user/$uid" \
        DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" "$@"
}

test_user_unit() {
    local uid main service
    uid=$(in_machine id -u member)
    in_machine mkdir -p /home/member
    in_machine chown member /home/member
    in_machine systemctl start "user@$uid.service"
    of_member systemctl --user start pm.service
    is "the unit" "$(of_member systemctl --user is-active pm.service)" active
    main=$(of_member systemctl --user show -P MainPID pm.service)
    is "its user" "$(in_machine stat -c %U "/proc/$main")" member
    of_member pm --user map mine /srv/web/web.js
    of_member pm --user start mine --wait
    service=$(of_member pm --user status mine -o json | in_machine node -p 'JSON.parse(fs.readFileSync(0))[0].pid')
    is "the service's user" "$(in_machine stat -c %U "/proc/$service")" member
    has "its cgroup" "$(in_machine cat "/proc/$service/cgroup")" "user@$uid.service"
    # The daemon of the machine knows nothing of it.
    ! pm status mine 2>/dev/null || fail "the daemon of the machine has the user's service"
    of_member systemctl --user reload pm.service
    is "the unit's process after a reload" "$(of_member systemctl --user show -P MainPID pm.service)" "$main"
    of_member systemctl --user stop pm.service
    ! in_machine kill -0 "$service" 2>/dev/null || fail "the service still runs"
    in_machine systemctl stop "user@$uid.service"
    in_machine rm -r /home/member
}
