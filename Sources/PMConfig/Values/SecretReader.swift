public import PMModel
internal import PMSystem

/// Reads secrets at the start of a service, and judges the files that they are in. No message has a part of a secret.
public struct SecretReader: Sendable {
    /// A secret that was read.
    public struct Secret: Equatable, Sendable {
        /// The value.
        public let value: String
        /// That too many may read its file, with the next step; nil: nobody but those who should.
        public let warning: String?
    }

    /// The folder of the configuration.
    private let directory: String
    /// The credentials directory of this process's systemd unit.
    private let credentials: String?
    /// The user who must own the files, unless root does.
    private let user: UInt32

    /// An environment takes no longer variable (MAX_ARG_STRLEN of execve(2), with room for the name).
    static let mostBytes = 120 << 10

    /// Makes a reader for the configuration in `directory`; `environment` is that of this process.
    public init(directory: String, environment: [String: String], user: UInt32) {
        (self.directory, self.user) = (directory, user)
        credentials = environment["CREDENTIALS_DIRECTORY"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    }

    /// Reads the value of a variable of a service.
    ///
    /// - Throws: `ConfigError` when the file is missing, cannot be read, may be written by others or holds no text.
    public func read(_ variable: SecretVariable, of service: String) throws(ConfigError) -> Secret {
        do throws(Refusal) {
            let path = try path(variable.source)
            let status = try status(path)
            let warning = try judge(path, status)
            return Secret(value: try value(path), warning: warning)
        } catch {
            let message = "cannot use the secret \(variable.source.text): \(error.reason)"
            var problem = ConfigProblem(message, hint: error.hint)
            problem.key = "mapping.\(service).env.\(variable.name)"
            throw ConfigError(error.kind, [problem])
        }
    }

    private struct Refusal: Error {
        var kind = ConfigError.Kind.invalid
        let reason: String
        var hint: String?
    }

    private func path(_ source: SecretVariable.Source) throws(Refusal) -> String {
        switch source {
        case .file(let path): return Paths.resolve(path, from: directory)
        case .credential(let name):
            guard let credentials else {
                throw Refusal(
                    kind: .missing, reason: "the daemon has no credentials directory",
                    hint: "write LoadCredential=\(name):FILE into the systemd unit that starts pm, and restart it")
            }
            return Paths.resolve(name, from: credentials)
        }
    }

    private func status(_ path: String) throws(Refusal) -> FileStatus {
        do throws(SystemError) {
            if let status = try Files.status(path) { return status }
        } catch {
            throw Refusal(kind: .storage, reason: "\(error)")
        }
        throw Refusal(kind: .missing, reason: "there is no file \(path)")
    }

    /// The warning about a file that all may read: it is used all the same, because container engines make such files.
    ///
    /// Somebody who may change the file, or a link or folder on the way to it, could give the service any file that this
    /// process may read. So the owner must be this user or root even where the service runs as another user.
    private func judge(_ path: String, _ status: FileStatus) throws(Refusal) -> String? {
        guard status.kind == .file else { throw Refusal(reason: "\(path) is no file") }
        if let finding = PathTrust(trusting: [user]).finding(on: path) {
            let hint = "only root and user \(user) may be able to change it: use chown and chmod go-w"
            throw Refusal(kind: .forbidden, reason: "\(finding)", hint: hint)
        }
        guard status.mode & 0o004 != 0 else { return nil }
        return "every user of this machine can read the secret in \(path) (chmod o= \(path))"
    }

    /// The content without the line end that editors and `echo` add.
    private func value(_ path: String) throws(Refusal) -> String {
        var bytes: [UInt8]
        do throws(SystemError) {
            bytes = try Files.read(path, limit: Self.mostBytes)
        } catch {
            throw Refusal(kind: .storage, reason: "\(error)")
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
            throw Refusal(reason: "\(path) holds no text: a variable is UTF-8 without NUL characters")
        }
        guard !text.isEmpty else { throw Refusal(reason: "\(path) is empty") }
        return text
    }
}
