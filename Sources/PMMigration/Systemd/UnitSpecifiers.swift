/// Specifiers of systemd.unit(5), `%h` for example.
struct UnitSpecifiers {
    let unit: UnitFile
    let context: MigrationContext
    /// Instance of a template.
    let instance: String

    private var isOfUser: Bool { context.directory.contains("/systemd/user") }

    /// Replaces the specifiers of a value.
    ///
    /// - Throws: `MigrationError` for one that pm cannot know.
    func expanded(_ value: String) throws(MigrationError) -> String {
        guard value.utf8.contains(UInt8(ascii: "%")) else { return value }
        var result = ""
        var rest = value[...]
        while let character = rest.popFirst() {
            guard character == "%" else {
                result.append(character)
                continue
            }
            // As systemd does: a % at the end stands for itself, `150%`.
            guard let letter = rest.popFirst() else { return result + "%" }
            guard let text = text(letter) else {
                throw MigrationError("pm does not know the specifier %\(letter)")
            }
            result += text
        }
        return result
    }

    private func text(_ letter: Character) -> String? {
        let home = isOfUser ? variable("HOME") ?? "/root" : "/root"
        switch letter {
        case "%": return "%"
        case "n": return unit.name
        case "N": return unit.name.lastIndex(of: ".").map { String(unit.name[..<$0]) } ?? unit.name
        case "p": return unit.service
        case "i", "I": return instance
        case "j": return unit.service.split(separator: "-").last.map(String.init)
        case "h": return home
        case "u": return isOfUser ? variable("USER") : "root"
        case "U": return isOfUser ? nil : "0"
        case "s": return isOfUser ? variable("SHELL") : "/bin/sh"
        case "t": return isOfUser ? variable("XDG_RUNTIME_DIR") : "/run"
        case "S": return isOfUser ? variable("XDG_STATE_HOME") ?? home + "/.local/state" : "/var/lib"
        case "C": return isOfUser ? variable("XDG_CACHE_HOME") ?? home + "/.cache" : "/var/cache"
        case "L": return isOfUser ? (variable("XDG_STATE_HOME") ?? home + "/.local/state") + "/log" : "/var/log"
        case "E": return isOfUser ? variable("XDG_CONFIG_HOME") ?? home + "/.config" : "/etc"
        case "T": return "/tmp"
        case "V": return "/var/tmp"
        default: return nil
        }
    }

    private func variable(_ name: String) -> String? { context.environment[name] }
}
