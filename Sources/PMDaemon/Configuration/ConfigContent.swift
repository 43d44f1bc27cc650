import PMConfig
import PMModel
import PMSystem

/// What the daemon keeps of a configuration file that was read: the values, and sentences about them.
struct ConfigContent: Sendable {
    /// The values.
    let configuration: Configuration
    /// The text, for the daemon's copy of the last content without errors.
    let bytes: [UInt8]
    /// That others can read what they should not, in words.
    let exposure: String?
    /// What in the file is probably not meant, a sentence for each.
    let warnings: [String]
    /// The version of the file that has this content; nil: it is not known.
    let version: ConfigFileVersion?

    init(_ file: ConfigFile) {
        configuration = file.configuration
        bytes = file.document.bytes
        exposure = file.exposure?.description
        warnings = ConfigSentences.of(file.warnings)
        version = file.status.map(ConfigFileVersion.init)
    }
}

/// The properties by which one version of a file differs from another.
struct ConfigFileVersion: Equatable, Sendable {
    private let inode: UInt64
    private let size: Int64
    private let modified: Int64
    private let mode: UInt32

    init(_ status: FileStatus) {
        (inode, size, modified, mode) = (status.inode, status.size, status.modified, status.mode)
    }

    /// The version that is there now; nil when there is none, or none that can be looked at.
    static func now(of path: String) -> ConfigFileVersion? {
        // Reading the file says why it cannot be looked at.
        guard let status = try? Files.status(path) else { return nil }
        return ConfigFileVersion(status)
    }
}

/// Problems of a configuration as sentences of a status.
enum ConfigSentences {
    /// Nobody reads more in a status.
    private static let most = 20

    /// A sentence for each fault of the file at `path`.
    static func of(_ error: ConfigError, _ path: String) -> [String] {
        // Who reads this has a daemon, and needs no new file.
        guard error.kind != .missing else {
            let next = "pm start pm in the renamed folder goes on there"
            return ["\(path): the file is gone, or its folder was renamed or removed (\(next))"]
        }
        return of(error.problems)
    }

    /// A sentence for each problem.
    static func of(_ problems: [ConfigProblem]) -> [String] {
        var sentences = problems.prefix(most).map { problem in
            problem.description + (problem.hint.map { " (\($0))" } ?? "")
        }
        let more = problems.count - sentences.count
        if more > 0 { sentences.append("and \(more) more: pm check shows them") }
        return sentences
    }
}
