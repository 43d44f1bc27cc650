import JSON
import PMConfig
import PMModel

/// The request from which the engine makes a container (Docker Engine API, "Create a container").
struct ContainerBody {
    private let order: ContainerOrder
    private let configuration: DockerConfiguration
    private let links: Links
    private let driver: DriverIdentity

    /// Connections to the daemon, as the container sees them.
    struct Links {
        /// The folder of the machine with their sockets.
        let folder: ChannelFolder
        /// True when the unit has a channel.
        let hasChannel: Bool
    }

    /// Paths of these sockets and of pm's JavaScript in the container.
    private enum Inside {
        static let sockets = "/run/pm"
        static let node = "/usr/lib/pm/node"
    }

    init(
        _ order: ContainerOrder, _ configuration: DockerConfiguration, _ links: Links, driver: DriverIdentity
    ) {
        self.order = order
        self.configuration = configuration
        self.links = links
        self.driver = driver
    }

    /// The body of the request.
    var json: JSONValue {
        var body = JSONObject()
        body["Image"] = .string(configuration.image)
        setCommand(&body)
        body["Env"] = .strings(environment)
        body["Labels"] = labels
        // Its output is read in frames that tell both streams apart, which a terminal cannot.
        body["Tty"] = .bool(false)
        body["AttachStdout"] = .bool(true)
        body["AttachStderr"] = .bool(true)
        if let user = order.user ?? configuration.user { body["User"] = .string(user) }
        if let directory = configuration.workingDirectory { body["WorkingDir"] = .string(directory) }
        body["ExposedPorts"] = .object(JSONObject(configuration.ports.map { ($0.engineName, .object([:])) }))
        body["HostConfig"] = .object(hostConfig)
        return .object(body)
    }

    private func setCommand(_ body: inout JSONObject) {
        if let commands = configuration.commands {
            body["Entrypoint"] = .strings(["node"])
            body["Cmd"] = .strings([Inside.node + "/host/main.mjs", commands] + order.arguments)
            return
        }
        let command = configuration.command + order.arguments
        if let entrypoint = configuration.entrypoint { body["Entrypoint"] = .strings(entrypoint) }
        if !command.isEmpty { body["Cmd"] = .strings(command) }
    }

    private var environment: [String] {
        // Of two with one name the engine would set both: the later one is meant, also where it has no value.
        let names = JSONObject(
            (configuration.environment + order.environment).map { variable in
                (variable.name, variable.value.map { .string($0) } ?? .null)
            })
        var strings = names.map { name, value in
            // A name alone takes the variable out of what the image says.
            value.string.map { "\(name)=\($0)" } ?? name
        }
        func path(_ socket: ChannelFolder.Socket) -> String { Inside.sockets + "/" + socket.rawValue }
        if links.hasChannel { strings.append(HostVariable.channelPath.set(to: path(.channel))) }
        return strings + [HostVariable.socket.set(to: Paths.socketURL(path(.daemon)))]
    }

    private var labels: JSONValue {
        var labels = JSONObject(configuration.labels) ?? [:]
        labels[ContainerLabel.owner] = .string(order.owner)
        labels[ContainerLabel.service] = .string(order.name)
        labels[ContainerLabel.driver] = .string(driver.text)
        labels[ContainerLabel.folder] = .string(links.folder.inner)
        return .object(labels)
    }

    private var hostConfig: JSONObject {
        // Output is pm's to keep: what the engine keeps of it for itself has a bound.
        var host: JSONObject = ["LogConfig": ["Type": "local"]]
        setSurroundings(&host)
        setLimits(&host)
        for (key, value) in JSONObject(configuration.hostConfig) ?? [:] {
            // More of what there are several of; instead of what there is one of.
            let several = host[key]?.array.flatMap { own in value.array.map { own + $0 } }
            host[key] = several.map { .array($0) } ?? value
        }
        // Whether it is started again is for pm to say, and what it leaves is for its driver to look at.
        host["AutoRemove"] = .bool(false)
        host["RestartPolicy"] = ["Name": "no"]
        return host
    }

    private func setSurroundings(_ host: inout JSONObject) {
        var bindings = JSONObject()
        for port in configuration.ports {
            let place: JSONValue = [
                "HostIp": .string(port.address), "HostPort": .string(port.outside == 0 ? "" : "\(port.outside)"),
            ]
            bindings[port.engineName] = .array((bindings[port.engineName]?.array ?? []) + [place])
        }
        host["PortBindings"] = .object(bindings)
        host["Mounts"] = .array(mounts)
        if let network = configuration.network { host["NetworkMode"] = .string(network) }
        host["ReadonlyRootfs"] = .bool(configuration.isReadOnly)
        host["Init"] = .bool(configuration.hasInit)
    }

    private var mounts: [JSONValue] {
        var volumes = configuration.volumes
        if configuration.commands != nil {
            volumes.append(.init(source: order.node, target: Inside.node, isReadOnly: true))
        }
        volumes.append(.init(source: links.folder.inner, target: Inside.sockets, isReadOnly: true))
        return volumes.map { volume in
            [
                "Type": .string(volume.source.hasPrefix("/") ? "bind" : "volume"), "Source": .string(volume.source),
                "Target": .string(volume.target), "ReadOnly": .bool(volume.isReadOnly),
            ]
        }
    }

    private func setLimits(_ host: inout JSONObject) {
        let limits = order.limits
        if let memory = limits.memory { host["Memory"] = .number(JSONNumber(memory)) }
        if let cpu = limits.cpu {
            host["CpuPeriod"] = .number(JSONNumber(Limits.cpuPeriod))
            host["CpuQuota"] = .number(JSONNumber(cpu))
        }
        if let pids = limits.pids { host["PidsLimit"] = .number(JSONNumber(pids)) }
        if let score = limits.oomScoreAdjust { host["OomScoreAdj"] = .number(JSONNumber(score)) }
        if let files = limits.openFiles {
            let number = JSONValue.number(JSONNumber(files))
            host["Ulimits"] = [["Name": "nofile", "Soft": number, "Hard": number]]
        }
    }
}

/// Labels by which containers of pm are found.
enum ContainerLabel {
    /// The URL of the daemon's socket.
    static let owner = "pm.owner"
    /// The unit.
    static let service = "pm.service"
    /// The driver that made it.
    static let driver = "pm.driver"
    /// The folder of its sockets.
    static let folder = "pm.folder"
}

extension DockerConfiguration.Port {
    /// The engine's name of the port in the container.
    fileprivate var engineName: String { "\(inside)/\(transport.rawValue)" }
}

extension JSONObject {
    /// The object in a text that was checked to be one.
    fileprivate init?(_ text: String) {
        // It was read by the configuration before.
        guard let object = (try? JSONValue(parsing: Array(text.utf8)))?.object else { return nil }
        self = object
    }
}

extension JSONValue {
    fileprivate static func strings(_ strings: [String]) -> JSONValue { .array(strings.map { .string($0) }) }
}
