import PMModel

extension UnitReader {
    // MARK: [Unit] and [Install]

    mutating func addDependencies() {
        var order: [String] = []
        for (key, onStop) in [
            ("Requires", Dependency.OnStop.stop), ("BindsTo", .stop), ("Requisite", .stop), ("Wants", .keep),
        ] {
            for word in names("Unit", key) {
                guard word.hasSuffix(".service") else { continue }
                let name = UnitName(service: word)
                guard context.known.contains(name), name != draft.name, !order.contains(name) else { continue }
                order.append(name)
                draft.mapping.dependencies.append(Dependency(name, onStop: onStop))
            }
        }
        needed = Set(order)
    }

    private func names(_ section: String, _ key: String) -> [String] {
        unit.values(section, key).flatMap { $0.value.split(separator: " ").map(String.init) }
    }

    /// A dependency of one field: what became of each name in it.
    private mutating func answerNames(_ key: String) {
        for word in names("Unit", key) {
            let name = UnitName(service: word)
            if needed.contains(name) {
                draft.became("\(key)=\(word)", "dependencies; pm waits until it is ready")
            } else if !word.hasSuffix(".service") {
                draft.needless("\(key)=\(word)", "the daemon starts after it")
            } else if context.known.contains(name) {
                draft.missing("\(key)=\(word)", "only an order: add \(name) to dependencies if it is needed")
            } else {
                draft.missing(
                    "\(key)=\(word)", "import \(word) too, or keep it in systemd and order pm.service after it")
            }
        }
    }

    mutating func answerUnit(_ key: String, _ value: String) {
        switch key {
        case "Description", "Documentation": draft.needless(key, "pm shows names")
        case "After", "Requires", "Wants", "BindsTo", "Requisite": answerNames(key)
        case "PartOf": draft.missing(key, "{\"name\": ..., \"onStop\": \"restart\"} in dependencies")
        case "StartLimitBurst", "StartLimitIntervalSec", "StartLimitInterval": answerStartLimit(key, value)
        case "DefaultDependencies", "Before", "Conflicts", "AllowIsolate", "RefuseManualStart":
            draft.needless(key, "pm starts its services itself")
        case _ where key.hasPrefix("Condition") || key.hasPrefix("Assert"):
            draft.missing(key, "test it at the beginning of the program")
        case "OnFailure", "OnSuccess": draft.missing(key, "pm wait NAME --for exit, and then the other program")
        default: draft.missing(key, "pm has no such field")
        }
    }

    mutating func answerStartLimit(_ key: String, _ value: String) {
        if key == "StartLimitBurst" {
            guard let count = Int(value), count >= 0 else { return draft.wrong(key, "a number") }
            draft.mapping.restart.limit = min(count, RestartPolicy.largestLimit)
            draft.became(key, "restart.limit; then one try a minute")
        } else {
            guard let time = Self.time(value) else { return draft.wrong(key, "a time") }
            if time > .zero { draft.mapping.restart.window = time } else { draft.mapping.restart.limit = 0 }
            draft.became(key, time > .zero ? "restart.window" : "restart.limit: 0")
        }
    }

    mutating func answerInstall(_ key: String) {
        switch key {
        case "WantedBy", "RequiredBy":
            draft.mapping.isAutostart = true
            draft.became(key, "autostart")
        case "Alias", "Also", "DefaultInstance": draft.missing(key, "name it as its own mapping")
        default: draft.missing(key, "pm has no such field")
        }
    }

    // MARK: [Service]

    static func time(_ value: String) -> Duration? { CompoundDuration.parse(value, unit: "s") }

    mutating func answerService(_ key: String, _ value: String) throws(MigrationError) {
        switch key {
        case "ExecStart", "EnvironmentFile": break
        case "Environment", "UnsetEnvironment": draft.became(key, "env")
        case "WorkingDirectory": draft.became(key, "cwd")
        case "Type": answerType(key, value)
        case "Restart": answerRestart(key, value)
        case "StartLimitBurst", "StartLimitInterval": answerStartLimit(key, value)
        case "RestartSec", "TimeoutStartSec", "TimeoutStopSec", "TimeoutSec": answerTime(key, value)
        case "KillSignal":
            guard let signal = SignalName.number(of: value) else { return draft.wrong(key, "a signal") }
            let wait = draft.mapping.stop.steps.first?.wait ?? .seconds(10)
            draft.mapping.stop = StopSequence(steps: [StopStep(signal: signal, wait: wait)])
            draft.became(key, "stop.signal")
        case "User", "Group":
            if key == "User" { draft.mapping.user = value } else { draft.mapping.group = value }
            draft.became(key, key.lowercased() + "; needs a daemon that runs as root")
        case "UMask":
            guard let mask = UInt32(value, radix: 8), mask <= 0o777 else { return draft.wrong(key, "an octal number") }
            draft.mapping.umask = mask
            draft.became(key, "umask")
        case "ReadWritePaths", "ReadWriteDirectories":
            if draft.mapping.sandbox.preset == .none {
                draft.missing(key, "\"sandbox\": {\"preset\": \"basic\", \"writable\": [...]}")
            } else {
                draft.became(key, "sandbox.writable")
            }
        case "ProtectSystem": try answerProtection(key, value)
        default: if !answerLimit(key, value) { answerOther(key) }
        }
    }

    private mutating func answerType(_ key: String, _ value: String) {
        switch value {
        case "simple", "exec", "idle": draft.needless(key, "\"ready\": \"started\" is the default")
        case "notify", "notify-reload":
            draft.mapping.readiness = .notify
            draft.became(key, "ready: \"notify\"")
        case "oneshot":
            draft.needless(key, "with \"restart\": \"never\" pm shows how it ended")
        case "forking":
            draft.missing(key, "start the program in the foreground; most have an option for that")
        default: draft.missing(key, "\"ready\": {\"tcp\": PORT} or another check")
        }
    }

    private mutating func answerRestart(_ key: String, _ value: String) {
        switch value {
        case "no": draft.became(key, "restart: \"never\"")
        case "always":
            draft.mapping.restart.condition = .always
            draft.became(key, "restart: \"always\"")
        case "on-failure", "on-abnormal", "on-abort", "on-watchdog":
            draft.mapping.restart.condition = .onFailure
            draft.became(key, "restart: \"on-failure\"" + (value == "on-failure" ? "" : ", after each failure"))
        default: draft.missing(key, "\"restart\": \"always\", or a loop in the program")
        }
    }

    private mutating func answerTime(_ key: String, _ value: String) {
        let isEndless = value == "infinity"
        guard let time = isEndless ? .seconds(0) : Self.time(value) else { return draft.wrong(key, "a time") }
        switch key {
        case "RestartSec":
            guard time > .zero else { return draft.needless(key, "the first restart has no pause") }
            (draft.mapping.restart.delay, draft.mapping.restart.maxDelay) = (time, time)
            draft.became(key, "restart.delay; the first restart has none")
        case "TimeoutStartSec", "TimeoutSec", "TimeoutStopSec":
            let (starts, stops) = (key != "TimeoutStopSec", key != "TimeoutStartSec")
            guard time > .zero else { return draft.missing(key, "give a time: pm waits for nothing without end") }
            let isNotify = kind.hasPrefix("notify")
            if starts, isNotify { draft.mapping.readyDeadline = time }
            if stops {
                let signal = draft.mapping.stop.steps.first?.signal ?? 15
                draft.mapping.stop = StopSequence(steps: [StopStep(signal: signal, wait: time)])
            }
            let keys = [starts && isNotify ? "ready.deadline" : nil, stops ? "stop.wait" : nil].compactMap { $0 }
            if keys.isEmpty {
                draft.needless(key, "the service is ready when it was executed")
            } else {
                draft.became(key, keys.joined(separator: ", "))
            }
        default: break
        }
    }

    private var kind: String { value("Type") ?? "" }

    /// Only what protects the file system changes what a service can write, as `basic` does.
    private mutating func answerProtection(_ key: String, _ value: String) throws(MigrationError) {
        guard value == "full" || value == "strict" || Self.isTrue(value) else {
            return draft.needless(key, "nothing is protected by default")
        }
        var sandbox = Sandbox(.basic)
        for name in ["ReadWritePaths", "ReadWriteDirectories"] {
            for setting in unit.values("Service", name) {
                for word in try UnitSyntax.list(try specifiers.expanded(setting.value)) {
                    let path = String(word.drop { $0 == "-" || $0 == "+" })
                    if !word.hasPrefix("-") || context.exists(path) { sandbox.writable.append(path) }
                }
            }
        }
        draft.mapping.sandbox = sandbox
        draft.became(key, "sandbox: \"basic\"")
    }

    // MARK: limits

    private mutating func answerLimit(_ key: String, _ value: String) -> Bool {
        switch key {
        case "MemoryMax", "MemoryLimit", "MemoryHigh": answerMemory(key, value)
        case "CPUQuota":
            let text = value.hasSuffix("%") ? value.dropLast() : Substring(value)
            guard let percent = Double(text), percent >= 1, percent <= 100_000 else {
                draft.wrong(key, "a percentage")
                break
            }
            // bounded: by the comparison.
            draft.mapping.limits.cpu = Int(percent * Double(Limits.cpuPeriod) / 100)
            draft.became(key, "limits.cpu")
        case "TasksMax", "LimitNPROC", "LimitNOFILE": answerCount(key, value)
        case "IOWeight", "Nice", "OOMScoreAdjust":
            guard let number = Int(value) else {
                draft.wrong(key, "a number")
                break
            }
            answerNumber(key, number)
        default: return false
        }
        return true
    }

    private mutating func answerMemory(_ key: String, _ value: String) {
        if value == "infinity" { return draft.needless(key, "without it there is no limit") }
        guard let size = SizeText.parse(value), size >= Limits.leastMemory else {
            return draft.wrong(key, "a size of 1M or more")
        }
        if key == "MemoryHigh" { draft.mapping.limits.memoryHigh = size } else { draft.mapping.limits.memory = size }
        draft.became(key, key == "MemoryHigh" ? "limits.memoryHigh" : "limits.memory")
    }

    private mutating func answerCount(_ key: String, _ value: String) {
        if value == "infinity" { return draft.needless(key, "without it there is no limit of pm") }
        let soft = value.parts(at: ":")?.before ?? value
        guard let count = Int(soft), count >= 1 else { return draft.wrong(key, "a number") }
        switch key {
        case "TasksMax" where count <= Limits.mostPids:
            draft.mapping.limits.pids = count
            draft.became(key, "limits.pids")
        case "LimitNOFILE" where count >= Limits.leastOpenFiles && count <= Limits.mostOpenFiles:
            draft.mapping.limits.openFiles = count
            draft.became(key, "limits.nofile")
        case "LimitNPROC": draft.missing(key, "\"limits\": {\"pids\": \(count)} limits this service alone")
        default: draft.wrong(key, "in the limits of pm")
        }
    }

    private mutating func answerNumber(_ key: String, _ number: Int) {
        switch key {
        case "IOWeight" where IOLimits.weights.contains(number):
            draft.mapping.limits.io.weight = number
            draft.became(key, "limits.io.weight")
        case "Nice" where (-20...19).contains(number):
            draft.mapping.limits.nice = Int32(number)
            draft.became(key, "limits.nice")
        case "OOMScoreAdjust" where (-1000...1000).contains(number):
            draft.mapping.limits.oomScoreAdjust = Int32(number)
            draft.became(key, "limits.oomScoreAdjust")
        default: draft.wrong(key, "in the limits of pm")
        }
    }

    // MARK: the others

    private static let needless: [String: String] = [
        "StandardOutput": "pm log NAME shows it; \"logs\" chooses the place",
        "StandardError": "pm log NAME shows it; \"logs\" chooses the place", "StandardInput": "it is /dev/null",
        "SyslogIdentifier": "pm writes the name", "SendSIGKILL": "SIGKILL follows the last step of stop",
        "GuessMainPID": "the program that pm starts is the service", "RemainAfterExit": "pm status shows how it ended",
        "Slice": "each service has its own cgroup", "Delegate": "each service has its own cgroup",
        "NotifyAccess": "NOTIFY_SOCKET is for the service's user",
    ]
    private static let missing: [String: String] = [
        "KillMode": "pm always ends all processes of a service",
        "WatchdogSec": "\"live\": {\"http\": ...}: pm asks, and ignores WATCHDOG=1",
        "ExecStartPre": "a script that does both, and ends with exec PROGRAM",
        "ExecStartPost": "a service with this one in its dependencies",
        "ExecStop": "\"stop\" has signals; a commandable service may have the command $stop",
        "ExecStopPost": "at the end of a script that runs the program", "ExecReload": "kill -HUP $(pm pid NAME)",
        "PIDFile": "start the program in the foreground", "PassEnvironment": "write the variables into env",
        "SuccessExitStatus": "let the program end with 0",
        "RestartPreventExitStatus": "let the program end with 0, and \"restart\": \"on-failure\"",
        "RestartForceExitStatus": "\"restart\": \"always\"", "BusName": "\"ready\": {\"tcp\": PORT} or another check",
        "LoadCredential": "a file that only the service's user can read",
        "DynamicUser": "a user of its own in \"user\"",
    ]

    private mutating func answerOther(_ key: String) {
        if let reason = Self.needless[key] { return draft.needless(key, reason) }
        if let advice = Self.missing[key] { return draft.missing(key, advice) }
        if key.hasSuffix("Directory") || key.hasSuffix("DirectoryMode") {
            return draft.missing(key, "make the directory for the service's user; systemd-tmpfiles can")
        }
        if key.hasPrefix("Limit") { return draft.missing(key, "ulimit in a script that runs the program with exec") }
        let isProtection = ["Protect", "Private", "Restrict", "Lock", "SystemCall", "Capability", "Ambient", "NoNew"]
        if isProtection.contains(where: key.hasPrefix) || key.hasSuffix("Paths") {
            return draft.missing(key, "\"sandbox\": \"basic\" or \"strict\", see Docs/Sandbox.md")
        }
        draft.missing(key, "pm has no such field")
    }
}

/// The name of a service by that of its unit.
private func UnitName(service unit: String) -> String {
    unit.hasSuffix(".service") ? String(unit.dropLast(8)) : unit
}

/// A socket unit, which opens sockets of a service.
struct UnitSocket {
    private let unit: UnitFile

    init(_ unit: UnitFile) { self.unit = unit }

    /// Adds its sockets to the service that it is for.
    ///
    /// - Throws: `MigrationError` when that service is not read with it.
    func add(to migration: inout Migration, _ context: MigrationContext) throws(MigrationError) {
        let asked = unit.value("Socket", "Service").map { UnitName(service: $0) } ?? unit.service
        guard let index = migration.services.firstIndex(where: { $0.name == asked }) else {
            throw MigrationError("\(unit.name) opens sockets for \(asked).service: give that file too")
        }
        for setting in unit.settings where setting.section == "Socket" {
            let field: MigratedField.Outcome
            switch setting.key {
            case "ListenStream", "ListenDatagram":
                guard let point = point(setting, context) else {
                    field = .noEquivalent("pm listens at addresses and paths")
                    break
                }
                migration.services[index].mapping.listen.append(point)
                field = .became("listen; a connection does not start the service")
            case "FileDescriptorName", "SocketMode", "Backlog": field = .became("listen")
            case "Accept" where UnitReader.isTrue(setting.value):
                field = .noEquivalent("let the service accept connections itself")
            case "Accept", "Service": field = .needless("the service gets the sockets")
            case "SocketUser", "SocketGroup": field = .needless("the socket belongs to the service's user")
            default: field = .noEquivalent("pm has no such field")
            }
            migration.fields.append(MigratedField(asked, "[Socket] \(setting.key)", field))
        }
    }

    private func point(_ setting: UnitFile.Setting, _ context: MigrationContext) -> ListenPoint? {
        let text = setting.value
        let address: ListenPoint.Address
        if text.hasPrefix("/") {
            address = .unix(path: context.path(text, from: "/"))
        } else if let port = UInt16(text), port > 0 {
            address = .internet(host: "::", port: port)
        } else if let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) {
            var host = String(text[..<colon])
            if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
            guard !host.isEmpty, !host.contains("%") else { return nil }
            address = .internet(host: host, port: port)
        } else {
            return nil
        }
        var point = ListenPoint(address)
        point.kind = setting.key == "ListenDatagram" ? .datagram : .stream
        point.name = unit.value("Socket", "FileDescriptorName")
        if let backlog = unit.value("Socket", "Backlog").flatMap({ Int($0) }), (1...65535).contains(backlog) {
            point.backlog = backlog
        }
        if let mode = unit.value("Socket", "SocketMode").flatMap({ UInt32($0, radix: 8) }), mode <= 0o777 {
            point.mode = mode
        }
        return point
    }
}
