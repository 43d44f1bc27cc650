import JSON
import PMModel

/// Units of systemd.
struct SystemdExport {
    let services: [ExportedService]

    func export() -> Export {
        var export = Export()
        for service in services {
            guard service.container == nil else {
                export.missing(service, "type", "pm export compose has services in Docker")
                continue
            }
            note(service, &export)
            for number in 1...max(1, service.mapping.instances) {
                export.files.append(
                    .init(name: Self.unit(service.name, number) + ".service", text: unit(service, number)))
            }
            if !service.mapping.listen.isEmpty {
                export.files.append(.init(name: Self.unit(service.name) + ".socket", text: socket(service)))
            }
        }
        return export
    }

    /// The name of a unit without its type; the second instance is `web-2`.
    static func unit(_ name: String, _ number: Int = 1) -> String {
        let text = name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) ? $0 : "-" }
        let base = String(text.drop { $0 == "-" || $0 == "." })
        return (base.isEmpty ? "service" : base) + (number == 1 ? "" : "-\(number)")
    }

    /// A word as systemd reads it back; in commands `$` is doubled.
    static func quoted(_ word: String, isCommand: Bool) -> String {
        var text = ""
        var isPlain = !word.isEmpty
        for character in word.unicodeScalars {
            switch character {
            case "\\", "\"", "'":
                text += "\\"
                text.unicodeScalars.append(character)
                isPlain = false
            case "%": text += "%%"
            case "$" where isCommand: text += "$$"
            case "\n": (text, isPlain) = (text + "\\n", false)
            case "\t": (text, isPlain) = (text + "\\t", false)
            case " ", ";", "#":
                text.unicodeScalars.append(character)
                isPlain = false
            default: text.unicodeScalars.append(character)
            }
        }
        return isPlain ? text : "\"\(text)\""
    }

    private static func path(_ path: String) -> String {
        path.map { $0 == "%" ? "%%" : String($0) }.joined()
    }

    private func unit(_ service: ExportedService, _ number: Int) -> String {
        var lines = ["[Unit]", "Description=\(Self.path(service.name)) (exported by pm)"]
        lines += dependencies(service)
        let restart = service.mapping.restart
        if restart.condition != .never {
            lines.append("StartLimitIntervalSec=\(restart.limit == 0 ? "0" : timeText(restart.window))")
            if restart.limit > 0 { lines.append("StartLimitBurst=\(restart.limit)") }
        }
        lines += ["", "[Service]"]
        lines.append(service.mapping.readiness == .notify ? "Type=notify" : "Type=exec")
        lines.append("ExecStart=" + service.command.map { Self.quoted($0, isCommand: true) }.joined(separator: " "))
        lines.append("WorkingDirectory=\(Self.path(service.directory))")
        for (name, value) in service.variables {
            lines.append("Environment=\(Self.quoted("\(name)=\(value)", isCommand: false))")
        }
        lines += service.mapping.env.filter { $0.value == nil }.map { "UnsetEnvironment=\($0.name)" }
        lines += service.mapping.envFiles.map { "EnvironmentFile=\(Self.path($0))" }
        let conditions: [RestartPolicy.Condition: String] = [.always: "always", .onFailure: "on-failure", .never: "no"]
        lines.append("Restart=\(conditions[restart.condition] ?? "no")")
        if restart.condition != .never { lines.append("RestartSec=\(timeText(restart.delay))") }
        if service.mapping.readyDeadline > .zero {
            lines.append("TimeoutStartSec=\(timeText(service.mapping.readyDeadline))")
        }
        lines.append("KillSignal=\(SignalName.name(of: service.stop.signal))")
        lines.append("TimeoutStopSec=\(timeText(service.stop.wait))")
        lines += rights(service.mapping) + limits(service.mapping.limits)
        if service.mapping.isAutostart { lines += ["", "[Install]", "WantedBy=multi-user.target"] }
        return lines.joined(separator: "\n") + "\n"
    }

    private func dependencies(_ service: ExportedService) -> [String] {
        var lines: [String] = []
        for dependency in service.dependencies where services.contains(where: { $0.name == dependency.name }) {
            let unit = Self.unit(dependency.name) + ".service"
            lines += ["After=\(unit)", "\(dependency.onStop == .keep ? "Wants" : "Requires")=\(unit)"]
            if dependency.onStop == .restart { lines.append("PartOf=\(unit)") }
        }
        if !service.mapping.listen.isEmpty {
            let socket = Self.unit(service.name) + ".socket"
            lines += ["After=\(socket)", "Requires=\(socket)"]
        }
        return lines
    }

    private func rights(_ mapping: Mapping) -> [String] {
        var lines: [String] = []
        if let user = mapping.user { lines.append("User=\(user)") }
        if let group = mapping.group { lines.append("Group=\(group)") }
        if let mask = mapping.umask {
            let digits = String(mask, radix: 8)
            lines.append("UMask=" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits)
        }
        switch mapping.sandbox.preset {
        case .none: return lines
        case .basic: lines += ["ProtectSystem=full", "ProtectHome=read-only"]
        case .strict:
            lines += [
                "ProtectSystem=strict", "ProtectHome=yes", "CapabilityBoundingSet=", "SystemCallFilter=@system-service",
            ]
        }
        lines += ["NoNewPrivileges=yes", "PrivateTmp=yes", "PrivateDevices=yes", "ProtectKernelTunables=yes"]
        let writable = mapping.sandbox.writable.map { Self.quoted($0, isCommand: false) }
        if !writable.isEmpty { lines.append("ReadWritePaths=" + writable.joined(separator: " ")) }
        return lines
    }

    private func limits(_ limits: Limits) -> [String] {
        let pairs: [(String, Int64?)] = [
            ("MemoryMax", limits.memory), ("MemoryHigh", limits.memoryHigh), ("TasksMax", limits.pids.map(Int64.init)),
            ("IOWeight", limits.io.weight.map(Int64.init)), ("LimitNOFILE", limits.openFiles.map(Int64.init)),
            ("Nice", limits.nice.map(Int64.init)), ("OOMScoreAdjust", limits.oomScoreAdjust.map(Int64.init)),
        ]
        let lines = pairs.compactMap { name, value in value.map { "\(name)=\($0)" } }
        guard let cpu = limits.cpu else { return lines }
        return lines + ["CPUQuota=\(max(1, cpu * 100 / Limits.cpuPeriod))%"]
    }

    private func socket(_ service: ExportedService) -> String {
        var lines = ["[Unit]", "Description=Sockets of \(Self.path(service.name)) (exported by pm)", "", "[Socket]"]
        for point in service.mapping.listen {
            lines.append("\(point.kind == .stream ? "ListenStream" : "ListenDatagram")=\(Self.path(point.text))")
        }
        if let first = service.mapping.listen.first {
            if let name = first.name { lines.append("FileDescriptorName=\(name)") }
            lines.append("Backlog=\(first.backlog)")
            if case .unix = first.address { lines.append("SocketMode=0\(String(first.mode, radix: 8))") }
        }
        if service.mapping.isAutostart { lines += ["", "[Install]", "WantedBy=sockets.target"] }
        return lines.joined(separator: "\n") + "\n"
    }

    private func note(_ service: ExportedService, _ export: inout Export) {
        let mapping = service.mapping
        if mapping.instances > 1 {
            export.missing(service, "instances", "a unit for each; the names are \(Self.unit(service.name, 2)), ...")
        }
        if !mapping.live.isDefault { export.missing(service, "live", "WatchdogSec=, if the program sends WATCHDOG=1") }
        if mapping.stop.steps.count > 1 { export.missing(service, "stop", "only the first signal; SIGKILL follows") }
        if mapping.restart.condition != .never {
            export.missing(service, "restart.maxDelay", "RestartSteps= and RestartMaxDelaySec= of systemd 254")
        }
        if let readiness = mapping.readiness, readiness != .notify, readiness != .started {
            export.missing(service, "ready", "let the program send READY=1 (sd_notify), and write Type=notify")
        }
        if !mapping.env.isEmpty, !mapping.envFiles.isEmpty {
            export.missing(service, "envFiles", "in systemd EnvironmentFile= replaces Environment=")
        }
        if !mapping.limits.io.devices.isEmpty {
            export.missing(service, "limits.io", "IOReadBandwidthMax= and the like")
        }
        if service.isHosted {
            export.missing(service, "path", "it runs by pm run, and is called by nobody but through pm")
        }
        if Set(mapping.listen.compactMap(\.name)).count > 1 || mapping.listen.count > 1 {
            export.missing(service, "listen", "a socket unit for each, if their names or modes differ")
        }
    }
}
