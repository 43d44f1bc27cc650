internal import JSON
internal import PMModel

/// Warnings about services that can be read but not run as the file says.
extension ConfigReader {
    /// Warns of services that need each other, and of several instances of a service that may have one.
    mutating func checkServices(_ configuration: Configuration, _ root: ConfigNode) {
        for member in root.node["mapping"]?.members ?? [] {
            guard let instances = member.node["instances"], let service = configuration.unit(member.key) else {
                continue
            }
            guard service.mapping.instances > 1, !service.definition.isStateless, service.definition.runtime != .docker
            else { continue }
            let hint = "\"stateless\": true in containers.\(service.mapping.container)"
            report(
                "only a stateless service may have several instances",
                at: ConfigNode(node: instances, key: "mapping.\(member.key).instances"),
                hint: "write \(hint) if each instance can serve each request", severity: .warning)
        }
        // Each costs a search for its place in the file.
        for cycle in Self.cycles(in: configuration).prefix(10) {
            guard let first = cycle.first, let place = dependencies(of: first, configuration, root) else { continue }
            report(
                "Circular dependency detected: " + (cycle + [first]).joined(separator: " -> "), at: place,
                hint: "none of these services can start; remove one of the dependencies", severity: .warning)
        }
    }

    private func dependencies(of service: String, _ configuration: Configuration, _ root: ConfigNode) -> ConfigNode? {
        let container = configuration.unit(service)?.mapping.container ?? service
        return node("mapping", service, "dependencies", root) ?? node("containers", container, "dependencies", root)
    }

    private func node(_ section: String, _ name: String, _ key: String, _ root: ConfigNode) -> ConfigNode? {
        root.node[section]?[name]?[key].map { ConfigNode(node: $0, key: "\(section).\(name).\(key)") }
    }

    /// The services that lead back to where they began, by what each depends on. The depth comes from the file, so that
    /// this walks with a list of its own and not by recursion.
    static func cycles(in configuration: Configuration) -> [[String]] {
        let depends = configuration.containers.contains { !$0.value.dependencies.isEmpty }
        guard depends || configuration.mappings.contains(where: { !$0.value.dependencies.isEmpty }) else { return [] }
        var walk = DependencyWalk()
        for name in configuration.unitNames {
            walk.visit(name) { name in
                guard let service = configuration.unit(name) else { return [] }
                let names = service.definition.dependencies + service.mapping.dependencies.map(\.name)
                return names.compactMap(configuration.fullName)
            }
        }
        return walk.cycles
    }
}

/// A walk in depth along dependencies.
private struct DependencyWalk {
    /// The cycles, each as the names on its way.
    private(set) var cycles: [[String]] = []
    private var isDone: Set<String> = []
    private var path: [(name: String, ahead: [String])] = []
    private var depths: [String: Int] = [:]

    mutating func visit(_ name: String, _ dependencies: (String) -> [String]) {
        guard !isDone.contains(name) else { return }
        push(name, dependencies)
        while let last = path.indices.last {
            guard let next = path[last].ahead.popLast() else {
                isDone.insert(path[last].name)
                depths[path[last].name] = nil
                path.removeLast()
                continue
            }
            if let depth = depths[next] {
                cycles.append(path[depth...].map(\.name))
            } else if !isDone.contains(next) {
                push(next, dependencies)
            }
        }
    }

    private mutating func push(_ name: String, _ dependencies: (String) -> [String]) {
        depths[name] = path.count
        path.append((name, dependencies(name).reversed()))
    }
}
