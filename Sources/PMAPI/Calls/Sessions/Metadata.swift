public import JSON

/// `$metadata [deep, service?]`: the daemon's commands and, when deep, those of the services as `SERVICE.COMMAND`; with a
/// service that service's own metadata.
public struct Metadata: DaemonCall, Equatable {
    /// With the commands of the services.
    public var isDeep: Bool
    /// Only this service, its commands named without it; 404 when it does not run or offers none (an extension: clients
    /// of the reference never send it).
    public var service: String?
    /// True to get the notification `$/metadata [service]` from now on, whenever a service publishes its commands (an
    /// extension, too).
    public var watches = false

    /// Asks for the commands of the daemon and, when deep, of the services; or for those of one service.
    public init(isDeep: Bool = true, service: String? = nil) {
        self.isDeep = isDeep
        self.service = service
    }

    /// The method's name on the wire.
    public static let method = Method.metadata
    /// True: the call changes nothing, so a client may repeat it when its answer is lost.
    public static let isQuestion = true

    /// Not listed by itself.
    public static let description = CommandDescription(
        .metadata, doc: "The commands of the daemon and of the services", usage: nil, sources: ["options.deep"])

    /// Reads `[]`, `[deep]`, `[deep, service]` and the `{params: true}` that clients of the reference send.
    public init(_ parameters: Parameters) throws(APIError) {
        self.init(isDeep: parameters[0].isTruthy, service: try parameters.optionalText(1, "service"))
        watches = parameters[2].isTruthy
    }

    /// Parameters on the wire: `[deep]` or `[deep, service]`.
    public var params: JSONValue {
        if watches { return [.bool(isDeep), service.map { .string($0) } ?? .null, true] }
        return service.map { [.bool(isDeep), .string($0)] } ?? [.bool(isDeep)]
    }

    /// Name and commands.
    public typealias Answer = ServiceMetadata

    /// The daemon's own metadata, without services.
    public static var ofDaemon: ServiceMetadata {
        ServiceMetadata(
            name: "pm",
            commands: Method.allCases.filter(\.isListed).map { CommandMetadata(description: $0.description) })
    }
}
