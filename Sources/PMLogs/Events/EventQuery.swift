import PMModel

/// Which events are wanted, decided by the first members of their lines.
public struct EventQuery: Sendable {
    private let names: [String]
    private let kinds: Set<String>
    private let since: String?
    private let until: String?
    private let after: UInt64

    /// Takes names or patterns with `*` as JSON writes them (none: all), kinds (none: all), times as the lines have them and the
    /// number after which events are wanted.
    public init(
        names: [String], kinds: [String], times: (since: String?, until: String?) = (nil, nil), after: UInt64 = 0
    ) {
        self.names = names
        self.kinds = Set(kinds)
        (since, until) = times
        self.after = after
    }

    /// True when an event is wanted.
    public func accepts(_ line: EventLine) -> Bool {
        guard line.seq > after, since.map({ line.at >= $0 }) ?? true, until.map({ line.at <= $0 }) ?? true else {
            return false
        }
        guard kinds.isEmpty || kinds.contains(line.kind) else { return false }
        return names.isEmpty || names.contains { Self.matches($0, line.service) }
    }

    /// A name means its instances too.
    private static func matches(_ name: String, _ service: String) -> Bool {
        guard !service.isEmpty else { return false }
        return StarPattern.matches(name, service) || InstanceName(service).map { $0.unit == name } ?? false
    }
}
