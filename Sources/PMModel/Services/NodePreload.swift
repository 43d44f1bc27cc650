/// The environment in which each Node process loads a file before its program (NODE_OPTIONS, Node >= 12).
public enum NodePreload {
    private static let prefix = "NODE_OPTIONS="

    /// Adds the file to `NAME=value` strings, before options that are there. An empty NODE_OPTIONS says that there are to
    /// be none, and stays.
    public static func adding(_ file: String, to environment: [String]) -> [String] {
        let option = "--require=\(quoted(file))"
        guard let index = environment.lastIndex(where: { $0.hasPrefix(prefix) }) else {
            return environment + [prefix + option]
        }
        let others = environment[index].dropFirst(prefix.count)
        // A daemon that a service started has it from there.
        guard !others.isEmpty, others != option, !others.hasPrefix(option + " ") else { return environment }
        var changed = environment
        changed[index] = "\(prefix)\(option) \(others)"
        return changed
    }

    /// Spaces separate options except in quotation marks, in which a backslash takes the next character as it is.
    private static func quoted(_ path: String) -> String {
        let escaped = path.map { $0 == "\\" || $0 == "\"" ? "\\\($0)" : String($0) }
        return "\"\(escaped.joined())\""
    }
}
