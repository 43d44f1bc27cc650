internal import JSON
internal import PMModel

extension ConfigReader {
    static let restartKeys = ["policy", "delay", "maxDelay", "resetAfter", "limit", "window", "coolingDelay"]

    static let stopKeys = ["signal", "wait"]

    /// `"always"`, or an object with `policy` and how fast.
    mutating func restartPolicy(_ place: ConfigNode) -> RestartPolicy {
        var policy = RestartPolicy()
        guard case .object = place.node.shape else {
            if let condition = condition(place) { policy.condition = condition }
            return policy
        }
        var given: [String: Duration] = [:]
        for member in members(of: place) {
            let child = place.child(member)
            switch member.key {
            case "policy": if let condition = condition(child) { policy.condition = condition }
            case "limit": policy.limit = limit(child) ?? policy.limit
            case "delay", "maxDelay", "resetAfter", "window", "coolingDelay": given[member.key] = duration(child)
            default: unknown(member, in: place, known: Self.restartKeys)
            }
        }
        policy.resetAfter = given["resetAfter"] ?? policy.resetAfter
        policy.window = given["window"] ?? policy.window
        policy.coolingDelay = given["coolingDelay"] ?? policy.coolingDelay
        delays(given["delay"], given["maxDelay"], place, &policy)
        return policy
    }

    private mutating func condition(_ place: ConfigNode) -> RestartPolicy.Condition? { choice(place) }

    /// One delay alone moves the default of the other out of its way; two that contradict each other are an error.
    private mutating func delays(
        _ delay: Duration?, _ maxDelay: Duration?, _ place: ConfigNode, _ policy: inout RestartPolicy
    ) {
        if let delay, let maxDelay, delay > maxDelay {
            report(#""delay" is longer than "maxDelay""#, at: place)
        }
        policy.maxDelay = maxDelay ?? max(policy.maxDelay, delay ?? .zero)
        policy.delay = delay ?? min(policy.delay, policy.maxDelay)
    }

    private mutating func limit(_ place: ConfigNode) -> Int? {
        let largest = RestartPolicy.largestLimit
        if let limit = scalar(place).int, (0...largest).contains(limit) { return limit }
        expected("a whole number from 0 (no limit) to \(largest)", at: place)
        return nil
    }

    /// `{"signal": "SIGTERM", "wait": "10s"}`, or a list of such.
    mutating func stopSequence(_ place: ConfigNode) -> StopSequence {
        switch place.node.shape {
        case .array: return StopSequence(steps: place.node.elements.indices.compactMap { stopStep(place.child($0)) })
        case .object: return StopSequence(steps: [stopStep(place)].compactMap { $0 })
        case .null, .bool, .number, .string:
            expected(#"{"signal": …, "wait": …} or a list of these"#, at: place)
            return StopSequence()
        }
    }

    private mutating func stopStep(_ place: ConfigNode) -> StopStep? {
        guard case .object = place.node.shape else {
            expected(#"{"signal": …, "wait": …}"#, at: place)
            return nil
        }
        var step = StopStep(signal: 15, wait: .seconds(10))
        for member in members(of: place) {
            let child = place.child(member)
            switch member.key {
            case "signal": step.signal = signal(child) ?? step.signal
            case "wait": step.wait = duration(child) ?? step.wait
            default: unknown(member, in: place, known: Self.stopKeys)
            }
        }
        return step
    }

    private mutating func signal(_ place: ConfigNode) -> Int32? {
        let number: Int32? =
            switch place.node.shape {
            case .string(let text): SignalName.number(of: text)
            case .number(let number): number.int.flatMap { SignalName.number(of: "\($0)") }
            case .null, .bool, .array, .object: nil
            }
        if number == nil { expected(SignalName.expectation, at: place) }
        return number
    }
}
