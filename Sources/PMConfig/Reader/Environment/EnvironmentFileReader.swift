internal import Glibc
internal import PMModel
internal import PMSystem

/// Reads the environment files of a service.
///
/// For root's daemon each folder and link on the way must belong to root or to the owner of the configuration, or, with the
/// file itself, to the service's own user. Somebody else could put a link there to a file that only root may read, and find
/// its content in the environment, or give the service variables that make it run other code.
struct EnvironmentFileReader {
    /// Longest file in bytes.
    private static let mostBytes = 1 << 20

    private let unit: ConfiguredUnit
    private let directory: String
    private let isRoot: Bool

    /// Makes a reader for a unit of the configuration in `directory`.
    init(of unit: ConfiguredUnit, in directory: String, isRoot: Bool = geteuid() == 0) {
        (self.unit, self.directory, self.isRoot) = (unit, directory, isRoot)
    }

    /// The variables in a file.
    ///
    /// - Throws: `ConfigError` when the file is missing, cannot be read, may be changed by others or has a line that is wrong.
    func read(_ path: String) throws(ConfigError) -> [EnvironmentVariable] {
        var finding: PathTrust.Finding?
        let bytes: [UInt8]?
        do throws(SystemError) {
            bytes = try Files.read(path, limit: Self.mostBytes) { status in
                finding = isRoot ? distrust(path, status) : nil
                return finding == nil
            }
        } catch {
            throw refusal(.missing, "cannot read the environment file: \(error)")
        }
        guard let bytes else {
            throw refusal(
                .forbidden, "the environment file \(path) is not used" + (finding.map { ": \($0)" } ?? ""),
                hint: "only root and the service's user may be able to change it: use chown and chmod go-w")
        }
        return try EnvironmentFile.parse(bytes, file: path)
    }

    private func refusal(_ kind: ConfigError.Kind, _ message: String, hint: String? = nil) -> ConfigError {
        var problem = ConfigProblem(message, hint: hint)
        problem.key = "mapping.\(unit.name).envFiles"
        return ConfigError(kind, [problem])
    }

    /// Who could put another file in the place of this one, and should not be able to; nil when there is nobody.
    private func distrust(_ path: String, _ status: FileStatus) -> PathTrust.Finding? {
        // What cannot be looked at belongs to nobody who is trusted.
        let owner = try? Files.status(directory)?.owner  // as said
        let trusted = Set([owner].compactMap(\.self))
        let trust = PathTrust(trusting: trusted)
        guard let finding = trust.finding(on: path) else { return nil }
        guard case .owner(let user) = finding.fault, status.owner == user, let name = unit.mapping.user,
            trust.isUser(user, named: name)
        else { return finding }
        return PathTrust(trusting: trusted.union([user])).finding(on: path)
    }
}
