# shellcheck shell=bash
# The tests of `run`, one function each.

test_installed() {
    in_machine getent group pm >/dev/null || fail "there is no group pm"
    is "the socket" "$(property pm.socket ActiveState)" active
    is "the mode of the socket" "$(in_machine stat -c '%a %G' /run/pm/pm.sock)" "660 pm"
    is "the service" "$(property pm.service ActiveState)" active
    in_machine test -f /etc/pm/.pm.config.json
    in_machine test -s /usr/share/bash-completion/completions/pm
    in_machine test -s /usr/share/man/man1/pm.1.gz || in_machine dpkg -L pm | grep -q man1/pm.1
}

test_first_status() {
    in_machine systemctl stop pm.service
    is "the service" "$(property pm.service ActiveState)" inactive
    has "the status" "$(pm status -o json)" '"name":"pm"'
    is "the service" "$(property pm.service ActiveState)" active
    is "the main process" "$(in_machine readlink "/proc/$(property pm.service MainPID)/exe")" /usr/lib/pm/pm-init
}

test_service() {
    pm map web /srv/web/web.js
    pm start web --wait --autostart
    local pid
    pid=$(field web pid)
    matches "its cgroup" "$(in_machine cat "/proc/$pid/cgroup")" '/system\.slice/pm\.service/pm-[^/]*/child-'
    until_is "its log" "web runs as $pid" bash -c "'$HERE/machine' run '$MACHINE' pm --system log web --raw -n all | head -n 1"
}

test_access() {
    in_machine useradd stranger
    in_machine useradd -G pm member
    local answer
    answer=$(in_machine runuser -u stranger -- pm --system status 2>&1) && fail "a stranger is served"
    has "the refusal" "$answer" "pm"
    has "the status of a member" "$(in_machine runuser -u member -- pm --system status -o json)" '"name":"web"'
}

# entry NAME FIELD: of the last line that a service wrote to the journal.
entry() {
    journal -n 1 -o json -t "$1" | in_machine node -p "JSON.parse(fs.readFileSync(0)).$2"
}

test_journal() {
    local pid
    pid=$(field web pid)
    has "journalctl -t web" "$(journal -o short -t web)" "web[$pid]: web runs as $pid"
    is "the process" "$(entry web _PID)" "$pid"
    is "the unit" "$(entry web _SYSTEMD_UNIT)" pm.service
    matches "the cgroup" "$(entry web _SYSTEMD_CGROUP)" '^/system\.slice/pm\.service/pm-[^/]*/child-'
    is "the way" "$(entry web _TRANSPORT)" stdout
    has "the stream" "$(in_machine cat "/proc/$pid/environ" | tr '\0' '\n')" "JOURNAL_STREAM="
    # Files have what pm noted of the service, and nothing of what the service wrote.
    is "the files" "$(in_machine bash -c "sed '/^{\"kind\":/d' /var/lib/pm/logs/web/*.log")" ""
    in_machine journalctl -q --sync
    # Short-lived programs are gone when journald looks at them: they belong to the unit all the same.
    in_machine bash -c 'printf "#!/bin/sh\necho quick words\n" >/srv/web/quick.sh; chmod +x /srv/web/quick.sh'
    pm map quick /srv/web/quick.sh
    pm start quick
    until_is "a quick program" "quick words" bash -c "'$HERE/machine' run '$MACHINE' pm --system log quick -o cat -n 1"
}

test_log() {
    local pid
    pid=$(field web pid)
    is "pm log" "$(pm log web --grep '^web runs' -n 1)" "[web] web runs as $pid"
    is "pm log of a member" "$(in_machine runuser -u member -- pm --system log web --grep '^web runs' -o cat -n 1)" \
        "web runs as $pid"
    has "pm log -o json" "$(pm log web -n 1 -o json)" "\"pid\":$pid"
    has "pm log -o short" "$(pm log web -n 1 -o short)" " web[$pid]: "
    is "pm log --until" "$(pm log web --until 1d)" ""
    is "pm log --priority" "$(pm log web --priority err)" ""
}

test_events() {
    local entries
    entries=$(journal -o cat -t pmd PM_INSTANCE=quick)
    has "the events" "$entries" "quick was started"
    has "the events" "$entries" "quick ended: exit code 0"
    has "the catalog" "$(journal -x -t pmd PM_INSTANCE=web)" "The service web is ready"
    has "the unit's entries" "$(journal -u pm.service)" "web was started"
    is "the ids of the catalog" "$(in_machine journalctl --dump-catalog | grep -c '^Defined-By: pm$')" \
        "$(grep -c '^Defined-By: pm$' "$ROOT/Packaging/journal/pm.catalog")"
}

# missing NAME: how many numbers a counting program wrote that are not in the journal, up to the last one that is.
missing() {
    journal -o cat -t "$1" |
        awk '/^[0-9]+$/ { seen++; if ($1 > last) last = $1 } END { print last + 0 - seen }'
}

test_journald() {
    local pid peer
    pm map count /srv/web/count.js
    pm start count --wait
    in_machine systemd-run -q --unit=peer -p SyslogIdentifier=peer /usr/bin/node /srv/web/count.js
    pid=$(field count pid)
    peer=$(property peer.service MainPID)
    in_machine systemctl restart systemd-journald.service
    until_is "journald" active property systemd-journald.service ActiveState
    is "missing after a restart" "$(missing count)" 0
    in_machine systemctl kill -s KILL systemd-journald.service
    until_is "journald" active property systemd-journald.service ActiveState
    has "the answer to a call meanwhile" "$(pm status count -o json)" '"state":"up"'
    until_is "a line after that" yes bash -c "
        last=\$('$HERE/machine' run '$MACHINE' journalctl -q --no-pager -n 1 -o cat -t count)
        until [[ \$('$HERE/machine' run '$MACHINE' journalctl -q --no-pager -n 1 -o cat -t count) -gt \$last ]]; do :; done
        echo yes"
    is "the process" "$(field count pid)" "$pid"
    is "systemd's process" "$(property peer.service MainPID)" "$peer"
    (($(missing count) <= $(missing peer) + 2)) || fail "$(missing count) lines are missing, $(missing peer) of systemd's"
    pm stop count
    in_machine systemctl stop peer.service
}

test_pmd_killed() {
    local service daemon
    service=$(field web pid)
    daemon=$(field pm pid)
    in_machine kill -KILL "$daemon"
    until_is "the daemon" other bash -c "[[ \$('$HERE/machine' run '$MACHINE' pgrep -x pmd) != $daemon ]] && echo other"
    is "the service" "$(field web pid)" "$service"
    is "the restarts" "$(field web restarts)" 0
    is "the unit" "$(property pm.service ActiveState)" active
    is "the unit's restarts" "$(property pm.service NRestarts)" 0
}

test_init_killed() {
    local service
    service=$(field web pid)
    in_machine kill -KILL "$(property pm.service MainPID)"
    until_is "the unit's restarts" 1 property pm.service NRestarts
    until_is "the service" up field web state
    [[ $(field web pid) != "$service" ]] || fail "the service still has its number"
    is "the processes of the service" "$(in_machine pgrep -fc /srv/web/web.js)" 1
}

test_reload() {
    local service main daemon
    service=$(field web pid)
    main=$(property pm.service MainPID)
    daemon=$(field pm pid)
    in_machine systemctl reload pm.service
    is "pm-init" "$(property pm.service MainPID)" "$main"
    is "the service" "$(field web pid)" "$service"
    [[ $(field pm pid) != "$daemon" ]] || fail "the daemon was not replaced"
}

# The same programs under a higher version: what an upgrade does is in the package's scripts.
repack() {
    local tree=$MACHINE/srv/repacked
    dpkg-deb -R "$MACHINE/srv/pm.deb" "$tree"
    sed -i "s/^Version: .*/Version: $1/" "$tree/DEBIAN/control"
    dpkg-deb -Znone -b "$tree" "$MACHINE/srv/pm-$1.deb" >/dev/null
    rm -rf "$tree"
}

test_upgrade() {
    local service main daemon
    repack 99.0
    service=$(field web pid)
    main=$(property pm.service MainPID)
    daemon=$(field pm pid)
    in_machine dpkg -i /srv/pm-99.0.deb
    is "pm-init" "$(property pm.service MainPID)" "$main"
    is "pm-init's program" "$(in_machine readlink "/proc/$main/exe")" /usr/lib/pm/pm-init
    is "the service" "$(field web pid)" "$service"
    is "its restarts" "$(field web restarts)" 0
    [[ $(field pm pid) != "$daemon" ]] || fail "the daemon was not replaced"
    # And back again.
    in_machine dpkg -i /srv/pm.deb
    is "the service after the downgrade" "$(field web pid)" "$service"
}

test_stop() {
    local service
    service=$(field web pid)
    in_machine systemctl stop pm.service
    is "the unit" "$(property pm.service ActiveState)" inactive
    is "the result" "$(property pm.service Result)" success
    ! in_machine kill -0 "$service" 2>/dev/null || fail "the service still runs"
    ! in_machine pgrep -f '^/usr/lib/pm/' || fail "pm still runs"
    in_machine test ! -d /sys/fs/cgroup/system.slice/pm.service
}

test_fifty() {
    local i
    for i in {1..50}; do
        in_machine systemctl reset-failed pm.service
        in_machine systemctl start pm.service
        in_machine systemctl stop pm.service || fail "stop number $i"
    done
    in_machine systemctl start pm.service
    until_is "the service" up field web state
    is "the processes of the service" "$(in_machine pgrep -fc /srv/web/web.js)" 1
}

test_stale_socket() {
    in_machine systemctl stop pm.service pm.socket
    in_machine bash -c 'mkdir -p /run/pm && touch /run/pm/pm.sock'
    in_machine systemctl start pm.socket
    has "the status" "$(pm status -o json)" '"name":"pm"'
}

test_units() {
    is "systemd-analyze verify" "$(in_machine systemd-analyze verify --man=no pm.service pm.socket 2>&1)" ""
    has "the journal" "$(journal -u pm.service)" "started again (number 2)"
    has "the unit's status" "$(in_machine systemctl status --no-pager pm.service)" "serving jsonrpc+unix:///run/pm/pm.sock"
}

# system_as_it_is: its files and units, but for what every use of a machine writes.
system_as_it_is() {
    in_machine find /etc /usr /opt /root /home /var /run -xdev \
        \( -path /var/log -o -path /var/cache -o -path /var/lib/dpkg -o -path /var/lib/systemd -o -path /run/systemd \
        -o -path /run/log -o -path /run/udev -o -path /run/credentials -o -path /var/tmp \) -prune -o -print |
        grep -vE '^/etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$|^/etc/\.pwd\.lock$|\.pyc$' | sort
    in_machine systemctl list-unit-files --no-legend --no-pager | awk '{ print "unit", $1, $2 }' | sort
}

test_purge() {
    in_machine dpkg --purge pm
    local path changes
    for path in /etc/pm /var/lib/pm /run/pm /run/pm-gateway /usr/lib/pm /usr/bin/pm; do
        in_machine test ! -e "$path" || fail "$path is left: $(in_machine ls -la "$path")"
    done
    ! in_machine pgrep -f '^/usr/lib/pm/' || fail "pm still runs"
    # The users stay, as they do in Debian: files may be theirs.
    changes=$(diff "$PLACE/before" <(system_as_it_is)) || fail "the system is not as it was: $changes"
}
