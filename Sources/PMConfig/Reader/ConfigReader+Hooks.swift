internal import JSON
internal import PMModel

extension ConfigReader {
    static let hookKeys = ["exec", "call", "timeout"]

    /// An object of triggers, each with a program and its arguments, an object, or a list of objects.
    mutating func hooks(_ place: ConfigNode) -> Hooks {
        var hooks = Hooks()
        for member in members(of: place, "an object of events and what they run") {
            let child = place.child(member)
            guard let trigger = HookTrigger(rawValue: member.key) else {
                unknown(member, in: place, known: HookTrigger.allCases.map(\.rawValue))
                continue
            }
            if !child.node.value.isNull { hooks.of[trigger] = hookList(child) }
        }
        return hooks
    }

    private mutating func hookList(_ place: ConfigNode) -> [Hook] {
        guard case .array(let nodes) = place.node.value, case .object? = nodes.first else {
            return hook(place).map { [$0] } ?? []
        }
        let places = elements(of: place, "a list of hooks")
        if places.count > Hook.mostOfTrigger { report("must be at most \(Hook.mostOfTrigger) hooks", at: place) }
        return places.compactMap { hook($0) }
    }

    private mutating func hook(_ place: ConfigNode) -> Hook? {
        guard case .object = place.node.value else { return program(place).map { Hook(.program($0)) } }
        var actions: [Hook.Action?] = []
        var timeout = Hook.usualTimeout
        for member in members(of: place) {
            let child = place.child(member)
            switch member.key {
            case "exec": actions.append(program(child).map { .program($0) })
            case "call": actions.append(command(child).map { .call($0) })
            case "timeout": if !child.node.value.isNull { timeout = hookTimeout(child) ?? timeout }
            default: unknown(member, in: place, known: Self.hookKeys)
            }
        }
        if actions.count != 1 { report(#"exactly one of "exec" and "call" must be given"#, at: place) }
        return actions.first.flatMap { $0 }.map { Hook($0, timeout: timeout) }
    }

    private mutating func command(_ place: ConfigNode) -> String? {
        guard let text = filledString(place) else { return nil }
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) { return text }
        expected(#"a command of a service, "pager.page" for example"#, at: place)
        return nil
    }

    private mutating func hookTimeout(_ place: ConfigNode) -> Duration? {
        guard let time = duration(place) else { return nil }
        if time > .zero, time <= Hook.longestTimeout { return time }
        report("must be longer than 0, and at most \(Hook.longestTimeout.shortForm)", at: place)
        return nil
    }
}
