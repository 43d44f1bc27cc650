/// A variable whose value is not in the configuration: it is read when the service starts, and kept nowhere.
///
/// It is a type of its own beside `EnvironmentVariable`, so that whatever shows variables has no value to show.
public struct SecretVariable: Equatable, Sendable {
    /// The place of a secret.
    public enum Source: Equatable, Sendable {
        /// A file; a relative path starts at the configuration's folder.
        case file(String)
        /// A file of that name in the credentials directory of the daemon's systemd unit (`$CREDENTIALS_DIRECTORY`).
        case credential(String)

        /// Reads `file:PATH`, `file:///PATH` or `credential:NAME`; nil for anything else.
        public init?(_ text: String) {
            if let path = Paths.path(ofFileURL: text) {
                self = .file(path)
            } else if text.hasPrefix("file:"), !text.hasPrefix("file://"), text.utf8.count > 5 {
                self = .file(String(text.dropFirst(5)))
            } else if text.hasPrefix("credential:") {
                let name = String(text.dropFirst(11))
                // As systemd.exec(5) has it: the name of a file, not a path.
                guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(UInt8(ascii: "/")) else {
                    return nil
                }
                self = .credential(name)
            } else {
                return nil
            }
        }

        /// The form in the configuration.
        public var text: String {
            switch self {
            case .file(let path): "file:\(path)"
            case .credential(let name): "credential:\(name)"
            }
        }
    }

    /// The variable's name.
    public var name: String
    /// The place of its value.
    public var source: Source

    /// Makes a variable.
    public init(name: String, source: Source) {
        (self.name, self.source) = (name, source)
    }
}
