# shellcheck shell=bash
# The tests of `run` that are about clients on the network. The machine has a network of its own: only lo.

# ask URL [TOKEN]: status and body.
ask() {
    in_machine node /srv/ask.js "$@"
}

gateway_pid() {
    property pm-gateway.service MainPID
}

# of_process PID FIELD: a line of its status.
of_process() {
    in_machine sed -n "s/^$2:\t//p" "/proc/$1/status"
}

test_gateway() {
    pm map --commandable sums /srv/sums/commands.json
    pm start sums --wait --autostart
    is "the gateway before" "$(property pm-gateway.service ActiveState)" inactive
    # 80 is a port for which a right is needed; it is served when the command returns.
    pm connect pm http --port 80
    is "an answer" "$(ask http://127.0.0.1/add/20/22)" "200 42"
    is "the gateway" "$(property pm-gateway.service ActiveState)" active
    local pid
    pid=$(gateway_pid)
    is "its program" "$(in_machine readlink "/proc/$pid/exe")" /usr/lib/pm/pm-gateway
    has "its cgroup" "$(in_machine cat "/proc/$pid/cgroup")" /system.slice/pm-gateway.service
    is "its user" "$(of_process "$pid" Uid | cut -f1)" "$(in_machine id -u pm-gateway)"
    is "its rights" "$(of_process "$pid" CapEff)" 0000000000000400
    is "its bounds" "$(of_process "$pid" CapBnd)" 0000000000000400
    is "new privileges" "$(of_process "$pid" NoNewPrivs)" 1
    is "the filter of system calls" "$(of_process "$pid" Seccomp)" 2
    # It cannot write but to the folder of its state, and sees no home.
    in_machine nsenter -t "$pid" -m -- bash -c '! touch /etc/x /usr/x /var/lib/x /run/pm/x 2>/dev/null'
    is "the plan" "$(in_machine stat -c '%a %U %G' /run/pm/gateway)" "640 root pm-gateway"
    is "the gate" "$(in_machine stat -c '%a %U' /run/pm/gateway.sock)" "600 pm-gateway"
    is "its groups" "$(in_machine id -Gn pm-gateway)" pm-gateway
    # Who has its ids cannot use the daemon's socket.
    local answer
    answer=$(in_machine runuser -u pm-gateway -- pm --system status 2>&1) && fail "the gateway's user is served: $answer"
    is "problems" "$(field pm problems)" undefined
    answer=$(pm log pm-gateway 2>&1) && fail "pm log has a log of it: $answer"
    has "pm log" "$answer" "journalctl -u pm-gateway"
    has "the journal" "$(journal -u pm-gateway.service)" "listening at http://127.0.0.1:80"
}

test_gateway_points() {
    local pid
    pid=$(gateway_pid)
    # The same again changes nothing.
    pm connect pm http --port 80
    is "the process" "$(gateway_pid)" "$pid"
    pm connect pm http --port 8080
    is "the old place" "$(ask http://127.0.0.1/add/1/2)" "failed ECONNREFUSED"
    is "the new place" "$(ask http://127.0.0.1:8080/add/1/2)" "200 3"
    pm connect pm local
    is "the place" "$(ask http://127.0.0.1:8080/add/1/2)" "failed ECONNREFUSED"
    in_machine test ! -e /run/pm/gateway
    until_is "the gateway" inactive property pm-gateway.service ActiveState
    pm connect pm http --port 8080
    is "the place again" "$(ask http://127.0.0.1:8080/add/1/2)" "200 3"
    # It goes and comes with pm.
    in_machine systemctl stop pm.service
    until_is "the gateway without pm" inactive property pm-gateway.service ActiveState
    in_machine systemctl start pm.service
    until_is "the place with pm" "200 3" ask http://127.0.0.1:8080/add/1/2
}

test_gateway_problems() {
    local answer
    in_machine systemd-run -q --unit=taken node -e 'require("net").createServer().listen(81, "127.0.0.1")'
    until_is "the port" yes bash -c "'$HERE/machine' run '$MACHINE' node -e 'require(\"net\").connect(81, \"127.0.0.1\", () => { console.log(\"yes\"); process.exit() })'"
    answer=$(pm connect pm http tcp --port 81 2>&1) && fail "it is said to be served: $answer"
    has "the answer" "$answer" "the connection points are stored, but pm-gateway cannot listen at http://127.0.0.1:81"
    has "the answer" "$answer" "Address already in use"
    has "the status" "$(pm status 2>&1)" "Address already in use"
    has "systemctl" "$(in_machine systemctl status --no-pager pm-gateway.service)" "Address already in use"
    in_machine systemctl stop taken.service
    until_is "the place" "200 3" ask http://127.0.0.1:81/add/1/2
    until_is "problems" undefined field pm problems
    # A gateway that does not start is told of, too.
    in_machine systemctl stop pm-gateway.path pm-gateway.service
    has "the status" "$(pm status 2>&1)" "pm-gateway does not run (systemctl status pm-gateway.service"
    in_machine systemctl start pm-gateway.path
    until_is "problems" undefined field pm problems
    pm connect pm http --port 8080
}

test_gateway_tls() {
    local answer
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
        -keyout "$MACHINE/etc/pm/key.pem" -out "$MACHINE/etc/pm/cert.pem" 2>/dev/null
    chmod 600 "$MACHINE/etc/pm/key.pem"
    chmod 644 "$MACHINE/etc/pm/cert.pem"
    openssl rand -hex 32 >"$MACHINE/etc/pm/token"
    chmod 600 "$MACHINE/etc/pm/token"
    local words=(http --host 0.0.0.0 --port 443 --cert /etc/pm/cert.pem --token /etc/pm/token)
    answer=$(pm connect pm "${words[@]}" --key /etc/pm/key.pem 2>&1) && fail "a key of root alone is used: $answer"
    has "the answer" "$answer" "cannot read /etc/pm/key.pem: Permission denied"
    has "the next step" "$answer" "chgrp pm-gateway /etc/pm/key.pem && chmod 640 /etc/pm/key.pem"
    in_machine chgrp pm-gateway /etc/pm/key.pem
    in_machine chmod 640 /etc/pm/key.pem
    until_is "an answer" "200 42" ask https://127.0.0.1/add/20/22 "$(<"$MACHINE/etc/pm/token")"
    is "without the token" "$(ask https://127.0.0.1/add/20/22 | cut -c 1-3)" 401
    # A key that stays root's alone: systemd hands it over.
    in_machine chgrp root /etc/pm/key.pem
    in_machine chmod 600 /etc/pm/key.pem
    in_machine mkdir -p /etc/systemd/system/pm-gateway.service.d
    in_machine bash -c "printf '[Service]\nLoadCredential=key.pem:/etc/pm/key.pem\n' >/etc/systemd/system/pm-gateway.service.d/key.conf"
    in_machine systemctl daemon-reload
    in_machine systemctl restart pm-gateway.service
    pm connect pm "${words[@]}" --key /run/credentials/pm-gateway.service/key.pem
    is "an answer" "$(ask https://127.0.0.1/add/20/22 "$(<"$MACHINE/etc/pm/token")")" "200 42"
    in_machine rm -r /etc/systemd/system/pm-gateway.service.d
    in_machine systemctl daemon-reload
    in_machine rm /etc/pm/key.pem /etc/pm/cert.pem /etc/pm/token
    pm connect pm http --port 8080
}

test_gateway_killed() {
    local daemon service gateway
    daemon=$(field pm pid)
    service=$(field sums pid)
    gateway=$(gateway_pid)
    in_machine kill -KILL "$gateway"
    until_is "an answer" "200 3" ask http://127.0.0.1:8080/add/1/2
    [[ $(gateway_pid) != "$gateway" ]] || fail "it is the same process"
    is "the daemon" "$(field pm pid)" "$daemon"
    is "the service" "$(field sums pid)" "$service"
    # The daemon is killed: the gateway goes on, and the next daemon takes it as it is.
    gateway=$(gateway_pid)
    in_machine kill -KILL "$daemon"
    until_is "an answer" "200 3" ask http://127.0.0.1:8080/add/1/2
    is "the gateway" "$(gateway_pid)" "$gateway"
    is "problems" "$(field pm problems)" undefined
}

test_gateway_unit() {
    # 20 is an exposure of 2.0.
    in_machine systemd-analyze security --offline=true --threshold=20 --no-pager pm-gateway.service
    is "systemd-analyze verify" \
        "$(in_machine systemd-analyze verify --man=no pm.service pm.socket pm-gateway.service pm-gateway.path 2>&1)" ""
}
