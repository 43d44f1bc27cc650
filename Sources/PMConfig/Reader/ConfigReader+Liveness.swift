internal import JSON
internal import PMModel

/// The checks that need no further words.
private enum PlainLiveness: String, CaseIterable {
    case rpc, none

    var check: LivenessCheck {
        switch self {
        case .rpc: .rpc
        case .none: .none
        }
    }
}

extension ConfigReader {
    static let livenessWords = PlainLiveness.allCases.map { JSONValue.string($0.rawValue) }
    static let livenessChecks = ["check", "http", "tcp", "exec", "noOutputFor", "probe"]
    static let livenessTimes = ["interval", "timeout", "retries", "startPeriod", "action"]

    /// `"rpc"`, `"none"`, or an object with one check, its times and what follows.
    mutating func liveness(_ place: ConfigNode) -> LivenessPolicy {
        guard case .object = place.node.shape else {
            let plain: PlainLiveness? = choice(place)
            return LivenessPolicy(check: plain?.check ?? .rpc)
        }
        let members = members(of: place)
        var checks: [LivenessCheck?] = []
        for member in members where Self.livenessChecks.contains(member.key) {
            checks.append(livenessCheck(member.key, place.child(member)))
        }
        if checks.count != 1 { report("exactly one of \(listed(Self.livenessChecks)) must be given", at: place) }
        var policy = LivenessPolicy(check: checks.first.flatMap { $0 } ?? .rpc)
        for member in members where !Self.livenessChecks.contains(member.key) {
            let child = place.child(member)
            guard Self.livenessTimes.contains(member.key) else {
                unknown(member, in: place, known: Self.livenessChecks + Self.livenessTimes)
                continue
            }
            if case .output = policy.check, ["interval", "timeout", "retries"].contains(member.key) {
                report(#"has no effect beside "noOutputFor""#, at: child)
            }
            livenessTime(member.key, child, &policy)
        }
        return policy
    }

    private mutating func livenessCheck(_ key: String, _ place: ConfigNode) -> LivenessCheck? {
        switch key {
        case "http": return httpURL(place).flatMap { LivenessCheck($0) }
        case "tcp": return address(place).flatMap { LivenessCheck($0) }
        case "exec": return program(place).map { .exec($0) }
        case "noOutputFor": return time(place).map { .output(within: $0) }
        case "probe": return probe(place).map { .probe($0) }
        default:
            let plain: PlainLiveness? = choice(place)
            return plain?.check
        }
    }

    private mutating func livenessTime(_ key: String, _ place: ConfigNode, _ policy: inout LivenessPolicy) {
        switch key {
        case "interval": policy.interval = time(place) ?? policy.interval
        case "timeout": policy.timeout = time(place) ?? policy.timeout
        case "startPeriod": policy.startPeriod = duration(place) ?? policy.startPeriod
        case "retries":
            guard let number = scalar(place).int, (1...1000).contains(number) else {
                return expected("a whole number from 1 to 1000", at: place)
            }
            policy.retries = number
        default: policy.action = choice(place) ?? policy.action
        }
    }

    private mutating func time(_ place: ConfigNode) -> Duration? {
        guard let time = duration(place) else { return nil }
        if time == .zero { report("must be longer than 0", at: place) }
        return time
    }
}

extension LivenessCheck {
    /// The same check of readiness, where liveness has it too.
    fileprivate init?(_ check: ReadinessCheck) {
        switch check {
        case .http(let url): self = .http(url: url)
        case .tcp(let host, let port): self = .tcp(host: host, port: port)
        case .started, .rpc, .ipc, .notify, .descriptor, .exec, .logLine, .probe: return nil
        }
    }
}
