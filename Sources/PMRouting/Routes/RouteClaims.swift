public import PMModel

/// Which service a route of HTTP belongs to.
///
/// A route belongs to the first service that claims it: first those whose mapping lists `routes`, in the order of the
/// configuration, then the other configured ones in that order, then services that are in no configuration, in the order
/// in which they were first known. A claim that overlaps one of an earlier service is not served, whatever runs at the
/// moment: a service that has stopped keeps its claims, as long as the daemon lives.
public struct RouteClaims: Sendable {
    /// A command that wants a route.
    public struct Request: Hashable, Sendable {
        /// The command's own name.
        public var command: String
        /// The wanted pattern.
        public var pattern: RoutePattern

        /// Wants a route for a command.
        public init(_ command: String, _ pattern: RoutePattern) {
            self.command = command
            self.pattern = pattern
        }
    }

    /// Routes that a service wants, as of its last metadata.
    public struct Requests: Equatable, Sendable {
        /// The wanted routes.
        public var requests: [Request]
        /// True when it may have only routes that its mapping lists: a container of Docker.
        public var isConfined: Bool

        /// Makes requests.
        public init(_ requests: [Request], isConfined: Bool) {
            self.requests = requests
            self.isConfined = isConfined
        }
    }

    /// A service in the order of the configuration.
    public struct Entry: Equatable, Sendable {
        /// Name of the unit.
        public var unit: String
        /// The `routes` of its mapping; nil: none are listed.
        public var routes: [RoutePattern]?

        /// Makes an entry.
        public init(_ unit: String, _ routes: [RoutePattern]?) {
            self.unit = unit
            self.routes = routes
        }
    }

    /// The most routes of a service.
    public static let mostOfService = 256
    /// The most routes of all services.
    public static let most = 4096

    /// The configuration, in its order.
    public var order: [Entry] = []
    /// Wanted routes of services, those that were known first come first.
    public private(set) var known: [(unit: String, requests: Requests)] = []

    /// Nothing is claimed yet.
    public init() {}

    /// Notes what a service wants; false when that is what it wanted before.
    public mutating func note(_ requests: Requests, of unit: String) -> Bool {
        guard let place = known.firstIndex(where: { $0.unit == unit }) else {
            // Who never wanted a route is not remembered.
            guard !requests.requests.isEmpty else { return false }
            known.append((unit, requests))
            return true
        }
        guard known[place].requests != requests else { return false }
        known[place].requests = requests
        return true
    }

    /// Decides which service has which route.
    public func decide() -> RouteGrants {
        var grants = RouteGrants()
        let requests = Dictionary(known.map { ($0.unit, $0.requests) }) { first, _ in first }
        for entry in order {
            for pattern in entry.routes ?? [] { grants.reserve(pattern, for: entry.unit) }
        }
        let configured = Set(order.map(\.unit))
        for entry in order where entry.routes != nil {
            if let requests = requests[entry.unit] { grants.decide(requests, of: entry) }
        }
        for entry in order where entry.routes == nil {
            if let requests = requests[entry.unit] { grants.decide(requests, of: entry) }
        }
        for (unit, requests) in known where !configured.contains(unit) { grants.decide(requests, of: Entry(unit, nil)) }
        return grants
    }
}

/// The routes that services have, and those that they do not get.
public struct RouteGrants: Sendable {
    /// A route that a service has.
    public struct Grant: Hashable, Sendable {
        /// The service.
        public let unit: String
        /// The command; nil: the mapping lists the route, whatever command may have it.
        public let command: String?
        /// The requests.
        public let pattern: RoutePattern
    }

    /// Routes of services.
    public private(set) var grants: [Grant] = []
    /// Faults, by service.
    public private(set) var problems: [String: [String]] = [:]
    private var granted: Set<Grant> = []
    /// Grants of paths without parameters, by the path: most are such, and need not be compared with all others.
    private var fixed: [[RoutePattern.Part]: [Grant]] = [:]
    /// The other grants.
    private var open: [Grant] = []

    /// The gateway answers these itself.
    private static let own: Set<String> = ["/rpc", "/$metadata", "/openapi.json"]
    /// Limit of problems of a service that are listed; the others are counted.
    private static let mostProblems = 5

    init() {}

    /// True when a command has a route.
    public func isGranted(_ pattern: RoutePattern, to command: String, of unit: String) -> Bool {
        granted.contains(Grant(unit: unit, command: command, pattern: pattern))
    }

    /// Faults of a service's routes, in sentences.
    public func problems(of unit: String) -> [String] {
        guard let all = problems[unit], all.count > Self.mostProblems else { return problems[unit] ?? [] }
        return all.prefix(Self.mostProblems) + ["\(all.count - Self.mostProblems) more of its routes are not served"]
    }

    /// The same of all services, each with its name.
    public var allProblems: [String] {
        problems.keys.sorted().flatMap { unit in problems(of: unit).map { "\(unit): \($0)" } }
    }

    mutating func reserve(_ pattern: RoutePattern, for unit: String) {
        claim(pattern, nil, of: unit)
    }

    mutating func decide(_ requests: RouteClaims.Requests, of entry: RouteClaims.Entry) {
        for request in requests.requests.prefix(RouteClaims.mostOfService) {
            decide(request, requests.isConfined, entry)
        }
        if requests.requests.count > RouteClaims.mostOfService {
            complain(entry.unit, "it has more than \(RouteClaims.mostOfService) routes: the others are not served")
        }
    }

    private mutating func decide(_ request: RouteClaims.Request, _ isConfined: Bool, _ entry: RouteClaims.Entry) {
        if let routes = entry.routes {
            guard routes.contains(where: { $0.covers(request.pattern) }) else {
                let name = "\(request.pattern.text) of \(request.command)"
                return complain(entry.unit, "\(name) is not served: \"routes\" of the mapping does not list it")
            }
        } else if isConfined {
            return complain(
                entry.unit,
                "\(request.pattern.text) of \(request.command) is not served: a container has only the routes that \"routes\" of "
                    + "its mapping lists")
        }
        claim(request.pattern, request.command, of: entry.unit)
    }

    private mutating func claim(_ pattern: RoutePattern, _ command: String?, of unit: String) {
        let subject = command.map { "\(pattern.text) of \($0)" } ?? "\(pattern.text) of \"routes\""
        guard !Self.own.contains(pattern.path) else {
            return complain(unit, "\(subject) is not served: the path belongs to pm-gateway itself")
        }
        if let owner = owner(of: pattern, besides: unit) {
            return complain(
                unit, "\(subject) is not served: it overlaps \(owner.pattern.text), which belongs to \(owner.unit)")
        }
        guard grants.count < RouteClaims.most else {
            return complain(unit, "\(subject) is not served: all services together have \(RouteClaims.most) routes")
        }
        let grant = Grant(unit: unit, command: command, pattern: pattern)
        grants.append(grant)
        granted.insert(grant)
        if pattern.isFixed { fixed[pattern.parts, default: []].append(grant) } else { open.append(grant) }
    }

    /// The first grant of another service that the pattern overlaps.
    private func owner(of pattern: RoutePattern, besides unit: String) -> Grant? {
        let isTaken = { (grant: Grant) in grant.unit != unit && grant.pattern.overlaps(pattern) }
        if let grant = open.first(where: isTaken) { return grant }
        if pattern.isFixed { return fixed[pattern.parts]?.first(where: isTaken) }
        return grants.first { $0.pattern.isFixed && isTaken($0) }
    }

    private mutating func complain(_ unit: String, _ problem: String) {
        problems[unit, default: []].append(problem)
    }
}

extension RoutePattern {
    /// True when it is for one path alone.
    fileprivate var isFixed: Bool {
        !isPrefix && parts.allSatisfy { if case .text = $0 { true } else { false } }
    }
}
