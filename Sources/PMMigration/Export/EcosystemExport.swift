import JSON
import PMModel

/// An ecosystem file of PM2.
struct EcosystemExport {
    let services: [ExportedService]
    let folder: String

    func export() -> Export {
        var export = Export()
        var apps: [JSONValue] = []
        for service in services {
            guard service.container == nil else {
                export.missing(service, "type", "pm export compose has services in Docker")
                continue
            }
            apps.append(.object(app(service)))
            note(service, &export)
        }
        let text = String(decoding: JSONValue.object(["apps": .array(apps)]).serialized(indent: "  "), as: UTF8.self)
        export.files = [.init(name: "ecosystem.config.cjs", text: "module.exports = \(text);\n")]
        return export
    }

    private func app(_ service: ExportedService) -> JSONObject {
        let mapping = service.mapping
        var app: JSONObject = ["name": .string(service.name)]
        var words = service.command[...]
        let isNode = words.first.map { Paths.name(of: $0) == "node" } == true && words.count > 1
        if isNode { words.removeFirst() }
        app["script"] = .string(Paths.relative(words.first ?? "", to: service.directory))
        if !isNode { app["interpreter"] = "none" }
        let arguments = words.dropFirst()
        if !arguments.isEmpty { app["args"] = .array(arguments.map { .string($0) }) }
        app["cwd"] = .string(service.directory == folder ? "./" : Paths.relative(service.directory, to: folder))
        if !service.variables.isEmpty {
            app["env"] = .object(JSONObject(service.variables.map { ($0.name, JSONValue.string($0.value)) }))
        }
        if mapping.instances > 1 { app["instances"] = JSONValue(mapping.instances) }
        addPolicy(mapping, service.stop, &app)
        if let memory = mapping.limits.memory {
            app["max_memory_restart"] = .string(memory.isMultiple(of: 1 << 20) ? "\(memory >> 20)M" : "\(memory)")
        }
        app["uid"] = mapping.user.map { .string($0) }
        app["gid"] = mapping.group.map { .string($0) }
        return app
    }

    private func addPolicy(_ mapping: Mapping, _ stop: StopStep, _ app: inout JSONObject) {
        let (restart, plain) = (mapping.restart, RestartPolicy())
        switch restart.condition {
        case .always: break
        case .onFailure: app["stop_exit_codes"] = [0]
        case .never: app["autorestart"] = false
        }
        if restart.limit != plain.limit { app["max_restarts"] = JSONValue(restart.limit) }
        if restart.resetAfter != plain.resetAfter {
            app["min_uptime"] = .number(JSONNumber(milliseconds(restart.resetAfter)))
        }
        if restart.delay != plain.delay {
            let key = restart.delay == restart.maxDelay ? "restart_delay" : "exp_backoff_restart_delay"
            app[key] = .number(JSONNumber(milliseconds(restart.delay)))
        }
        if stop.wait != .seconds(10) { app["kill_timeout"] = .number(JSONNumber(milliseconds(stop.wait))) }
        if mapping.readiness == .ipc {
            app["wait_ready"] = true
            let deadline = mapping.readyDeadline > .zero ? mapping.readyDeadline : .seconds(60)
            app["listen_timeout"] = .number(JSONNumber(milliseconds(deadline)))
        }
        if !mapping.isAutostart { app["autostart"] = false }
    }

    private func note(_ service: ExportedService, _ export: inout Export) {
        let mapping = service.mapping
        if !mapping.envFiles.isEmpty {
            export.missing(service, "envFiles", "env_file of PM2 5, or dotenv in the program")
        }
        if !service.dependencies.isEmpty { export.missing(service, "dependencies", "all start at once") }
        if service.stop.signal != 2 {
            export.missing(service, "stop.signal", "PM2_KILL_SIGNAL in the environment of PM2")
        }
        if mapping.stop.steps.count > 1 { export.missing(service, "stop", "only the first signal; SIGKILL follows") }
        if let readiness = mapping.readiness, readiness != .ipc, readiness != .started {
            export.missing(service, "ready", "process.send('ready') and wait_ready")
        }
        if !mapping.live.isDefault { export.missing(service, "live", "a check in the program") }
        if !mapping.listen.isEmpty { export.missing(service, "listen", "exec_mode cluster, and listen in the program") }
        var limits = mapping.limits
        limits.memory = nil
        if limits != Limits() { export.missing(service, "limits", "PM2 limits only memory") }
        if mapping.sandbox.preset != .none { export.missing(service, "sandbox", "PM2 has none") }
        if mapping.umask != nil { export.missing(service, "umask", "umask in the program") }
        if service.isHosted {
            export.missing(service, "path", "it runs by pm run, and is called by nobody but through pm")
        }
    }
}
