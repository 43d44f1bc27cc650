import JSON
import PMModel

/// One service of a Compose file while it is read.
struct ComposeService {
    let members: [YAMLNode.Member]
    let project: ComposeProject
    let context: MigrationContext
    var draft: ServiceDraft
    /// The file that describes the container.
    var container = JSONObject()
    /// Further members of the engine's HostConfig.
    var host = JSONObject()

    init(_ name: String, _ members: [YAMLNode.Member], _ project: ComposeProject, _ context: MigrationContext) {
        (self.members, self.project, self.context) = (members, project, context)
        draft = ServiceDraft(name)
    }

    subscript(_ key: String) -> YAMLNode? { members.last { $0.key == key }?.value }

    mutating func read() throws(MigrationError) -> ServiceDraft {
        draft.service.definition.runtime = .docker
        draft.service.definition.path = context.path("\(draft.name).docker.json", from: context.target)
        draft.mapping.restart.condition = .never
        let image = self["image"]?.text
        container["image"] = .string(image ?? "\(project.name)-\(draft.name)")
        for member in members where !member.value.isNull && !member.key.hasPrefix("x-") {
            let (key, value) = (member.key, member.value)
            if try answerProgram(key, value) { continue }
            if answerPlace(key, value) { continue }
            if answerPolicy(key, value) || answerLimit(key, value) || answerHost(key, value) { continue }
            answerOther(key)
        }
        if !host.isEmpty { container["hostConfig"] = .object(host) }
        draft.service.container = container
        return draft
    }

    /// The words of a list, or of a text that is split without a shell.
    static func words(_ value: YAMLNode) throws(MigrationError) -> [String] {
        if let elements = value.elements { return elements.map { $0.text ?? "" } }
        return try ShellLine.split(value.text ?? "").words
    }

    /// The texts of a list, or of one value.
    static func texts(_ value: YAMLNode) -> [String] { (value.elements ?? [value]).compactMap(\.text) }

    /// The names and values of a mapping, or of a list of `NAME=value`; a name alone has no value.
    static func pairs(_ value: YAMLNode) -> [(name: String, value: String?)] {
        if let members = value.members { return members.map { ($0.key, $0.value.text) } }
        return texts(value).map { text in
            text.parts(at: "=").map { ($0.before, Optional($0.after)) } ?? (text, nil)
        }
    }

    // MARK: the program

    private mutating func answerProgram(_ key: String, _ value: YAMLNode) throws(MigrationError) -> Bool {
        switch key {
        case "image": draft.became(key, "image in \(draft.name).docker.json")
        case "build":
            let command = "docker compose build \(draft.name)"
            draft.missing(key, "build the image before (\(command)); its name is \(container["image"]?.string ?? "")")
        case "command", "entrypoint":
            container[key] = .array(try Self.words(value).map { .string($0) })
            draft.became(key, "\(key) in \(draft.name).docker.json")
        case "environment":
            for (name, value) in Self.pairs(value) {
                // A name alone takes the value of the caller, as Compose does.
                if let text = value ?? context.environment[name] { draft.set(name, text) }
            }
            draft.became(key, "env")
        case "env_file": answerEnvironmentFiles(key, value)
        case "labels":
            let labels = Self.pairs(value).map { ($0.name, JSONValue.string($0.value ?? "")) }
            container[key] = .object(JSONObject(labels))
            draft.became(key, "labels in \(draft.name).docker.json")
        default: return false
        }
        return true
    }

    private mutating func answerEnvironmentFiles(_ key: String, _ value: YAMLNode) {
        for entry in value.elements ?? [value] {
            guard let file = entry.text ?? entry["path"]?.text else { continue }
            let path = Paths.resolve(file, from: context.directory)
            if entry["required"]?.bool == false, !context.exists(path) {
                draft.missing("env_file \(file)", "it does not exist; name it in envFiles when it does")
            } else {
                draft.mapping.envFiles.append(context.path(path, from: "/"))
            }
        }
        if !draft.mapping.envFiles.isEmpty { draft.became(key, "envFiles") }
    }

    // MARK: the place

    private mutating func answerPlace(_ key: String, _ value: YAMLNode) -> Bool {
        let file = "\(draft.name).docker.json"
        switch key {
        case "working_dir":
            container["workingDirectory"] = value.text.map { .string($0) }
            draft.became(key, "workingDirectory in \(file)")
        case "user":
            container["user"] = value.text.map { .string($0) }
            draft.became(key, "user in \(file)")
        case "read_only", "init":
            if value.bool == true { container[key == "init" ? key : "readOnly"] = true }
            draft.became(key, "\(key == "init" ? key : "readOnly") in \(file)")
        case "network_mode":
            guard let mode = value.text, !mode.hasPrefix("service:"), !mode.hasPrefix("container:") else {
                draft.missing(key, "pm joins no network of another container")
                break
            }
            if mode != "bridge" { container["network"] = .string(mode) }
            draft.became(key, "network in \(file)")
        case "networks":
            draft.missing(key, "ports at 127.0.0.1, or docker network create NAME and \"network\": \"NAME\" in \(file)")
        case "pull_policy":
            let policy = ["always": "always", "never": "never", "missing": "missing", "if_not_present": "missing"]
            guard let pull = value.text.flatMap({ policy[$0] }) else {
                draft.missing(key, "\"pull\" is missing, always or never")
                break
            }
            container["pull"] = .string(pull)
            draft.became(key, "pull in \(file)")
        case "ports": answerPorts(value)
        case "volumes": answerVolumes(value)
        default: return false
        }
        return true
    }

    private mutating func answerPorts(_ value: YAMLNode) {
        var ports: [JSONValue] = []
        for entry in value.elements ?? [] {
            if let text = entry.text {
                guard !text.contains("-") else {
                    draft.missing("ports \(text)", "write each port of a range")
                    continue
                }
                ports.append(.string(Self.open(text)))
            } else if let target = entry["target"]?.text {
                let host = entry["host_ip"]?.text.map { $0.contains(":") ? "[\($0)]:" : "\($0):" } ?? "0.0.0.0:"
                let transport = entry["protocol"]?.text.map { $0 == "udp" ? "/udp" : "" } ?? ""
                let published = entry["published"]?.text.map { "\(host)\($0):" } ?? ""
                ports.append(.string(published + target + transport))
            }
        }
        if !ports.isEmpty { container["ports"] = .array(ports) }
        draft.became("ports", "ports in \(draft.name).docker.json")
    }

    /// Compose opens a port without an address to everybody; pm opens it to this machine.
    private static func open(_ text: String) -> String {
        text.split(separator: ":").count == 2 && !text.hasPrefix("[") ? "0.0.0.0:" + text : text
    }

    private mutating func answerVolumes(_ value: YAMLNode) {
        var volumes: [JSONValue] = []
        for entry in value.elements ?? [] {
            let source: String, target: String
            var isReadOnly = false
            if let text = entry.text {
                let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
                guard parts.count == 2 || parts.count == 3 else {
                    draft.missing("volumes \(text)", "name the volume: \"NAME:\(text)\"")
                    continue
                }
                (source, target) = (parts[0], parts[1])
                isReadOnly = parts.count == 3 && parts[2].split(separator: ",").contains("ro")
            } else if let own = entry["source"]?.text, let inside = entry["target"]?.text {
                (source, target) = (own, inside)
                isReadOnly = entry["read_only"]?.bool == true
            } else {
                draft.missing("volumes", "a volume without a source: name it")
                continue
            }
            volumes.append(.string(self.source(source) + ":" + target + (isReadOnly ? ":ro" : "")))
        }
        if !volumes.isEmpty { container["volumes"] = .array(volumes) }
        draft.became("volumes", "volumes in \(draft.name).docker.json")
    }

    private func source(_ text: String) -> String {
        if text.hasPrefix("~/") { return (context.environment["HOME"] ?? "/root") + text.dropFirst() }
        guard text.hasPrefix(".") || text.hasPrefix("/") else { return project.volume(text) }
        return context.path(text, from: context.directory)
    }
}
