/// Why no order of starting exists.
public enum StartOrderError: Error, Equatable, CustomStringConvertible {
    /// A unit or dependency that does not exist.
    public struct Missing: Equatable, Sendable {
        /// The unit that needs them; nil: they were asked for by name.
        public var dependent: String?
        /// The names that do not exist, in the order they were given.
        public var names: [String]

        /// Makes one unit's list of missing names.
        public init(dependent: String?, names: [String]) {
            self.dependent = dependent
            self.names = names
        }
    }

    /// Names that do not exist, all of them, one entry for each unit that needs some.
    case missing([Missing])
    /// Units that need each other; the last name is the first one again.
    case cycle([String])

    /// The whole message, for people.
    public var description: String {
        switch self {
        case .cycle(let names): "Circular dependency detected: " + names.joined(separator: " -> ")
        case .missing(let missing): missing.map(Self.describe).joined(separator: "; ")
        }
    }

    private static func describe(_ missing: Missing) -> String {
        let names = missing.names.joined(separator: ", ")
        let verb = missing.names.count == 1 ? "does not exist" : "do not exist"
        guard let dependent = missing.dependent else { return "\(names) \(verb)" }
        return "\(dependent) depends on \(names), which \(verb)"
    }
}

/// The order in which units are started, and in reverse stopped: each after all that it depends on.
///
/// Linear in the number of units and dependencies; equal input gives equal output, whatever the order it comes in.
public struct StartOrder: Equatable, Sendable {
    /// The units, level by level, each level sorted by name; those of one level do not need each other.
    public let levels: [[String]]
    private let nodes: [String: Node]

    private struct Node: Equatable, Sendable {
        var level: Int
        var dependencies: [String]
        var dependents: [String]
    }

    /// Orders some units and all that they need, directly or not, and nothing else.
    ///
    /// `dependencies` gives what a unit needs, nil where there is no such unit. Throws where some do not exist or need
    /// each other.
    public init(starting names: [String], dependencies: (String) -> [String]?) throws(StartOrderError) {
        let graph = try DependencyGraph(roots: names, dependencies: dependencies)
        let depths = try graph.depths()
        let dependents = graph.dependents()
        var levels = [[String]](repeating: [], count: (depths.max() ?? -1) + 1)
        var nodes: [String: Node] = [:]
        nodes.reserveCapacity(graph.names.count)
        for (index, name) in graph.names.enumerated() {
            levels[depths[index]].append(name)
            nodes[name] = Node(
                level: depths[index], dependencies: graph.edges[index].map { graph.names[$0] },
                dependents: dependents[index].map { graph.names[$0] })
        }
        self.levels = levels.map { $0.sorted() }
        self.nodes = nodes
    }

    /// Orders all units of a configuration. Throws where some do not exist or need each other.
    public init(_ dependencies: [String: [String]]) throws(StartOrderError) {
        try self.init(starting: dependencies.keys.sorted()) { dependencies[$0] }
    }

    /// The number of units.
    public var count: Int { nodes.count }

    /// The levels in the order of stopping: each unit before all that it depends on.
    public var stopLevels: [[String]] { levels.reversed() }

    /// The units, each after all that it depends on.
    public var names: [String] { Array(levels.joined()) }

    /// True when the unit is part of the order.
    public func contains(_ name: String) -> Bool { nodes[name] != nil }

    /// Direct dependencies of the unit, without repetitions; empty for one that is not part of the order.
    public func dependencies(of name: String) -> [String] { nodes[name]?.dependencies ?? [] }

    /// The units of the order that need this one directly, sorted by name.
    public func dependents(of name: String) -> [String] { nodes[name]?.dependents ?? [] }

    /// The number by which pm-init stops units on its own: higher ones first, so a unit's is above all it needs.
    public func stopOrder(of name: String) -> UInt32 { UInt32(clamping: nodes[name]?.level ?? 0) }
}
