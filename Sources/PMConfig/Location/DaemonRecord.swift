internal import JSON
internal import PMModel
public import PMSystem

/// The paths of a daemon's socket and folder, in a file of its state directory. Commands find the daemon by that where
/// the socket is not at the place that their own environment gives.
///
/// The record stays when the daemon has ended, and names the configuration of a state directory. It does not say that a daemon
/// runs: only the lock says that (`DaemonLocation.lockPath`).
public struct DaemonRecord: Equatable, Sendable {
    /// The configuration file.
    public var config: String
    /// The path of the socket.
    public var socket: String
    /// The folder in which services without `cwd` run.
    public var cwd: String

    /// Makes a record.
    public init(config: String, socket: String, cwd: String) {
        (self.config, self.socket, self.cwd) = (config, socket, cwd)
    }

    /// The record of the daemon of a configuration; nil when none has run there, or the record cannot be read.
    public static func read(in stateDirectory: String, config: String) -> DaemonRecord? {
        let record = read(path(in: stateDirectory, config))
        return record?.config == config ? record : nil
    }

    /// The records in a state directory, which may be shared; those that cannot be read are left out.
    public static func all(in stateDirectory: String) -> [DaemonRecord] {
        // A folder that cannot be listed is no daemon's of this user.
        let names = (try? Files.list(stateDirectory)) ?? []
        return names.filter { $0.hasPrefix(prefix) && $0.hasSuffix(suffix) }.prefix(mostRecords).compactMap { name in
            let record = read("\(stateDirectory)/\(name)")
            // A copy under another name is nobody's record.
            return record.flatMap { self.name(of: $0.config) == name ? $0 : nil }
        }
    }

    private static func read(_ path: String) -> DaemonRecord? {
        // Without a record nothing more is known than without a daemon.
        guard let bytes = try? Files.read(path, limit: 1 << 16), let json = try? JSONValue(parsing: bytes),
            let config = json["config"]?.string, config.hasPrefix("/"), let socket = json["socket"]?.string
        else { return nil }
        return DaemonRecord(config: config, socket: socket, cwd: json["cwd"]?.string ?? "/")
    }

    /// Writes the record.
    ///
    /// - Throws: `SystemError` of the disk; the record before stays then.
    public func write(in stateDirectory: String) throws(SystemError) {
        let json: JSONValue = ["config": .string(config), "socket": .string(socket), "cwd": .string(cwd)]
        try Files.replace(Self.path(in: stateDirectory, config), with: json.serialized() + [UInt8(ascii: "\n")])
    }

    /// A state directory may be shared, so the name has the path's fingerprint.
    private static func path(in stateDirectory: String, _ config: String) -> String {
        "\(stateDirectory)/\(name(of: config))"
    }

    private static func name(of config: String) -> String { prefix + Fingerprint(of: config).digits + suffix }

    private static let (prefix, suffix) = ("daemon-", ".json")
    /// More daemons do not share a folder.
    private static let mostRecords = 256
}

extension Configuration {
    /// True when clients look for the daemon's socket in the file itself, `mapping.pm.connect`: where the file is not under
    /// version control, and in projects of the reference implementation, whose clients know no other place.
    public func publishesSocket(in file: String, isThere: (String) -> Bool) -> Bool {
        if !VersionControl.holds(file, exists: isThere) { return true }
        if containers.contains(where: { $0.value.host == .reference }) { return true }
        return isThere(Paths.resolve(ReferenceConfiguration.fileName, from: Paths.directory(of: file)))
    }
}
