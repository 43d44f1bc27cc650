import JSON
import PMModel

/// A Compose file.
struct ComposeExport {
    let services: [ExportedService]
    let folder: String

    func export() -> Export {
        var export = Export()
        var members = JSONObject()
        var volumes = JSONObject()
        for service in services {
            let container = ContainerExport(service: service, folder: folder)
            container.note(&export)
            members[service.name] = .object(self.service(service, container, &export))
            for volume in service.container?["volumes"]?.array?.compactMap(\.string) ?? [] {
                guard !volume.hasPrefix("/"), !volume.hasPrefix("."), let name = volume.parts(at: ":")?.before else {
                    continue
                }
                // The engine has it under this name already.
                volumes[name] = ["external": true]
            }
        }
        var root: JSONObject = ["services": .object(members)]
        if !volumes.isEmpty { root["volumes"] = .object(volumes) }
        export.files = [.init(name: "compose.yaml", text: YAMLText.document(Self.escaped(.object(root))))]
        return export
    }

    /// Compose replaces variables in all values.
    private static func escaped(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): .string(text.map { $0 == "$" ? "$$" : String($0) }.joined())
        case .array(let elements): .array(elements.map(escaped))
        case .object(let members): .object(JSONObject(members.map { ($0.key, escaped($0.value)) }))
        case .null, .bool, .number: value
        }
    }

    private func texts(_ words: [String]) -> JSONValue { .array(words.map { .string($0) }) }

    private func service(
        _ service: ExportedService, _ container: ContainerExport, _ export: inout Export
    ) -> JSONObject {
        let mapping = service.mapping
        var members: JSONObject = ["image": .string(container.image)]
        members["entrypoint"] = container.entrypoint.map(texts)
        if !container.command.isEmpty { members["command"] = texts(container.command) }
        members["working_dir"] = container.directory.map { .string($0) }
        if !container.variables.isEmpty {
            members["environment"] = .object(
                JSONObject(container.variables.map { ($0.name, JSONValue.string($0.value)) }))
        }
        let files = mapping.envFiles.map { Paths.relative($0, to: folder) }
        if !files.isEmpty { members["env_file"] = texts(files) }
        members["user"] = (mapping.user ?? service.container?["user"]?.string).map { user in
            .string(mapping.group.map { "\(user):\($0)" } ?? user)
        }
        addPlace(service, container, &members)
        addPolicy(service, &members)
        addLimits(mapping.limits, &members)
        if let check = healthcheck(mapping) {
            members["healthcheck"] = check
        } else if !mapping.live.isDefault || ![nil, .started].contains(mapping.readiness) {
            export.missing(service, "ready, live", "healthcheck, with a program of the image")
        }
        return members
    }

    private func addPlace(_ service: ExportedService, _ container: ContainerExport, _ members: inout JSONObject) {
        let ports = container.ports.map { port in
            let address = port.address.isEmpty ? "127.0.0.1" : port.address
            let host = address.contains(":") && !address.hasPrefix("[") ? "[\(address)]" : address
            let outside = port.outside.map { "\(host):\($0):" } ?? ""
            return JSONValue.string("\(outside)\(port.inside)\(port.isUDP ? "/udp" : "")")
        }
        if !ports.isEmpty { members["ports"] = .array(ports) }
        guard let file = service.container else {
            members["volumes"] = [.string("./:\(ContainerExport.place)")]
            return
        }
        for (key, name) in [
            ("volumes", "volumes"), ("labels", "labels"), ("network", "network_mode"), ("init", "init"),
        ] {
            members[name] = file[key]
        }
        members["read_only"] = file["readOnly"]
        members["pull_policy"] = file["pull"]
        let host = file["hostConfig"]?.object ?? JSONObject()
        for (key, name) in [
            ("CapAdd", "cap_add"), ("CapDrop", "cap_drop"), ("Dns", "dns"), ("SecurityOpt", "security_opt"),
            ("ExtraHosts", "extra_hosts"), ("Privileged", "privileged"), ("ShmSize", "shm_size"),
            ("Sysctls", "sysctls"),
            ("GroupAdd", "group_add"), ("DnsSearch", "dns_search"),
        ] { members[name] = host[key] }
    }

    private func addPolicy(_ service: ExportedService, _ members: inout JSONObject) {
        let mapping = service.mapping
        switch mapping.restart.condition {
        case .always: members["restart"] = "always"
        case .onFailure:
            let limit = mapping.restart.limit
            members["restart"] = .string(
                limit == RestartPolicy().limit || limit == 0 ? "on-failure" : "on-failure:\(limit)")
        case .never: members["restart"] = "no"
        }
        members["stop_signal"] = .string(SignalName.name(of: service.stop.signal))
        members["stop_grace_period"] = .string(timeText(service.stop.wait))
        if mapping.instances > 1 { members["deploy"] = ["replicas": JSONValue(mapping.instances)] }
        var needed = JSONObject()
        for dependency in service.dependencies where services.contains(where: { $0.name == dependency.name }) {
            let other = services.first { $0.name == dependency.name }
            let isChecked = other.flatMap { healthcheck($0.mapping) } != nil
            var entry: JSONObject = ["condition": .string(isChecked ? "service_healthy" : "service_started")]
            if dependency.onStop == .restart { entry["restart"] = true }
            needed[dependency.name] = .object(entry)
        }
        if !needed.isEmpty { members["depends_on"] = .object(needed) }
    }

    private func addLimits(_ limits: Limits, _ members: inout JSONObject) {
        members["mem_limit"] = limits.memory.map { .number(JSONNumber($0)) }
        members["cpus"] = limits.cpu.map { JSONValue(Double($0) / Double(Limits.cpuPeriod)) }
        members["pids_limit"] = limits.pids.map { JSONValue($0) }
        members["ulimits"] = limits.openFiles.map { ["nofile": JSONValue($0)] }
        members["oom_score_adj"] = limits.oomScoreAdjust.map { .number(JSONNumber($0)) }
    }

    private func healthcheck(_ mapping: Mapping) -> JSONValue? {
        let words: [String]
        switch (mapping.live.check, mapping.readiness) {
        case (.exec(let program), _): words = program
        case (_, .exec(let program)?) where mapping.live.isDefault: words = program
        case (.none, _), (.rpc, _), (.tcp, _), (.http, _), (.output, _), (.probe, _): return nil
        }
        return [
            "test": texts(["CMD"] + words), "interval": .string(timeText(mapping.live.interval)),
            "timeout": .string(timeText(mapping.live.timeout)), "retries": JSONValue(mapping.live.retries),
        ]
    }
}
