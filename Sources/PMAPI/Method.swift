public import JSON

/// Each method that the daemon answers itself, by its name on the wire; `SERVICE.COMMAND` is routed to the service.
public enum Method: String, Sendable, CaseIterable {
    /// Starts a service and what it depends on.
    case start
    /// Stops one service, or all of them and then the daemon.
    case stop
    /// Stops a service and starts it again.
    case restart
    /// Starts the daemon's program again.
    case upgrade
    /// Tells what is wanted, what runs and what died.
    case status
    /// The registered definitions.
    case list = "ls"
    /// Registers a definition.
    case map
    /// Removes a service from the configuration.
    case unmap
    /// Gives a service another name.
    case rename
    /// Registers what a package offers.
    case discover
    /// Connection points of a service.
    case connect
    /// Output of services, as a stream.
    case log
    /// What happened to services and to the daemon, as a stream.
    case events
    /// Version, process and configuration of the daemon.
    case version
    /// A random name.
    case name
    /// A service says that it serves.
    case ready
    /// Leads a connection on to a service.
    case proxy
    /// Brings the other end of a bridge.
    case bridge
    /// Takes from a connection the right to do more than to call services.
    case confine
    /// Makes a connection of the gateway one of a client.
    case clientSession = "session"
    /// The number of instances of a service.
    case scale
    /// Services that run follow the configuration.
    case apply
    /// Tells what would run as a service, and what decided each part.
    case explain
    /// A service reads its commands again.
    case reloadMetadata = "reload-metadata"
    /// `pm` has changed packages.
    case installed
    /// The plugins, and what they offer.
    case plugins
    /// The commands of the daemon and of the services.
    case metadata = "$metadata"
}

extension Method {
    /// True when a confined connection may call it: such a connection calls services, and asks for their names and
    /// commands.
    public var isForConfined: Bool {
        switch self {
        case .ready, .metadata, .name, .version, .proxy, .bridge, .confine: true
        case .start, .stop, .restart, .upgrade, .status, .list, .map, .unmap, .rename, .discover, .connect, .log,
            .events, .clientSession, .scale, .apply, .explain, .reloadMetadata, .plugins, .installed:
            false
        }
    }

    /// True when a stopping daemon refuses it, because its effect would be lost, or it would start a service that is
    /// never stopped.
    public var needsFuture: Bool {
        switch self {
        case .start, .restart, .upgrade, .map, .unmap, .rename, .discover, .connect, .scale, .apply: true
        case .stop, .status, .list, .log, .events, .version, .name, .ready, .proxy, .bridge, .confine, .clientSession,
            .explain, .reloadMetadata, .plugins, .installed, .metadata:
            false
        }
    }

    /// The place of the parameter with the name of a service, or with a list of names; nil: there is none.
    public var servicePlace: Int? {
        switch self {
        case .start, .stop, .restart, .status, .connect, .log, .events, .proxy, .scale, .reloadMetadata, .unmap,
            .rename, .apply, .explain:
            0
        case .metadata: 1
        case .upgrade, .list, .map, .discover, .version, .name, .ready, .bridge, .confine, .clientSession,
            .plugins, .installed:
            nil
        }
    }

    /// True when it reads or changes the configuration, so that it waits until a file that has changed was read. Those that
    /// change what their connection is must not wait: the next request on it depends on that.
    public var readsConfiguration: Bool {
        switch self {
        case .start, .stop, .restart, .upgrade, .status, .list, .map, .unmap, .rename, .discover, .connect, .log,
            .scale, .apply, .explain, .reloadMetadata, .plugins, .metadata:
            true
        case .events, .version, .name, .ready, .proxy, .bridge, .confine, .clientSession, .installed: false
        }
    }

    /// True when pm-init has to do work for it.
    public var isOrder: Bool {
        switch self {
        case .start, .stop, .restart, .apply: true
        case .upgrade, .status, .list, .map, .unmap, .rename, .discover, .connect, .log, .events, .version, .name,
            .ready, .proxy, .bridge, .confine, .clientSession, .scale, .explain, .reloadMetadata, .plugins, .installed,
            .metadata:
            false
        }
    }
}

/// A value with a place on the wire.
public protocol WireValue: Sendable {
    /// Reads the value; throws a 502 `APIError` when the JSON has another shape.
    init(json: JSONValue) throws(APIError)
    /// The value as the wire carries it.
    var json: JSONValue { get }
}

/// One call of the daemon: what it takes, and what it answers.
public protocol DaemonCall: Sendable {
    /// The type of the daemon's answer.
    associatedtype Answer: WireValue
    /// The method's name on the wire.
    static var method: Method { get }
    /// Reads the parameters as clients send them; throws a 400 `APIError` that says which one is wrong.
    init(_ parameters: Parameters) throws(APIError)
    /// The parameters as our own clients send them.
    var params: JSONValue { get }
    /// Name, usage and options for command lines of clients.
    static var description: CommandDescription { get }
    /// True when the call changes nothing, so that a client may repeat it when its answer is lost.
    static var isQuestion: Bool { get }
}

extension DaemonCall {
    /// Most calls change something.
    public static var isQuestion: Bool { false }
}

/// The answer of a call that has nothing to say: `error: null` on the wire.
public struct Nothing: WireValue, Equatable {
    /// Makes nothing.
    public init() {}
    /// Whatever came is ignored.
    public init(json: JSONValue) {}
    /// `null`.
    public var json: JSONValue { .null }
}

extension JSONValue: WireValue {
    /// Any JSON stands for itself.
    public init(json: JSONValue) { self = json }
    /// The value itself.
    public var json: JSONValue { self }
}

extension String: WireValue {
    /// Reads a string; throws when the answer is something else.
    public init(json: JSONValue) throws(APIError) {
        guard let text = json.string else { throw APIError.malformedAnswer("a string was expected", json) }
        self = text
    }
    /// The string.
    public var json: JSONValue { .string(self) }
}

extension Array: WireValue where Element: WireValue {
    /// Reads a list; throws when the answer is none, or an element has another shape.
    public init(json: JSONValue) throws(APIError) {
        guard let elements = json.array else { throw APIError.malformedAnswer("a list was expected", json) }
        self = []
        reserveCapacity(elements.count)
        for element in elements { append(try Element(json: element)) }
    }
    /// The elements in order.
    public var json: JSONValue { .array(map(\.json)) }
}
