import JSON
import PMModel

extension EcosystemApp {
    // MARK: when it starts and stops

    /// A time of PM2: milliseconds, or a text with a unit.
    static func duration(_ value: JSONValue) -> Duration? {
        text(value).flatMap { CompoundDuration.parse($0, unit: "ms") }
    }

    func addPolicy(_ key: String, _ value: JSONValue, _ draft: inout ServiceDraft) -> Bool {
        switch key {
        case "autorestart":
            if value.bool == false { draft.mapping.restart.condition = .never }
            draft.became(key, "restart")
        case "autostart":
            draft.mapping.isAutostart = value.bool != false
            draft.became(key, "autostart")
        case "max_restarts":
            guard let count = value.int, count >= 0 else {
                draft.wrong(key, "a number")
                break
            }
            draft.mapping.restart.limit = min(count, RestartPolicy.largestLimit)
            draft.became(key, "restart.limit; then one try a minute")
        case "stop_exit_codes": addExitCodes(key, value, &draft)
        case "wait_ready":
            if value.bool == true { draft.mapping.readiness = .ipc }
            draft.became(key, value.bool == true ? "ready: \"ipc\"" : "ready")
        case "min_uptime", "restart_delay", "exp_backoff_restart_delay", "kill_timeout", "listen_timeout":
            guard let time = Self.duration(value) else {
                draft.wrong(key, "a number of milliseconds")
                break
            }
            addTime(key, time, &draft)
        case "cron_restart", "cron":
            draft.missing(key, "a timer of systemd or a line of cron: pm restart \(name.shellWord)")
        default: return false
        }
        return true
    }

    private func addTime(_ key: String, _ time: Duration, _ draft: inout ServiceDraft) {
        switch key {
        case "min_uptime":
            draft.mapping.restart.resetAfter = time
            draft.became(key, "restart.resetAfter")
        case "restart_delay" where time > .zero:
            (draft.mapping.restart.delay, draft.mapping.restart.maxDelay) = (time, time)
            draft.became(key, "restart.delay; the first restart has none")
        case "exp_backoff_restart_delay" where time > .zero:
            // PM2 stops at 15 s.
            (draft.mapping.restart.delay, draft.mapping.restart.maxDelay) = (time, max(time, .seconds(15)))
            draft.became(key, "restart.delay, restart.maxDelay")
        case "kill_timeout":
            draft.mapping.stop = StopSequence(steps: [StopStep(signal: 2, wait: time)])
            draft.became(key, "stop.wait")
        case "listen_timeout" where app["wait_ready"]?.bool == true:
            draft.mapping.readyDeadline = time
            draft.became(key, "ready.deadline; at its end pm stops the process")
        case "listen_timeout": draft.needless(key, "pm waits for no port without \"ready\"")
        default: draft.needless(key, "growing pauses are the default")
        }
    }

    private func addExitCodes(_ key: String, _ value: JSONValue, _ draft: inout ServiceDraft) {
        let codes = (value.array ?? [value]).compactMap(\.int)
        if codes == [0] {
            if app["autorestart"]?.bool != false { draft.mapping.restart.condition = .onFailure }
            draft.became(key, "restart: \"on-failure\"")
        } else {
            draft.missing(key, "let the program end with 0, and write \"restart\": \"on-failure\"")
        }
    }

    // MARK: instances

    func addInstances(_ key: String, _ value: JSONValue, _ draft: inout ServiceDraft) -> Bool {
        switch key {
        case "instances":
            let count = instances(value)
            guard let count else {
                draft.wrong(key, "a number or max")
                break
            }
            draft.mapping.instances = count
            if count > 1 { draft.service.definition.isStateless = true }
            draft.became(key, count > 1 ? "instances, stateless" : "instances")
        case "exec_mode":
            let isCluster = value.string?.hasPrefix("cluster") == true
            if isCluster, app["instances"].flatMap(instances) ?? 1 > 1 {
                draft.missing(
                    key, "instances share a port by \"listen\": 3000 and server.listen({ fd: 3 }) in the program")
            } else {
                draft.needless(key, "each instance is a process")
            }
        case "increment_var", "instance_var":
            draft.missing(key, "\(HostVariable.name.rawValue) of an instance is \(name), \(name)#2, ...")
        default: return false
        }
        return true
    }

    private func instances(_ value: JSONValue) -> Int? {
        let most = min(max(1, context.processors), Mapping.mostInstances)
        guard let number = value.int ?? value.string.flatMap({ Int($0) }) else {
            return value.string == "max" ? most : nil
        }
        if number > 0 { return min(number, Mapping.mostInstances) }
        return number < -most ? 1 : max(1, most + number)
    }

    // MARK: limits and rights

    func addRights(_ key: String, _ value: JSONValue, _ draft: inout ServiceDraft) -> Bool {
        switch key {
        case "max_memory_restart":
            guard let size = Self.text(value).flatMap(SizeText.parse), size >= Limits.leastMemory else {
                draft.wrong(key, "a size of 1M or more")
                break
            }
            draft.mapping.limits.memory = size
            draft.became(key, "limits.memory; needs cgroups")
        case "uid", "user":
            draft.mapping.user = Self.text(value)
            draft.became(key, "user; needs a daemon that runs as root")
        case "gid":
            draft.mapping.group = Self.text(value)
            draft.became(key, "group; needs a daemon that runs as root")
        default: return false
        }
        return true
    }

    // MARK: fields without a value in pm

    private static let needless: [String: String] = [
        "time": "pm log --timestamps", "log_date_format": "pm log --timestamps", "log_type": "pm log -o json",
        "merge_logs": "pm log NAME shows all instances", "combine_logs": "pm log NAME shows all instances",
        "treekill": "pm ends all descendants", "pid_file": "pm pid NAME", "pid": "pm pid NAME",
        "force": "a name is there once", "vizion": "pm reads no repository", "automation": "pm has no such agent",
        "pmx": "pm has no such agent", "trace": "pm has no such agent", "windowsHide": "pm runs on Linux",
        "append_env_to_name": "the name stays as it is",
    ]
    private static let missing: [String: String] = [
        "watch": "pm start -- node --watch FILE on your machine; on a server restart in the deployment",
        "ignore_watch": "pm does not watch files; see watch",
        "watch_delay": "pm does not watch files; see watch", "watch_options": "pm does not watch files; see watch",
        "namespace": "common beginnings of names, and patterns: pm restart 'shop-*'",
        "post_update": "a few lines of shell: npm install, then pm restart NAME",
        "shutdown_with_message": "the program gets SIGINT: process.on('SIGINT', ...)",
        "disable_logs": "a program that writes less; pm deletes the oldest output",
        "filter_env": "\"env\": {\"NAME\": null} removes a variable",
    ]
    private static let logs: Set<String> = [
        "out_file", "error_file", "log_file", "output", "error", "out", "err", "err_file", "log", "out_log", "err_log",
    ]

    static func answer(_ key: String, _ draft: inout ServiceDraft) -> Bool {
        if logs.contains(key) {
            draft.needless(key, "pm log NAME shows it; \"logs\" chooses the place")
        } else if let reason = needless[key] {
            draft.needless(key, reason)
        } else if let advice = missing[key] {
            draft.missing(key, advice)
        } else {
            return false
        }
        return true
    }
}
