internal import JSON
internal import PMModel

extension ConfigReader {
    static let mappingKeys = [
        "container", "cwd", "cli", "config", "autostart", "connect", "env", "envFiles", "restart", "stop", "drain",
        "callTimeout", "ready", "live", "on",
        "instances", "pool", "isolated", "heartbeat", "logs", "limits", "user", "group", "umask", "sandbox", "listen",
        "routes", "dependencies", "apply",
    ]

    /// Made once: thousands of mappings have most of it in common.
    private static let plain = Mapping(container: "")

    mutating func mapping(_ place: ConfigNode, name: String) -> Mapping? {
        guard case .object = place.node.shape else {
            expected("an object", at: place)
            return nil
        }
        var mapping = Self.plain
        mapping.container = name
        for member in members(of: place) {
            let child = place.child(member)
            if !run(member.key, child, &mapping) && !supervision(member.key, child, &mapping)
                && !rights(member.key, child, &mapping) && !placement(member.key, child, &mapping)
            {
                unknown(
                    member, in: place, known: Self.mappingKeys,
                    elsewhere: Self.belongs(member.key, "containers", Self.containerKeys))
            }
        }
        if case .logLine = mapping.readiness, mapping.logs == .journal {
            report(
                #""ready" waits for a line of output, and pm does not see lines that go straight to the journal"#,
                at: place,
                hint: #"write "logs": "both""#)
        }
        if case .output = mapping.live.check, mapping.logs == .journal {
            report(
                #""live" waits for output, and pm does not see what goes straight to the journal"#, at: place,
                hint: #"write "logs": "both""#)
        }
        if name != "pm", let node = place.node["apply"] {
            report(
                "only the mapping \"pm\" has this key, ignored", at: ConfigNode(node: node, key: place.key + ".apply"),
                hint: "move it to mapping.pm, where it counts for all services", severity: .warning)
        }
        checkDescriptors(of: mapping, place)
        return mapping
    }

    /// The keys about what is run; false when this is none of them.
    private mutating func run(_ key: String, _ place: ConfigNode, _ mapping: inout Mapping) -> Bool {
        let isNull = place.node.isNull
        switch key {
        case "container": if !isNull { mapping.container = filledString(place) ?? mapping.container }
        case "cwd": mapping.cwd = isNull ? nil : filledString(place)
        case "cli": mapping.cli = elements(of: place, "an array of strings").compactMap { argument($0) }
        case "config": mapping.config = isNull ? nil : place.node.value.text
        case "env": environment(place, &mapping)
        case "envFiles": mapping.envFiles = strings(place)
        default: return false
        }
        return true
    }

    /// The keys about when and where it is run; false when this is none of them.
    private mutating func supervision(_ key: String, _ place: ConfigNode, _ mapping: inout Mapping) -> Bool {
        let isNull = place.node.isNull
        switch key {
        case "autostart": mapping.isAutostart = bool(place)
        case "instances": if !isNull { mapping.instances = instances(place) }
        case "connect": mapping.connect = connectionPoints(place)
        case "restart": if !isNull { mapping.restart = restartPolicy(place) }
        case "stop": if !isNull { mapping.stop = stopSequence(place) }
        case "drain": if !isNull { mapping.drain = duration(place) ?? mapping.drain }
        case "callTimeout": if !isNull { mapping.callTimeout = duration(place) ?? mapping.callTimeout }
        case "ready": if !isNull { readiness(place, &mapping) }
        case "live": if !isNull { mapping.live = liveness(place) }
        case "on": if !isNull { mapping.hooks = hooks(place) }
        case "logs": mapping.logs = isNull ? nil : choice(place)
        case "dependencies": mapping.dependencies = dependencies(place)
        case "apply": if !isNull { mapping.apply = choice(place) ?? .manual }
        default: return false
        }
        return true
    }

    /// The keys about the process of a worker; false when this is none of them.
    private mutating func placement(_ key: String, _ place: ConfigNode, _ mapping: inout Mapping) -> Bool {
        let isNull = place.node.isNull
        switch key {
        case "pool": mapping.worker.pool = isNull ? nil : filledString(place)
        case "isolated": mapping.worker.isIsolated = bool(place)
        case "heartbeat": if !isNull { mapping.worker.heartbeat = duration(place) ?? mapping.worker.heartbeat }
        default: return false
        }
        return true
    }

    /// Names, and objects of a name and the effect when that service goes down.
    private mutating func dependencies(_ place: ConfigNode) -> [Dependency] {
        elements(of: place, "an array of strings and objects").compactMap { element in
            guard case .object = element.node.shape else { return filledString(element).map { Dependency($0) } }
            var name: String?
            var onStop = Dependency.OnStop.keep
            for member in members(of: element) {
                let child = element.child(member)
                switch member.key {
                case "name": name = filledString(child)
                case "onStop": if !child.node.isNull { onStop = choice(child) ?? .keep }
                default: unknown(member, in: element, known: Self.dependencyKeys)
                }
            }
            if element.node["name"] == nil { report(#""name" is missing"#, at: element) }
            return name.map { Dependency($0, onStop: onStop) }
        }
    }

    static let dependencyKeys = ["name", "onStop"]

    private mutating func instances(_ place: ConfigNode) -> Int {
        guard let number = scalar(place).int, (1...Mapping.mostInstances).contains(number) else {
            expected("a whole number from 1 to \(Mapping.mostInstances)", at: place)
            return 1
        }
        return number
    }

    /// One argument; a number or a boolean stands for its text.
    mutating func argument(_ place: ConfigNode) -> String? {
        switch place.node.shape {
        case .string: return string(place)
        case .number, .bool: return place.node.value.text
        case .null, .array, .object:
            expected("a string", at: place)
            return nil
        }
    }

    private mutating func connectionPoints(_ place: ConfigNode) -> [ConnectionPoint] {
        members(of: place, "an object of URLs and their options").compactMap { member in
            switch member.node.shape {
            case .null: return ConnectionPoint(url: member.key)
            case .object:
                checkScheme(member, place)
                checkCertificate(member, place)
                return ConnectionPoint(url: member.key, options: member.node.value.text)
            case .bool, .number, .string, .array:
                expected("an object of options", at: place.child(member))
                return nil
            }
        }
    }

    private static let schemes = [
        "jsonrpc+unix", "jsonrpc+unix+tls", "jsonrpc+tcp", "jsonrpc+tcp+tls", "ws", "wss", "http", "https",
    ]

    /// Warns of a point whose transport pm does not have. Words without a URL belong to other programs.
    private mutating func checkScheme(_ point: JSONNode.Member, _ place: ConfigNode) {
        guard let end = point.key.firstRange(of: "://")?.lowerBound else { return }
        let scheme = String(point.key[..<end])
        guard !Self.schemes.contains(scheme) else { return }
        report(
            "there is no transport \(scheme), so nobody can connect", at: place.child(point),
            hint: NearNames.hint(for: scheme, among: Self.schemes) ?? "the transports are \(listed(Self.schemes))",
            severity: .warning)
    }

    private static let secureSchemes = ["jsonrpc+tcp+tls://", "jsonrpc+unix+tls://", "wss://", "https://"]

    /// Warns of a point within TLS that nobody can serve.
    private mutating func checkCertificate(_ point: JSONNode.Member, _ place: ConfigNode) {
        guard Self.secureSchemes.contains(where: point.key.hasPrefix) else { return }
        let missing = ["key", "cert"].filter { point.node[$0] == nil }
        guard !missing.isEmpty else { return }
        report(
            "\(listed(missing)) is missing, so nobody can connect", at: place.child(point),
            hint: #"write "key": "FILE", "cert": "FILE" with the paths of PEM files"#, severity: .warning)
    }
}
