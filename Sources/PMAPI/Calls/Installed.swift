public import JSON
import PMModel

/// `installed [changes]`: `pm` has changed the packages of this daemon, which makes events of that.
public struct Installed: DaemonCall, Equatable {
    /// One package, and its versions before and now.
    public struct Change: Equatable, Sendable {
        /// Name of the package.
        public var package: String
        /// The version before; nil: it was not there.
        public var from: String?
        /// The version now; nil: it is not there any more.
        public var to: String?

        /// Names a change.
        public init(_ package: String, from: String?, to: String?) {
            (self.package, self.from, self.to) = (package, from, to)
        }
    }

    /// The packages that have changed.
    public var changes: [Change]

    /// The most packages of one call.
    public static let mostChanges = 256

    /// Tells of changes.
    public init(_ changes: [Change]) { self.changes = changes }

    /// The method's name on the wire.
    public static let method = Method.installed

    /// Name, usage and options for command lines and `$metadata`.
    public static let description = CommandDescription(
        .installed, doc: "Makes events of packages that pm has installed, updated or removed", usage: "installed",
        sources: ["params.0"])

    /// Reads `[[{package, from?, to?}]]`; throws a 400 for what is no package or no version.
    public init(_ parameters: Parameters) throws(APIError) {
        let list = parameters[0].array ?? []
        guard list.count <= Self.mostChanges else {
            throw .badRequest(
                "one call tells of at most \(Self.mostChanges) packages", hint: "tell of the others in further calls")
        }
        changes = []
        for entry in list {
            guard let package = entry["package"]?.string, PackageSpec.isName(package) else {
                throw .badRequest("package must be the name of a package")
            }
            changes.append(
                Change(package, from: try Self.version("from", entry), to: try Self.version("to", entry)))
        }
    }

    private static func version(_ key: String, _ entry: JSONValue) throws(APIError) -> String? {
        guard let value = entry[key], value != .null else { return nil }
        guard let text = value.string, PackageSpec.isRange(text) else {
            throw .badRequest("\(key) must be a version of a package")
        }
        return text
    }

    /// Parameters on the wire: `[[{package, from?, to?}]]`.
    public var params: JSONValue {
        let list = changes.map { change in
            var members: JSONObject = ["package": .string(change.package)]
            if let from = change.from { members["from"] = .string(from) }
            if let to = change.to { members["to"] = .string(to) }
            return JSONValue.object(members)
        }
        return [.array(list)]
    }

    /// There is nothing to say.
    public typealias Answer = Nothing
}
