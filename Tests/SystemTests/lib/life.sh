# shellcheck shell=bash
# The tests of `run` that are about the life of a machine: upgrades, reboots, and what is wrong with it.

test_calls_in_upgrade() {
    local service daemon gateway calls said
    service=$(field sums pid)
    daemon=$(field pm pid)
    gateway=$(gateway_pid)
    in_machine systemctl reset-failed pm-gateway.service
    rm -f "$MACHINE"/srv/calls.{stop,begun}
    in_machine /srv/calls >"$PLACE/calls.log" 2>&1 &
    calls=$!
    until_is "the first call" yes bash -c "[[ -e '$MACHINE/srv/calls.begun' ]] && echo yes"
    in_machine dpkg -i /srv/pm-99.0.deb
    [[ $(field pm pid) != "$daemon" ]] || fail "the daemon was not replaced"
    until_is "the gateway" replaced bash -c "[[ \$('$HERE/machine' run '$MACHINE' systemctl show -P MainPID pm-gateway.service) != $gateway ]] && echo replaced"
    in_machine dpkg -i /srv/pm.deb
    : >"$MACHINE/srv/calls.stop"
    wait $calls
    said=$(<"$PLACE/calls.log")
    [[ $said == "made "*" calls" ]] || fail "calls failed: $said"
    has "the calls" "$said" "made"
    is "the service" "$(field sums pid)" "$service"
    is "its restarts" "$(field sums restarts)" 0
    until_is "an answer to a client on the network" "200 3" ask http://127.0.0.1:8080/add/1/2
}

test_reboot() {
    local web
    in_machine node /srv/ordered.js
    until_is "the daemon" up field pm state
    in_machine rm -f /srv/order
    "$HERE/machine" down "$MACHINE"
    "$HERE/machine" up "$MACHINE"
    until_is "third" up field third state
    is "the order" "$(tr '\n' ' ' <"$MACHINE/srv/order")" "first second third "
    for web in web sums second first; do until_is "$web" up field "$web" state; done
    until_is "an answer to a client on the network" "200 3" ask http://127.0.0.1:8080/add/1/2
    for web in third second first; do pm stop $web; done
}

test_read_only() {
    local answer daemon
    in_machine systemctl stop pm.service
    in_machine mount --bind /etc /etc
    in_machine mount -o remount,bind,ro /etc
    in_machine systemctl start pm.service
    until_is "the service" up field web state
    answer=$(pm map other /srv/web/web.js 2>&1) && fail "it was stored: $answer"
    has "the answer" "$answer" "Read-only file system"
    has "the answer" "$answer" "/etc/pm"
    # Calls and supervision need none of it.
    until_is "a call" 42 pm sums add 20 22
    daemon=$(field pm pid)
    in_machine kill -KILL "$daemon"
    until_is "the service" up field web state
    in_machine systemctl stop pm.service
    in_machine umount /etc
    in_machine systemctl start pm.service
    pm map other /srv/web/web.js
    has "pm ls" "$(pm ls)" other
}

test_without_group() {
    in_machine systemctl stop pm.service pm.socket pm-gateway.service
    in_machine cp /etc/group /etc/group.kept
    in_machine sed -i '/^pm:/d' /etc/group
    # systemd does not make a socket of a group that is not there, and says which.
    in_machine systemctl start pm.socket && fail "there is a socket for a group that does not exist"
    has "the journal" "$(journal -u pm.socket)" "pm"
    # The daemon can be started all the same, by hand: for root alone. The gateway needs no group.
    in_machine pm start pm --system --wait
    until_is "a client on the network" "200 3" ask http://127.0.0.1:8080/add/1/2
    is "problems" "$(field pm problems)" undefined
    pm stop pm
    in_machine mv /etc/group.kept /etc/group
    in_machine systemctl reset-failed pm.socket pm.service
    in_machine systemctl start pm.socket pm.service
    until_is "the service" up field web state
}

test_not_root() {
    local answer
    answer=$(in_machine runuser -u stranger -- pm start pm --system --foreground 2>&1) && fail "it runs: $answer"
    has "the answer" "$answer" "run it as root, or start a daemon of your own: pm start pm --user"
    # A unit that says so ends with the reason, and is not started for ever.
    in_machine systemd-run -q --unit=wrong -p User=stranger -p Type=notify -p Restart=on-failure \
        /usr/bin/pm start pm --system --foreground || true
    until_is "the unit" failed property wrong.service ActiveState
    has "the journal" "$(journal -u wrong.service)" "run it as root"
    in_machine systemctl reset-failed wrong.service
}
