import JSON
import PMModel

/// Deployments, jobs and services of Kubernetes.
struct KubernetesExport {
    let services: [ExportedService]
    let folder: String

    func export() -> Export {
        var export = Export()
        var documents: [JSONValue] = []
        for service in services {
            let container = ContainerExport(service: service, folder: folder)
            container.note(&export)
            note(service, &export)
            documents.append(workload(service, container))
            let ports = container.ports
            if !ports.isEmpty { documents.append(self.service(service, ports)) }
        }
        let text = documents.map(YAMLText.document).joined(separator: "---\n")
        export.files = [.init(name: "kubernetes.yaml", text: text)]
        return export
    }

    /// A name as RFC 1123 has labels: at most 63 small letters, digits and dashes.
    static func name(_ text: String) -> String {
        let mapped = text.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        let base = String(mapped.prefix(63)).split(separator: "-", omittingEmptySubsequences: true).joined(
            separator: "-")
        return base.isEmpty ? "service" : base
    }

    private func metadata(_ name: String) -> JSONValue {
        ["name": .string(name), "labels": ["app.kubernetes.io/name": .string(name)]]
    }

    private func workload(_ service: ExportedService, _ container: ContainerExport) -> JSONValue {
        let name = Self.name(service.name)
        let isJob = service.mapping.restart.condition == .never
        var pod: JSONObject = [
            "containers": [.object(self.container(service, container))],
            "terminationGracePeriodSeconds": .number(JSONNumber(seconds(service.stop.wait))),
        ]
        if isJob { pod["restartPolicy"] = "Never" }
        if let user = service.mapping.user.flatMap({ Int64($0) }) {
            pod["securityContext"] = ["runAsUser": .number(JSONNumber(user))]
        }
        let template: JSONValue = [
            "metadata": ["labels": ["app.kubernetes.io/name": .string(name)]], "spec": .object(pod),
        ]
        if isJob {
            return [
                "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata(name),
                "spec": ["backoffLimit": 0, "template": template],
            ]
        }
        return [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(name),
            "spec": [
                "replicas": JSONValue(service.mapping.instances),
                "selector": ["matchLabels": ["app.kubernetes.io/name": .string(name)]], "template": template,
            ],
        ]
    }

    private func container(_ service: ExportedService, _ container: ContainerExport) -> JSONObject {
        let texts: ([String]) -> JSONValue = { .array($0.map { .string(Self.escaped($0)) }) }
        var members: JSONObject = ["name": .string(Self.name(service.name)), "image": .string(container.image)]
        // Without a file of Docker the program is everything.
        if let entry = container.entrypoint { members["command"] = texts(entry) }
        if !container.command.isEmpty {
            members[service.container == nil ? "command" : "args"] = texts(container.command)
        }
        members["workingDir"] = container.directory.map { .string($0) }
        let variables = container.variables.map { variable in
            JSONValue.object(["name": .string(variable.name), "value": .string(Self.escaped(variable.value))])
        }
        if !variables.isEmpty { members["env"] = .array(variables) }
        let ports = container.ports.map { port -> JSONValue in
            ["containerPort": JSONValue(Int(port.inside)), "protocol": port.isUDP ? "UDP" : "TCP"]
        }
        if !ports.isEmpty { members["ports"] = .array(ports) }
        var limits = JSONObject()
        limits["memory"] = service.mapping.limits.memory.map { .string("\($0)") }
        limits["cpu"] = service.mapping.limits.cpu.map { .string("\(max(1, $0 * 1000 / Limits.cpuPeriod))m") }
        if !limits.isEmpty { members["resources"] = ["limits": .object(limits)] }
        addProbes(service.mapping, &members)
        return members
    }

    /// Kubernetes replaces `$(NAME)`.
    private static func escaped(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            result.append(character)
            if character == "$", rest.hasPrefix("(") { result.append("$") }
        }
        return result
    }

    private func addProbes(_ mapping: Mapping, _ members: inout JSONObject) {
        if let handler = mapping.readiness.flatMap(handler) {
            let period = 1, deadline = mapping.readyDeadline > .zero ? seconds(mapping.readyDeadline) : 60
            var startup = handler
            startup["periodSeconds"] = JSONValue(period)
            startup["failureThreshold"] = .number(JSONNumber(deadline))
            members["startupProbe"] = .object(startup)
            members["readinessProbe"] = .object(handler)
        }
        let check: ReadinessCheck? =
            switch mapping.live.check {
            case .tcp(let host, let port): .tcp(host: host, port: port)
            case .http(let url): .http(url: url)
            case .exec(let words): .exec(words)
            case .none, .rpc, .output, .probe: nil
            }
        guard var probe = check.flatMap(handler) else { return }
        probe["periodSeconds"] = .number(JSONNumber(seconds(mapping.live.interval)))
        probe["timeoutSeconds"] = .number(JSONNumber(seconds(mapping.live.timeout)))
        probe["failureThreshold"] = JSONValue(max(1, mapping.live.retries))
        members["livenessProbe"] = .object(probe)
    }

    private func handler(_ check: ReadinessCheck) -> JSONObject? {
        switch check {
        case .tcp(_, let port): return ["tcpSocket": ["port": JSONValue(Int(port))]]
        case .exec(let words): return ["exec": ["command": .array(words.map { .string($0) })]]
        case .http(let url):
            guard let rest = url.parts(at: "/")?.after.dropFirst() else { return nil }
            let authority = rest.prefix { $0 != "/" }
            let path = rest.dropFirst(authority.count)
            let port = authority.lastIndex(of: ":").flatMap { UInt16(authority[authority.index(after: $0)...]) } ?? 80
            return ["httpGet": ["path": .string(path.isEmpty ? "/" : String(path)), "port": JSONValue(Int(port))]]
        case .started, .rpc, .ipc, .notify, .descriptor, .logLine, .probe: return nil
        }
    }

    private func service(
        _ service: ExportedService, _ ports: [(address: String, outside: UInt16?, inside: UInt16, isUDP: Bool)]
    ) -> JSONValue {
        let name = Self.name(service.name)
        let entries = ports.enumerated().map { index, port -> JSONValue in
            [
                "name": .string("port-\(index + 1)"), "port": JSONValue(Int(port.outside ?? port.inside)),
                "targetPort": JSONValue(Int(port.inside)), "protocol": port.isUDP ? "UDP" : "TCP",
            ]
        }
        return [
            "apiVersion": "v1", "kind": "Service", "metadata": metadata(name),
            "spec": ["selector": ["app.kubernetes.io/name": .string(name)], "ports": .array(entries)],
        ]
    }

    private func note(_ service: ExportedService, _ export: inout Export) {
        let mapping = service.mapping
        if service.container == nil {
            export.missing(service, "path", "build an image with the project in \(ContainerExport.place)")
        }
        if !mapping.envFiles.isEmpty {
            export.missing(service, "envFiles", "kubectl create configmap NAME --from-env-file FILE, and envFrom")
        }
        if service.container?["volumes"] != nil { export.missing(service, "volumes", "a PersistentVolumeClaim") }
        if mapping.restart.condition == .onFailure {
            export.missing(service, "restart", "a Deployment restarts always")
        }
        if service.stop.signal != 15 { export.missing(service, "stop.signal", "STOPSIGNAL in the image") }
        if let user = mapping.user, Int64(user) == nil { export.missing(service, "user", "a number in runAsUser") }
        if !service.dependencies.isEmpty { export.missing(service, "dependencies", "an init container that waits") }
        let isSeen = mapping.readiness.map { [.started].contains($0) || handler($0) != nil } ?? true
        if !isSeen { export.missing(service, "ready", "readinessProbe with http, tcp or exec") }
        if mapping.limits.pids != nil || mapping.limits.openFiles != nil {
            export.missing(service, "limits", "only memory and cpu are limits of a pod")
        }
    }
}
