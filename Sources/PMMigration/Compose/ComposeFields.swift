import JSON
import PMModel

extension ComposeService {
    // MARK: when it starts and stops

    mutating func answerPolicy(_ key: String, _ value: YAMLNode) -> Bool {
        switch key {
        case "restart": answerRestart(value.text ?? "")
        case "depends_on": answerDependencies(value)
        case "stop_signal":
            guard let signal = value.text.flatMap(SignalName.number) else {
                draft.wrong(key, "a signal")
                break
            }
            let wait = draft.mapping.stop.steps.first?.wait ?? .seconds(10)
            draft.mapping.stop = StopSequence(steps: [StopStep(signal: signal, wait: wait)])
            draft.became(key, "stop.signal")
        case "stop_grace_period":
            guard let time = value.text.flatMap({ CompoundDuration.parse($0, unit: "s") }) else {
                draft.wrong(key, "a time")
                break
            }
            let signal = draft.mapping.stop.steps.first?.signal ?? 15
            draft.mapping.stop = StopSequence(steps: [StopStep(signal: signal, wait: time)])
            draft.became(key, "stop.wait")
        case "healthcheck": answerHealth(value)
        case "scale": answerCount(key, value)
        default: return false
        }
        return true
    }

    private mutating func answerRestart(_ text: String) {
        switch text.prefix(while: { $0 != ":" }) {
        case "no": draft.became("restart", "restart: \"never\"")
        case "always", "unless-stopped":
            draft.mapping.restart.condition = .always
            draft.mapping.isAutostart = true
            draft.became("restart", "restart: \"always\", autostart")
        case "on-failure":
            draft.mapping.restart.condition = .onFailure
            if let count = text.parts(at: ":").flatMap({ Int($0.after) }), count > 0 {
                draft.mapping.restart.limit = min(count, RestartPolicy.largestLimit)
            }
            draft.became("restart", "restart: \"on-failure\"")
        default: draft.wrong("restart", "a policy of Compose")
        }
    }

    private mutating func answerDependencies(_ value: YAMLNode) {
        for text in value.elements?.compactMap(\.text) ?? [] { draft.mapping.dependencies.append(Dependency(text)) }
        for member in value.members ?? [] {
            let restarts = member.value["restart"]?.bool == true
            draft.mapping.dependencies.append(Dependency(member.key, onStop: restarts ? .restart : .keep))
            if member.value["condition"]?.text == "service_completed_successfully" {
                draft.missing("depends_on \(member.key)", "pm waits until it is ready, not until it has ended")
            }
        }
        draft.became("depends_on", "dependencies; pm waits until they are ready")
    }

    /// pm cannot run a program in a container; a check of the image's own is the engine's.
    private mutating func answerHealth(_ value: YAMLNode) {
        let test = value["test"].map { $0.elements?.compactMap(\.text) ?? [$0.text ?? ""] } ?? []
        let words = test.joined(separator: " ").split { " '\"|".contains($0) }
        let url = words.first { $0.hasPrefix("http://localhost") || $0.hasPrefix("http://127.0.0.1") }
        if value["disable"]?.bool == true || test.first == "NONE" {
            return draft.needless("healthcheck", "pm checks what \"live\" says")
        }
        let advice = "\"live\": {\"http\": \"\(url ?? "http://127.0.0.1:PORT/")\"} with a published port"
        draft.missing("healthcheck", advice + "; or HEALTHCHECK in the image")
    }

    private mutating func answerCount(_ key: String, _ value: YAMLNode) {
        guard let count = value.text.flatMap({ Int($0) }), count >= 1 else {
            return draft.wrong(key, "a number above 0")
        }
        draft.mapping.instances = min(count, Mapping.mostInstances)
        if count > 1 { draft.service.definition.isStateless = true }
        draft.became(key, count > 1 ? "instances, stateless" : "instances")
    }

    // MARK: limits

    mutating func answerLimit(_ key: String, _ value: YAMLNode) -> Bool {
        switch key {
        case "mem_limit", "cpus", "pids_limit", "oom_score_adj": limit(key, key, value)
        case "deploy": answerDeploy(value)
        case "ulimits":
            for member in value.members ?? [] {
                let text = member.value.text ?? member.value["soft"]?.text
                guard member.key == "nofile", let count = text.flatMap({ Int($0) }),
                    (Limits.leastOpenFiles...Limits.mostOpenFiles).contains(count)
                else {
                    draft.missing(
                        "ulimits.\(member.key)", "\"hostConfig\": {\"Ulimits\": [...]} in the container's file")
                    continue
                }
                draft.mapping.limits.openFiles = count
                draft.became("ulimits.nofile", "limits.nofile")
            }
        default: return false
        }
        return true
    }

    private mutating func limit(_ kind: String, _ field: String, _ value: YAMLNode) {
        let text = value.text ?? ""
        switch kind {
        case "mem_limit":
            guard let size = SizeText.parse(text), size >= Limits.leastMemory else {
                return draft.wrong(field, "a size of 1M or more")
            }
            draft.mapping.limits.memory = size
            draft.became(field, "limits.memory")
        case "cpus":
            guard let count = Double(text), count >= 0.01, count <= 1024 else { return draft.wrong(field, "a number") }
            // bounded: by the comparison.
            draft.mapping.limits.cpu = Int(count * Double(Limits.cpuPeriod))
            draft.became(field, "limits.cpu")
        case "pids_limit":
            guard let count = Int(text), (1...Limits.mostPids).contains(count) else {
                return draft.wrong(field, "a number above 0")
            }
            draft.mapping.limits.pids = count
            draft.became(field, "limits.pids")
        default:
            guard let score = Int32(text), (-1000...1000).contains(score) else { return draft.wrong(field, "a number") }
            draft.mapping.limits.oomScoreAdjust = score
            draft.became(field, "limits.oomScoreAdjust")
        }
    }

    private mutating func answerDeploy(_ value: YAMLNode) {
        for member in value.members ?? [] {
            let field = "deploy.\(member.key)"
            switch member.key {
            case "replicas": answerCount(field, member.value)
            case "resources":
                for limit in member.value["limits"]?.members ?? [] {
                    let kinds = ["memory": "mem_limit", "cpus": "cpus", "pids": "pids_limit"]
                    guard let kind = kinds[limit.key] else {
                        draft.missing("\(field).limits.\(limit.key)", "pm has no such limit")
                        continue
                    }
                    self.limit(kind, "\(field).limits.\(limit.key)", limit.value)
                }
                if member.value["reservations"] != nil {
                    draft.missing("\(field).reservations", "pm reserves nothing")
                }
            case "restart_policy":
                let conditions = ["none": "no", "on-failure": "on-failure", "any": "always"]
                answerRestart(conditions[member.value["condition"]?.text ?? "any"] ?? "")
            default: draft.missing(field, "for Swarm; pm runs services on one machine")
            }
        }
    }

    // MARK: members of the engine's own configuration

    mutating func answerHost(_ key: String, _ value: YAMLNode) -> Bool {
        let lists = [
            "cap_add": "CapAdd", "cap_drop": "CapDrop", "dns": "Dns", "dns_search": "DnsSearch",
            "dns_opt": "DnsOptions",
            "security_opt": "SecurityOpt", "group_add": "GroupAdd",
        ]
        if let name = lists[key] {
            host[name] = .array(Self.texts(value).map { .string($0) })
        } else if key == "extra_hosts" {
            let hosts = Self.pairs(value).map { pair in pair.value.map { "\(pair.name):\($0)" } ?? pair.name }
            host["ExtraHosts"] = .array(hosts.map { .string($0) })
        } else if key == "privileged" {
            if value.bool == true { host["Privileged"] = true }
        } else if key == "shm_size", let size = value.text.flatMap(SizeText.parse) {
            host["ShmSize"] = .number(JSONNumber(size))
        } else if key == "tmpfs" {
            let mounts = Self.texts(value).map { text in text.parts(at: ":") ?? (text, "") }
            host["Tmpfs"] = .object(JSONObject(mounts.map { ($0.before, JSONValue.string($0.after)) }))
        } else if key == "sysctls" {
            let pairs = Self.pairs(value).map { ($0.name, JSONValue.string($0.value ?? "")) }
            host["Sysctls"] = .object(JSONObject(pairs))
        } else if ["ipc", "pid", "cgroup_parent", "runtime"].contains(key), let text = value.text {
            let names = ["ipc": "IpcMode", "pid": "PidMode", "cgroup_parent": "CgroupParent", "runtime": "Runtime"]
            host[names[key] ?? key] = .string(text)
        } else {
            return false
        }
        draft.became(key, "hostConfig in \(draft.name).docker.json")
        return true
    }

    // MARK: the others

    mutating func answerOther(_ key: String) {
        switch key {
        case "container_name": draft.needless(key, "the name of the mapping is the name of the service")
        case "logging": draft.needless(key, "pm log NAME shows its output; \"logs\" chooses the place")
        case "expose": draft.needless(key, "it only documents")
        case "attach", "annotations": draft.needless(key, "pm log NAME shows its output")
        case "profiles": draft.missing(key, "one configuration for each, with --config FILE")
        case "extends": draft.missing(key, "copy the other service's fields")
        case "secrets", "configs": draft.missing(key, "mount the file as a volume")
        case "tty", "stdin_open": draft.missing(key, "services have no terminal")
        case "hostname", "domainname", "mac_address": draft.missing(key, "the engine gives the container a name")
        case "links", "external_links", "volumes_from": draft.missing(key, "name the volume or the port instead")
        case "platform": draft.missing(key, "an image for this machine")
        case "develop": draft.missing(key, "pm does not watch files")
        case "devices", "gpus": draft.missing(key, "\"hostConfig\": {\"Devices\": [...]} in \(draft.name).docker.json")
        case "post_start", "pre_stop": draft.missing(key, "in the entry point of the image")
        default: draft.missing(key, "pm has no such field")
        }
    }
}
